"""Pieces of a set of shards: what is taken, how it is kept, and that a moment stays whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stream_server.ingest.files.pictures import picture_in
from tests.support.tiny_shards import tiny_shards
from training.__main__ import main
from training.data.manifest import Manifest, landmarks_of
from training.data.pack import chosen, pack
from training.data.shards import Sample, Stored, write_shard
from training.judge.devset import crop_of


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_shards(tmp_path_factory.mktemp("shards"))


def test_every_piece_is_small_enough_and_nothing_is_lost(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--shards", str(shards), "--out", str(tmp_path), "--sharpness", "0"]
    assert main(["pack", *arguments, "--per-video", "3", "--piece-mb", "0.15"]) == 0
    pieces = sorted(tmp_path.glob("*.tar"))
    assert len(pieces) > 1
    assert len(capsys.readouterr().out.splitlines()) == len(pieces)
    assert all(piece.stat().st_size <= 150_000 for piece in pieces)
    train, packed = Manifest.open(shards).split("train"), Manifest.scan(tmp_path)
    wanted = {video: min(len(rows), 3) for video, rows in train.videos().items()}
    assert {video: len(rows) for video, rows in packed.videos().items()} == wanted


def test_the_crop_is_the_same_but_for_what_jpeg_loses(shards: Path, tmp_path: Path) -> None:
    train = Manifest.open(shards).split("train")
    list(pack(train, [[row] for row in train.rows[:4]], tmp_path, 10**9))
    packed = {row.sample.key: row for row in Manifest.scan(tmp_path).rows}
    here = Manifest.scan(tmp_path)
    for row in train.rows[:4]:
        before = crop_of(train, row).astype(int)
        after = crop_of(here, packed[row.sample.key]).astype(int)
        assert np.abs(before - after).mean() < 3


def test_a_large_patch_is_made_smaller_with_its_landmarks(shards: Path, tmp_path: Path) -> None:
    import cv2

    train = Manifest.open(shards).split("train")
    row = train.rows[0]
    image = cv2.resize(train.image(row), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    large = replace(row.sample, landmarks=tuple(4 * value for value in row.sample.landmarks),
                    face_px=4 * row.sample.face_px)  # fmt: skip
    data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
    (tmp_path / "large").mkdir()
    write_shard(tmp_path / "large" / "one.tar", [(large, "png", data)])
    source = Manifest.scan(tmp_path / "large")
    (path, count), = pack(source, [source.rows], tmp_path / "out", 10**9)  # fmt: skip
    assert count == 1
    kept = Manifest.scan(path.parent)
    small = kept.rows[0]
    assert max(picture_in(kept.raw(small), "small").shape[:2]) == 320
    factor = 320 / max(image.shape[:2])
    np.testing.assert_allclose(landmarks_of(small.sample), landmarks_of(large) * factor, rtol=1e-5)
    assert small.sample.face_px == pytest.approx(large.face_px * factor)
    before, after = (crop_of(m, m.rows[0]).astype(int) for m in (source, kept))
    assert np.abs(before - after).mean() < 6


def test_halves_of_a_moment_are_taken_together() -> None:
    def half(label: str, time: float) -> Stored:
        sample = Sample(
            key=f"{label}-{time}", video=f"v-{label}", track=0, time=time, landmarks=(0.0,) * 10,
            face_px=100, score=1, sharpness=100, label=label, dataset="live", method="",
            split="train", pair="p", identities=(),
        )  # fmt: skip
        return Stored(sample, "s.tar", 0, 0)

    rows = [half(label, at / 10) for label in ("real", "fake") for at in range(9)]
    rows.append(half("fake", 5.0))  # a moment without its other half
    (taken,) = chosen(Manifest(Path(), rows), per_video=4, stills=1, others={})
    times = [round(row.sample.time * 100) for row in taken]
    assert len(taken) == 8
    assert all(times.count(one) == 2 for one in times)
    (fewer,) = chosen(Manifest(Path(), rows), 4, 1, {"live/pair": 2})
    assert len(fewer) == 4
