"""A server process of its own to measure, and what it uses."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerProcess:
    """A ``fakelight serve`` on a free port; ``ready_s`` is from its start to a first inference."""

    process: subprocess.Popen[bytes]
    port: int
    token: str
    ready_s: float

    def cpu_seconds(self) -> float | None:
        """Processor time so far, ``None`` where the system does not tell (it is Linux's /proc)."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float | None:
        """Resident memory now in megabytes, ``None`` where the system does not tell."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return None
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else None


@contextmanager
def own_server(*arguments: str) -> Iterator[ServerProcess]:
    """Start a server with ``arguments`` and stop it at the end.

    Raises ``RuntimeError`` when it is not ready within 30 seconds.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "stream_server.cli", "serve", "--port", str(port), *arguments]
    environment = {**os.environ, "FAKELIGHT_TOKEN": token}
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_until_ready(process, port, started)
        yield ServerProcess(process, port, token, time.monotonic() - started)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, started: float) -> None:
    while time.monotonic() - started < 30:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once with status {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server was not ready within 30 s")
