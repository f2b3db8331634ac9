"""A terminal that is closed ends the server that was started in it; ``nohup`` keeps it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.server import TOKEN, free_port

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals are POSIX"),
]
# Makes the terminal on its standard input its own, then becomes the command that follows.
# Whoever runs the tests under nohup has handed that down: it is taken back here.
IN_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


@contextmanager
def serving(
    models: Any, folder: Path, port: int, *before: str, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a session of its own, run by ``before``, which stops in good order."""
    serve = ("-m", "stream_server.cli", "serve", "--port", str(port), "--models", str(models))
    around = {k: v for k, v in os.environ.items() if not k.startswith("FAKELIGHT_")}
    settings = {"FAKELIGHT_STATE_DIR": str(folder / "state"), "FAKELIGHT_TOKEN": TOKEN}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            (*before, sys.executable, *serve),
            env={**around, **settings, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
            start_new_session=True,
            **options,
        )
    try:
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
        assert server.wait(60) == 0


@pytest.mark.parametrize("before", [(), ("nohup",)])
def test_a_closed_terminal(before: Any, models: Any, tmp_path: Path) -> None:
    port = free_port()
    ours, theirs = os.openpty()
    program = (sys.executable, "-c", IN_TERMINAL, *before)
    with serving(models, tmp_path, port, *program, stdin=theirs) as server:
        os.close(theirs)
        _wait_for(port, server)
        os.close(ours)
        if before:
            _wait_for_swap(tmp_path, server)
        else:
            assert server.wait(60) == 0


def test_a_signal_that_comes_while_it_loads_is_heard_when_it_has(
    models: Any, tmp_path: Path
) -> None:
    port = free_port()
    with serving(models, tmp_path, port, stdin=subprocess.DEVNULL) as server:
        # It takes connections before it has loaded anything.
        deadline = time.monotonic() + 120
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
                break
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        server.send_signal(signal.SIGHUP)
        assert "serving on" not in (tmp_path / "log").read_text()
        _wait_for_swap(tmp_path, server)


def _wait_for_swap(folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while "models swapped" not in (folder / "log").read_text():
        assert server.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, "it took no notice of the signal"
        time.sleep(0.1)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while True:
        assert server.poll() is None, "it ended at the start"
        assert time.monotonic() < deadline, "it did not start"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
