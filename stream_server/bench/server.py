"""A server process of its own, to measure or to test, and what it uses."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# Long, for a machine that has much else to do; who is ready or has ended sooner is not waited for.
READY_SECONDS = 120.0
STOP_SECONDS = 60.0
_PORTS = range(20_000, 32_000)
# Not by `random`, which a test may have seeded: processes beside this one are to draw others.
_untold = secrets.SystemRandom().sample(_PORTS, len(_PORTS))


@dataclass(frozen=True)
class ServerProcess:
    """A ``fakelight serve`` that answers; ``ready_s`` is from its start to a first inference.

    ``log`` is the file that takes what it says, where there is one.
    """

    process: subprocess.Popen[bytes]
    port: int
    token: str
    ready_s: float
    log: Path | None = None

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """Where its WebSocket is."""
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    @property
    def output(self) -> str:
        """All that it has said so far, as far as that goes into a log."""
        return "" if self.log is None else self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to stop, and end it when it does not; its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

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


def free_port(host: str = "127.0.0.1", kind: int = socket.SOCK_STREAM) -> int:
    """A port of ``host`` that nobody has, and that nobody gets without asking for its number.

    None is given twice. Those that a system hands out by itself, to connections and to whoever asks
    for any, lie above (Linux from 32768 on, others from 49152 on: RFC 6335, section 6): one of them
    may be another's as soon as it is let go.

    Raises ``OSError`` when all of them are taken.
    """
    while _untold:
        port = _untold.pop()
        with socket.socket(type=kind) as probe, suppress(OSError):
            probe.bind((host, port))
            return port
    raise OSError(f"no port of {host} from {_PORTS[0]} to {_PORTS[-1]} is left")


def start_server(
    *arguments: str,
    token: str = "",
    port: int = 0,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
) -> ServerProcess:
    """Start ``fakelight serve`` with ``arguments`` and wait until a real inference went through.

    ``token`` and ``port`` are made up unless given; ``environment`` is this process's own. What it
    says goes to the end of ``log``; without one, its errors go where this process's go.

    Raises ``RuntimeError`` when it ends, or is not ready within ``READY_SECONDS``.
    """
    port = port or free_port()
    token = token or secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "stream_server.cli", "serve", "--port", str(port), *arguments]
    settings = {"FAKELIGHT_TOKEN": token, "PYTHONUNBUFFERED": "1"}
    env = {**(os.environ if environment is None else environment), **settings}
    started = time.monotonic()
    if log is None:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL)
    else:
        with log.open("ab") as out:
            process = subprocess.Popen(command, env=env, cwd=cwd, stdout=out, stderr=out)
    server = ServerProcess(process, port, token, 0.0, log)
    try:
        _wait_until_ready(server, started)
    except BaseException:
        server.stop()
        raise
    return ServerProcess(process, port, token, time.monotonic() - started, log)


@contextmanager
def own_server(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """A server with ``arguments`` that is stopped at the end; ``environment`` and what is raised
    are as for ``start_server``."""
    server = start_server(*arguments, environment=environment)
    try:
        yield server
    finally:
        server.stop()


def _wait_until_ready(server: ServerProcess, started: float) -> None:
    while time.monotonic() - started < READY_SECONDS:
        status = server.process.poll()
        if status is not None:
            raise RuntimeError(f"the server ended at once with status {status}\n{server.output}")
        try:
            with urllib.request.urlopen(f"{server.url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server was not ready within {READY_SECONDS:g} s\n{server.output}")
