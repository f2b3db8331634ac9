"""The product step: from file to verdict, and what its figures count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream_server.scan.scanner import open_scanner
from stream_server.settings import load
from tests.support.scan_media import every, moving_face, two_faces, without_faces, write_video
from tests.support.scanning import run
from tests.support.tiny_repository import tiny_repository
from training.__main__ import main
from training.data.layouts import Item
from training.judge.product import Judgement, figures, judge, stamp_of


def row(name: str, label: str, verdict: str, probability: float | None, px: float = 100) -> Any:
    return Judgement(name, "set", "", label, name, px, verdict, probability, ())


def test_coverage_counts_the_faceless_and_leaves_out_the_small() -> None:
    rows = [
        row("a", "real", "likely_real", 0.1),
        row("b", "fake", "unsure", 0.6),
        row("c", "real", "not_enough_evidence", None, px=30),
        row("d", "real", "not_enough_evidence", None, px=0),
    ]
    assert figures(rows)["coverage"] == {"of": 3, "covered": 2}


def test_abstaining_is_told_apart_from_being_wrong() -> None:
    rows = [
        row("a", "real", "likely_fake", 0.9),
        row("b", "fake", "likely_fake", 0.9),
        row("c", "fake", "unsure", 0.4),
        row("d", "real", "unsure", 0.4),
    ]
    report = figures(rows)
    assert report["decided"] == {"of": 4, "decided": 2, "wrong": 1}
    assert report["unsure"] == {"of": 2, "would_have_been_wrong": 1}
    assert report["real_not_flagged"]["share"] == 0.5
    assert report["groups"]["set"]["verdicts"]["fake likely_fake"] == 1


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("videos")
    for kind in ("real", "fake"):
        (root / kind).mkdir()
    write_video(root / "real" / "one.mp4", moving_face(), every(10, 3))
    write_video(root / "real" / "none.mp4", without_faces(), every(10, 3))
    write_video(root / "fake" / "other.mp4", moving_face(share=0.5), every(10, 3))
    return root


def test_videos_go_the_whole_way_and_are_judged_once(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, out = tiny_repository(tmp_path / "models"), tmp_path / "product.json"
    arguments = ["product", str(videos), "--layout", "folders", "--split", "", "--out", str(out)]
    arguments += ["--models", str(models)]
    assert main(arguments) == 0
    report = json.loads(out.read_text())
    assert report["videos"] == 3
    assert report["coverage"] == {"of": 3, "covered": 2}
    assert [one["name"] for one in report["abstained"]] == ["real-none"]

    async def never(scanner: Any, item: Any) -> None:
        raise AssertionError(f"{item.name} was judged again")

    monkeypatch.setattr("training.judge.product_run.judge", never)
    assert main(arguments) == 0
    assert json.loads(out.read_text()) == report


async def test_a_part_of_the_picture_is_judged_alone(tmp_path: Path) -> None:
    path = write_video(tmp_path / "pair.mp4", two_faces(), every(10, 3))
    half = Item("left", path, "video", "real", "set", region=(0.0, 0.0, 0.5, 1.0))
    async with open_scanner(load(models=tiny_repository(tmp_path / "models"))) as scanner:
        both = await judge(scanner, Item("both", path, "video", "real", "set"))
        left = await judge(scanner, half)
    assert left.verdict != "not_enough_evidence" and both.verdict != "not_enough_evidence"
    assert left.face_px == pytest.approx(both.face_px, rel=0.2)


def test_no_video_of_a_split_is_an_error(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "x.json")
    arguments = ["product", str(videos), "--layout", "folders", "--split", "dev", "--out", out]
    assert main(arguments) == 2
    assert "no video of split 'dev'" in capsys.readouterr().err


async def test_it_is_what_a_scan_says_that_nobody_told_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_video(tmp_path / "clip.mp4", moving_face(), every(25, 9))
    models = tiny_repository(tmp_path / "models")
    assert run("scan", path, "--json", tmp_path / "a.json", "--models", models) in (0, 3)
    capsys.readouterr()
    said = json.loads((tmp_path / "a.json").read_text())
    async with open_scanner(load(models=models)) as scanner:
        own = await judge(scanner, Item("clip", path, "video", "real", "set"))
    assert own.verdict == said["verdict"]
    assert own.probability == pytest.approx(said["probability"], abs=1e-4)
    assert said["faces"][0]["box"][3] * 360 == pytest.approx(own.face_px, rel=0.2)


async def test_what_was_judged_in_another_way_is_judged_again(tmp_path: Path) -> None:
    models = tiny_repository(tmp_path / "models")
    stamps = []
    for settings in (load(models=models), load(models=models), load(models=models, sample_hz=5)):
        async with open_scanner(settings) as scanner:
            stamps.append(stamp_of(scanner))
    assert stamps[0] == stamps[1] != stamps[2]
