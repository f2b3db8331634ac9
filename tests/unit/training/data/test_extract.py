"""Extraction: the server's crops, durable unit by unit, bad input listed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from stream_server.ingest.files.video import VideoFile
from stream_server.vision.detect import FaceDetector
from tests.support.training_sets import face_video, folder_set, portrait, write_video
from training.__main__ import main
from training.data.extract import Extractor, units
from training.data.layouts import folders
from training.data.manifest import Manifest, ManifestError, Quality, landmarks_of
from training.data.shards import HalfShardError, read_shard


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_set(tmp_path_factory.mktemp("set"), 2, 10)


@pytest.mark.slow
def test_a_killed_run_loses_only_the_unit_in_hand(tmp_path: Path) -> None:
    source, out = folder_set(tmp_path / "set", 4, 20), tmp_path / "out"
    command = [sys.executable, "-m", "training", "extract", str(source)]
    command += ["--layout", "folders", "--out", str(out), "--sharpness", "0"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not list(out.glob("*.tar")):
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {path.name: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    assert 1 <= len(done) < 8
    for name in done:
        assert len(list(read_shard(out / name))) > 10
    assert main(command[3:]) == 0
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    assert len(after) == 8
    assert {name: after[name] for name in done} == done
    assert len(Manifest.scan(out).videos()) == 8


def test_bad_videos_are_listed_and_skipped(tmp_path: Path) -> None:
    real = tmp_path / "set" / "real"
    face_video(real / "good.mp4", 1, False, 4)
    (real / "text.mp4").write_text("this is no video")
    (real / "empty.mp4").touch()
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 60, (120, 160, 3), dtype=np.uint8) for _ in range(3)]
    write_video(real / "noface.mp4", noise)
    (real / "broken.jpg").write_bytes(b"\xff\xd8 cut")
    out = tmp_path / "out"
    arguments = ["extract", str(tmp_path / "set"), "--layout", "folders", "--out", str(out)]
    assert main([*arguments, "--sharpness", "0"]) == 0
    rows = [json.loads(line) for line in (out / "run" / "log.jsonl").read_text().splitlines()]
    reasons = "\n".join(reason for row in rows for reason in row.get("skipped", []))
    for name in ("text.mp4", "empty.mp4", "noface.mp4: no face found", "broken"):
        assert name in reasons
    assert set(Manifest.scan(out).videos()) == {"real-good"}


def test_blurred_faces_are_dropped(videos: Path, tmp_path: Path) -> None:
    (unit,) = [u for u in units(list(folders(videos))) if u.name == "real-r00"]
    sharp = Extractor(tmp_path / "a", sharpness=1)
    assert sharp.run(unit).samples > 5
    blurred = Extractor(tmp_path / "b", sharpness=1e6)
    result = blurred.run(unit)
    assert result.samples == 0 and "blurred" in result.skipped[0]


def test_face_crop_videos_are_written_once(videos: Path, tmp_path: Path) -> None:
    arguments = ["extract", str(videos), "--layout", "folders", "--out", str(tmp_path)]
    arguments += ["--format", "video", "--sharpness", "0"]
    assert main(arguments) == 0
    made = sorted(tmp_path.glob("*.mp4"))
    assert len(made) == 4
    frames = list(VideoFile(made[0], made[0].name).every_frame())
    assert frames[0].image.shape == (224, 224, 3) and len(frames) > 5
    assert len(FaceDetector(min_face=80).detect(frames[0].image)) == 1
    stamps = [path.stat().st_mtime_ns for path in made]
    assert main(arguments) == 0
    assert [path.stat().st_mtime_ns for path in made] == stamps
    facts = json.loads((tmp_path / "fake-blend-f00.json").read_text())
    assert facts[0]["label"] == "fake" and facts[0]["method"] == "blend"


def test_half_a_shard_is_named_and_left_out(videos: Path, tmp_path: Path) -> None:
    extractor = Extractor(tmp_path, sharpness=0)
    for unit in units(list(folders(videos)))[:2]:
        extractor.run(unit)
    first, second = sorted(tmp_path.glob("*.tar"))
    data = first.read_bytes()
    first.write_bytes(data[: len(data) // 2])
    with pytest.raises(HalfShardError, match=first.name):
        list(read_shard(first))
    manifest = Manifest.scan(tmp_path)
    assert {row.shard for row in manifest.rows} == {second.name}
    assert first.name in manifest.broken[0]


def test_a_listing_that_names_missing_shards_is_refused(videos: Path, tmp_path: Path) -> None:
    extractor = Extractor(tmp_path, sharpness=0)
    for unit in units(list(folders(videos)))[:2]:
        extractor.run(unit)
    assert main(["splits", str(tmp_path)]) == 0
    assert len(Manifest.open(tmp_path, Quality(sharpness=0, score=0))) > 10
    gone = sorted(tmp_path.glob("*.tar"))[0]
    gone.unlink()
    with pytest.raises(ManifestError, match=gone.name):
        Manifest.open(tmp_path)


def test_an_empty_folder_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["splits", str(tmp_path)]) == 2
    assert "run the extract step" in capsys.readouterr().err


def test_two_people_are_two_tracks(tmp_path: Path) -> None:
    pictures = [np.hstack([portrait(1, n / 10), portrait(7, n / 10)]) for n in range(8)]
    path = tmp_path / "set" / "real" / "two.mp4"
    write_video(path, pictures)
    (unit,) = units(list(folders(tmp_path / "set")))
    Extractor(tmp_path / "main", sharpness=0).run(unit)
    Extractor(tmp_path / "every", sharpness=0, every_track=True).run(unit)
    assert len(Manifest.scan(tmp_path / "main").videos()) == 1
    both = Manifest.scan(tmp_path / "every").videos()
    assert len(both) == 2
    centres = [np.mean([landmarks_of(row.sample).mean() for row in rows]) for rows in both.values()]
    assert len(centres) == 2 and all(
        len({row.sample.track for row in r}) == 1 for r in both.values()
    )
