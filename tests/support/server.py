"""A real ``fakelight serve`` process on a free port, with a state folder of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stream_server.bench import server as process
from stream_server.bench.server import ServerProcess as Server
from stream_server.bench.server import free_port
from tests.support.paths import ROOT

TOKEN = "a-token-for-the-tests"
__all__ = ["TOKEN", "Server", "free_port", "running_server", "start_server"]


def start_server(
    folder: Path,
    *arguments: str,
    port: int = 0,
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> Server:
    """Start a server whose state and log lie in ``folder``, and wait until it has inferred once.

    None of the settings around the tests reach it, only those in ``environment``. Started again
    with the same folder, it goes on where it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    around = {k: v for k, v in os.environ.items() if not k.startswith("FAKELIGHT_")}
    settings = {"FAKELIGHT_STATE_DIR": str(folder / "state"), "PYTHONPATH": str(ROOT)}
    return process.start_server(
        *arguments,
        token=TOKEN,
        port=port,
        environment={**around, **settings, **(environment or {})},
        cwd=cwd,
        log=folder / "server.log",
    )


@contextmanager
def running_server(
    *arguments: str, environment: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> Iterator[Server]:
    """The same in a folder that goes with it, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="fakelight-", ignore_cleanup_errors=True) as folder:
        server = start_server(Path(folder), *arguments, environment=environment, cwd=cwd)
        try:
            yield server
        finally:
            server.stop()
