"""A single picture is judged by the vote of pictures, where the models have one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from skimage import data

from tests.support.scanning import ScanCommand
from tests.support.tiny_repository import tiny_repository

MEMBERS = ("tiny", "other")
LINES = {"threshold_fake": "0.98", "threshold_real": "0.97"}


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "portrait.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


def judged(models: Path, file: Path, capture: pytest.CaptureFixture[str], **told: str) -> Any:
    tiny_repository(models, MEMBERS, parameters=LINES | told)
    [face] = ScanCommand(models, capture)(file).found["faces"]
    return face


def pictures(shift: str, **lines: str) -> dict[str, str]:
    """The other member alone is asked, and what it says lies that much higher."""
    asked = {"scale_other": "0.01", "shift_other": shift, "threshold_fake": "0.9", **lines}
    return {f"picture_{key}": value for key, value in asked.items()}


def test_a_picture_has_lines_and_a_vote_of_its_own(
    portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = judged(tmp_path / "plain", portrait, capsys)
    assert plain["verdict"] == "unsure" and 0.05 < plain["probability"] < 0.95
    assert {one["member"] for one in plain["grounds"]} == {*MEMBERS}
    fake = judged(tmp_path / "fake", portrait, capsys, **pictures("5"))
    assert fake["verdict"] == "likely_fake" and fake["probability"] > 0.98
    assert [one["member"] for one in fake["grounds"]] == ["other"]
    low = judged(tmp_path / "low", portrait, capsys, **pictures("-5"))
    assert low["verdict"] == "unsure" and low["probability"] < 0.02
    clear = judged(tmp_path / "clear", portrait, capsys, **pictures("-5", threshold_real="0.1"))
    assert clear["verdict"] == "likely_real"


def test_a_video_is_judged_as_without_it(
    portrait_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = judged(tmp_path / "plain", portrait_clip, capsys)
    told = judged(tmp_path / "told", portrait_clip, capsys, **pictures("5"))
    assert told["verdict"] == plain["verdict"] == "likely_real"
    assert told["timeline"] == plain["timeline"]
