"""What a scan's command holds open, whatever ends it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from stream_server.engine import Engine, ModelRepository
from stream_server.scan import command
from stream_server.scan.options import ScanOptions
from stream_server.settings import Settings
from tests.support.tiny_repository import tiny_repository


class Started:
    """An engine that notes that it was closed."""

    def __init__(self, models: Path, stopped: bool) -> None:
        self.repository = ModelRepository.load(models)
        self.stopped, self.closed = stopped, False

    async def start(self) -> None:
        if self.stopped:
            raise asyncio.CancelledError

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("stopped", [False, True])
def test_the_engine_is_closed_where_the_rest_cannot_be_loaded_or_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    settings = Settings(models=tiny_repository(tmp_path / "models"))
    engine = Started(settings.models, stopped)
    monkeypatch.setattr(command, "configured_engine", lambda _: cast(Engine, engine))
    monkeypatch.setitem(sys.modules, "stream_server.scan.scanner", None)
    request = command.ScanRequest([str(tmp_path / "a.mp4")], ScanOptions.chosen(settings, "auto"))
    if stopped:
        assert command.scan(settings, request) == command.TERMINATED
    else:
        with pytest.raises(ImportError):
            command.scan(settings, request)
    assert engine.closed


def test_a_scan_loads_nothing_of_servers_and_networks() -> None:
    program = (
        "import sys, stream_server.cli, stream_server.scan.command, stream_server.scan.scanner;"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    unwanted = {"stream_server.protocol", "grpc", "tritonclient", "http.client"}
    unwanted |= {"starlette", "sqlalchemy", "jinja2", "babel", "opentelemetry", "torch"}
    assert not unwanted & set(done.stdout.split())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="Linux alone lists threads so")
def test_a_command_starts_no_threads_by_being_loaded() -> None:
    program = "import os, stream_server.cli; print(len(os.listdir('/proc/self/task')))"
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean, capture_output=True, text=True
    )
    assert done.stdout == "1\n", done.stderr
