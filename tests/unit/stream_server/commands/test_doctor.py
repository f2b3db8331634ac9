"""``fakelight doctor`` over engines that are well and engines that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_server.commands.doctor import examine
from stream_server.settings import Settings
from tests.support.tiny_repository import tiny_repository


def lines(settings: Settings, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    status = examine(settings)
    out = capsys.readouterr().out.splitlines()
    return status, {line[6:].partition(":")[0]: line for line in out}


def test_an_engine_that_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = tiny_repository(tmp_path / "models")
    _, found = lines(Settings(models=models, state_dir=tmp_path / "state"), capsys)
    assert found["engine"] == "ok    engine: embedded: a real inference went through"


def test_triton_that_is_away_is_told_though_another_engine_would_stand_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        engine="triton", triton_url="127.0.0.1:1", triton_fallback=True,
        models=tiny_repository(tmp_path / "models"), state_dir=tmp_path / "state",
    )  # fmt: skip
    status, found = lines(settings, capsys)
    assert status == 1
    assert found["engine"].startswith("FAIL  engine: Triton at 127.0.0.1:1: ")
