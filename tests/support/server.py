"""A real ``fakelight serve`` process on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import ROOT

TOKEN = "a-token-for-the-tests"


@dataclass
class Server:
    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def stop(self) -> int:
        """Ask it to stop, and wait; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    *arguments: str, environment: dict[str, str] | None = None, cwd: Path = ROOT
) -> Iterator[Server]:
    """Start a server, wait until a real inference went through, and stop it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "stream_server.cli", "serve", "--port", str(port), *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FAKELIGHT_")}
    state = tempfile.TemporaryDirectory(prefix="fakelight-state-", ignore_cleanup_errors=True)
    settings = {
        "FAKELIGHT_TOKEN": TOKEN,
        "FAKELIGHT_STATE_DIR": state.name,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**clean, **settings, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Server(process, port)
    # Read all along, or a chatty server would block on a full pipe.
    reader = threading.Thread(target=lambda: server.lines.extend(process.stdout), daemon=True)
    reader.start()
    try:
        _wait(server)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join(5)
        process.stdout.close()
        state.cleanup()


def _wait(server: Server) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            time.sleep(0.2)
            raise AssertionError(f"the server ended at once:\n{server.output}")
        try:
            with urllib.request.urlopen(server.url + "/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the server was not ready within 60 s:\n{server.output}")
