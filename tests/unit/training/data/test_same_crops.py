"""Training's crops are serving's, to the byte: one reader, one rhythm, one tracker, one cut."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.region import WHOLE_PICTURE, within
from stream_server.scan.analysis import Pipeline, analyse
from stream_server.scan.plan import make_plan
from stream_server.verdict import VerdictPolicy
from stream_server.vision.crop import align_crop
from stream_server.vision.detect import FaceDetector
from tests.support.faces import backdrop, paste, person
from tests.support.fake_scorer import FakeScorer
from tests.support.scan_media import (
    every,
    moving_face,
    turn_metadata,
    two_faces,
    write_hdr,
    write_video,
)
from training.data.extract import Extractor, Unit
from training.data.layouts import Item
from training.data.manifest import Manifest, landmarks_of

RIGHT = (0.5, 0.0, 1.0, 1.0)


class Recorder(FakeScorer):
    """Keeps the crops that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[np.ndarray] = []

    async def features(self, crops: Any, resting: Collection[str] = ()) -> Any:
        self.given += list(crops)
        return await super().features(crops, resting)


def rotated(path: Path) -> Path:
    upright = moving_face((360, 640), share=0.4)
    lying = write_video(path, lambda time: np.rot90(upright(time)), every(30, 2))
    return turn_metadata(lying)


def hdr(path: Path) -> Path:
    return write_hdr(path, moving_face(), every(10, 2))


def cinema(path: Path) -> Path:
    return write_video(path, moving_face(), every(25, 2), rate=25)


def uneven(path: Path) -> Path:
    times = [*every(25, 1), *(1 + t for t in every(6, 1)), *(2 + t for t in every(60, 1))]
    return write_video(path, moving_face(), times)


def slow(path: Path) -> Path:
    return write_video(path, moving_face(), every(2, 6), rate=2)


def large(path: Path) -> Path:
    return write_video(path, moving_face((1280, 720), share=0.95), every(10, 1.5), rate=10)


def side_by_side(path: Path) -> Path:
    return write_video(path, two_faces(), every(30, 2))


@pytest.mark.parametrize(
    ("make", "least"),
    [(rotated, 20), (hdr, 20), (cinema, 20), (uneven, 24), (slow, 12), (large, 15),
     (side_by_side, 20)],
)  # fmt: skip
async def test_a_video_gives_the_crops_that_a_scan_judges(
    make: Callable[[Path], Path], least: int, tmp_path: Path
) -> None:
    path = make(tmp_path / "clip.mp4")
    region = RIGHT if make is side_by_side else WHOLE_PICTURE
    media = within(open_media(path, path.name), region)
    rate = media.info.sampling_rate(10.0)
    scorer = Recorder()
    pipeline = Pipeline(FaceDetector(min_face=40), scorer, VerdictPolicy(0.8, 0.3))
    plan = make_plan(media.info.duration, rate, 6000, 2)
    await analyse(media, plan, StreamOptions(sample_hz=rate), pipeline)

    item = Item("clip", path, "video", "real", "set", region=region)
    out = tmp_path / "shards"
    assert Extractor(out, sharpness=0).run(Unit("clip", (item,))).skipped == []
    manifest = Manifest.scan(out)
    trained = [align_crop(manifest.image(row), landmarks_of(row.sample)) for row in manifest.rows]
    assert len(trained) == len(scorer.given) >= least
    for served, own in zip(scorer.given, trained, strict=True):
        assert np.array_equal(served, own)


def turned_photo(path: Path) -> Path:
    picture = paste(backdrop(480, 640), person(), (240, 300), 400)
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.fromarray(np.rot90(picture)).save(path, "JPEG", exif=exif)
    return path


def deep_photo(path: Path) -> Path:
    picture = paste(backdrop(480, 640), person(), (240, 300), 400)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257
    Pillow.fromarray(grey).save(path, "PNG")
    return path


def huge_photo(path: Path) -> Path:
    picture = paste(backdrop(2400, 1600), person(), (1200, 800), 1200)
    Pillow.fromarray(picture).save(path, "JPEG")
    return path


@pytest.mark.parametrize("make", [turned_photo, deep_photo, huge_photo])
def test_a_picture_is_read_as_a_scan_reads_it(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path / "photo.img")
    ((_, frame),) = open_media(path, path.name).read(WHOLE, 10.0, ReadCounts())
    item = Item("photo", path, "still", "real", "set")
    out = tmp_path / "shards"
    assert Extractor(out, sharpness=0).run(Unit("photo", (item,))).skipped == []
    manifest = Manifest.scan(out)
    (row,) = manifest.rows
    assert np.array_equal(manifest.image(row), frame.image)
    height, width = frame.image.shape[:2]
    assert max(height, width) <= 1920
    middle = landmarks_of(row.sample).mean(axis=0) / (width, height)
    assert np.abs(middle - 0.5).max() < 0.1
