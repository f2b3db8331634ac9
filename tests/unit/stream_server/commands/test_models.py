from __future__ import annotations

from pathlib import Path

import pytest

from stream_server.commands.models import check_models, list_models
from tests.support.tiny_repository import tiny_repository


def test_members_are_listed_with_how_often_they_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = tiny_repository(tmp_path / "models", ("one", "two"), ("points",), rates={"two": 2.5})
    assert list_models(repo) == 0
    listed = capsys.readouterr().out
    assert "members: one, two (2.5 times a second), points\n" in listed
    assert "LENGTH_two int32[N,1]" in listed
    assert check_models(repo) == 0


def test_what_is_wrong_with_a_rate_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = tiny_repository(tmp_path / "models", rates={"tiny": 5})
    config = repo / "tiny_encoder" / "config.pbtxt"
    config.write_text(config.read_text().replace('"5"', '"-5"'))
    assert check_models(repo) == 1
    said = capsys.readouterr().err
    assert "sample_hz is '-5', must be a number above 0 and at most 60" in said
