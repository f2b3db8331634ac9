"""Opens the engine that is asked for."""

from __future__ import annotations

import os
from pathlib import Path

from stream_server.engine.base import Engine
from stream_server.engine.embedded import EmbeddedEngine
from stream_server.engine.repository import ModelRepository


def open_engine(
    kind: str,
    models_dir: Path | str,
    triton_url: str | None = None,
    threads: int = 1,
    fallback: bool = True,
    triton_timeout: float = 1.0,
) -> Engine:
    """Open an engine.

    Args:
        kind: ``"embedded"`` or ``"triton"``.
        models_dir: the model repository. With Triton too: it is what the stand-in runs, and
            what Triton's answers are held against.
        triton_url: ``HOST:PORT`` of Triton's gRPC endpoint.
        threads: threads inside one session of the embedded engine.
        fallback: with Triton, whether the embedded engine stands in while Triton is down.
        triton_timeout: seconds that one call to Triton may take.

    Raises:
        ValueError: an unknown kind, or Triton without its address.
        RepositoryError: the model repository cannot be served.
    """
    if kind not in ("embedded", "triton"):
        raise ValueError(f"engine is {kind!r}; it must be 'embedded' or 'triton'")
    repository = ModelRepository.load(models_dir)
    embedded = EmbeddedEngine(repository, threads=threads, workers=min(2, os.cpu_count() or 1))
    if kind == "embedded":
        return embedded
    if not triton_url:
        raise ValueError("engine 'triton' needs a triton_url such as 127.0.0.1:8001")
    # With the gRPC client, which takes long to load and most never ask for.
    from stream_server.engine.fallback import FallbackEngine, FallbackPolicy
    from stream_server.engine.triton import TritonEngine

    triton = TritonEngine(repository, triton_url, timeout=triton_timeout)
    if not fallback:
        return triton
    # Triton's own deadline comes first, so that its error says what happened.
    policy = FallbackPolicy(call_timeout=triton_timeout * 1.2)
    return FallbackEngine(triton, embedded, policy)
