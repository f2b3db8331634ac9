"""A terminal that is closed ends the server that was started in it; ``nohup`` keeps it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
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


@pytest.mark.parametrize("before", [(), ("nohup",)])
def test_a_closed_terminal(before: Any, models: Any, tmp_path: Path) -> None:
    port = free_port()
    ours, theirs = os.openpty()
    serve = ("-m", "stream_server.cli", "serve", "--port", str(port), "--models", str(models))
    around = {k: v for k, v in os.environ.items() if not k.startswith("FAKELIGHT_")}
    settings = {"FAKELIGHT_STATE_DIR": str(tmp_path / "state"), "FAKELIGHT_TOKEN": TOKEN}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            (sys.executable, "-c", IN_TERMINAL, *before, sys.executable, *serve),
            env={**around, **settings, "PYTHONPATH": str(ROOT)},
            stdin=theirs,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    os.close(theirs)
    try:
        _wait_for(port, server)
        os.close(ours)
        if not before:
            assert server.wait(60) == 0
            return
        deadline = time.monotonic() + 60
        while "models swapped" not in (tmp_path / "log").read_text():
            assert server.poll() is None
            assert time.monotonic() < deadline, "it took no notice of the signal"
            time.sleep(0.1)
    finally:
        if server.poll() is None:
            server.terminate()
        assert server.wait(60) == 0


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
