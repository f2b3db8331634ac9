"""Tracking on real clips, where they are at hand: cuts between real people, counted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any

import av
import pytest

from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker
from tests.support.shared import SHARED, needs_shared_data

pytestmark = [pytest.mark.shared, needs_shared_data]


def clips(method_of: str, label: str, most: int) -> list[str]:
    with (SHARED / "clips" / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "dev"]
    chosen = [r["file"] for r in rows if r["source"].startswith(method_of) and r["label"] == label]
    return sorted(set(chosen))[:most]


def pictures(name: str, seconds: float) -> Iterator[Any]:
    """Ten pictures a second of the clip's beginning."""
    due = 0.0
    with av.open(str(SHARED / "clips" / name)) as clip:
        for frame in clip.decode(video=0):
            if frame.time is None or frame.time < due - 1e-6:
                continue
            if frame.time > seconds:
                return
            due += 0.1
            yield frame.to_ndarray(format="rgb24")


def resolve(name: str) -> str:
    (found,) = (SHARED / "clips").glob(f"**/{name.rsplit('/', 1)[-1]}")
    return str(found.relative_to(SHARED / "clips"))


def test_cuts_between_real_people_never_mix_them() -> None:
    names = [resolve(name) for name in clips("FaceForensics", "real", 11)]
    assert len(names) > 5
    tracker = FaceTracker(FaceDetector(min_face=40))
    owner: dict[int, str] = {}
    mixed = missed = time = 0
    before: set[int] = set()
    for name in names:
        for i, picture in enumerate(pictures(name, 1.0)):
            ids = {track.id for track in tracker.update(picture, time)}
            time += 0.1
            missed += i == 0 and bool(ids & before)
            mixed += sum(owner.setdefault(number, name) != name for number in ids)
            before = ids
    assert (mixed, missed) == (0, 0)


@pytest.mark.parametrize("source", ["FaceForensics", "MEAD", "GRID"])
def test_a_person_speaking_stays_one_track(source: str) -> None:
    broken = []
    for name in islice(map(resolve, clips(source, "real", 6)), 6):
        tracker = FaceTracker(FaceDetector(min_face=40))
        seen: set[int] = set()
        for i, picture in enumerate(pictures(name, 5.0)):
            seen |= {track.id for track in tracker.update(picture, i / 10)}
        if seen != {1}:
            broken.append(f"{name}: {sorted(seen)}")
    assert broken == []
