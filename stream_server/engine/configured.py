"""The engine that a server's or a scan's settings ask for."""

from __future__ import annotations

from stream_server.engine.base import Engine
from stream_server.engine.factory import open_engine
from stream_server.settings import Settings


def configured_engine(settings: Settings) -> Engine:
    """Open it. Raises what ``open_engine`` raises."""
    return open_engine(
        settings.engine,
        settings.models,
        triton_url=settings.triton_url,
        threads=settings.threads,
        fallback=settings.triton_fallback,
        triton_timeout=settings.triton_timeout,
    )
