"""Nothing leaves the machine unasked, and nothing is written but state.

Telemetry in a dependency takes its time, so every command is watched for longer than it would.
"""

from __future__ import annotations

import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.server import free_port
from tests.support.traced import Trace, Traced, cannot_trace

SECONDS = 42  # ONNX Runtime's collector is looked up half a minute after the first session
CLI = ("-m", "stream_server.cli")
SAMPLE = ROOT / "stream_server" / "web" / "static" / "sample.mp4"

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.patient,
    pytest.mark.timeout(900),
    pytest.mark.skipif(cannot_trace() is not None, reason=str(cannot_trace())),
]


@contextmanager
def slow_address() -> Iterator[str]:
    """Where the sample clip is to be had, over loopback, in ``SECONDS``."""
    clip = SAMPLE.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(clip)))
            self.end_headers()
            step = len(clip) // SECONDS
            for start in range(0, len(clip), step):
                self.wfile.write(clip[start : start + step])
                time.sleep(1)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/sample.mp4"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trace]:
    """The commands side by side, since each has to be watched for so long."""
    folder = tmp_path_factory.mktemp("traced")
    port = free_port()
    with slow_address() as address:
        bench = Traced(folder / "bench", *CLI, "bench", "live", "--seconds", str(SECONDS))
        scan = Traced(folder / "scan", *CLI, "scan", address)  # the models are open meanwhile
        serve = Traced(folder / "serve", *CLI, "serve", "--port", str(port))
        try:
            _wait_until_ready(serve, port)
            time.sleep(SECONDS)
            serve.process.send_signal(signal.SIGTERM)
            return {
                "serve": serve.finish(120, 0, 143, -signal.SIGTERM),
                "scan": scan.finish(300, 0, 3),
                "bench": bench.finish(300, 0),
            }
        finally:
            for one in (bench, scan, serve):
                if one.process.poll() is None:
                    one.process.terminate()
                    one.process.wait(60)


def _wait_until_ready(serve: Traced, port: int) -> None:
    deadline = time.monotonic() + 300
    while True:
        assert serve.process.poll() is None and time.monotonic() < deadline, serve.output
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)


@pytest.mark.parametrize("command", ["serve", "scan", "bench"])
def test_nothing_is_reached_but_this_machine(traces: dict[str, Trace], command: str) -> None:
    assert traces[command].reached(), "it used no network at all, not even loopback"
    assert traces[command].outside() == set()


@pytest.mark.parametrize("command", ["serve", "scan", "bench"])
def test_no_file_is_written_outside_the_state(traces: dict[str, Trace], command: str) -> None:
    assert traces[command].created(), "it made no file at all, not even for its token"
    assert traces[command].created_elsewhere() == set()
    assert list((traces[command].folder / "home").iterdir()) == []


def test_the_trace_shows_what_would_leave(tmp_path: Path) -> None:
    # Connecting a UDP socket sends nothing. These addresses are nobody's (RFC 5737, RFC 3849).
    program = """if True:
        import os, pathlib, socket
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 443))
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("127.0.0.53", 53))
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("127.0.0.1", 80))
        if socket.has_ipv6:
            try:
                socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect(("2001:db8::1", 443))
            except OSError:
                pass
        pathlib.Path.home().joinpath(".cache").mkdir()
        os.chdir(pathlib.Path.home())
        open("device-id", "w")
        if not os.fork():
            open(os.environ["TMPDIR"] + "/fine", "w")
            open(os.environ["HOME"] + "/child", "w")
    """
    trace = Traced(tmp_path / "p", "-c", program).finish(120, 0)
    leaving = {("192.0.2.1", 443), ("127.0.0.53", 53)}
    assert leaving <= trace.outside() <= leaving | {("2001:db8::1", 443)}
    home = tmp_path / "p" / "home"
    assert trace.created_elsewhere() == {home / ".cache", home / "device-id", home / "child"}
