"""What is kept to be looked at."""

from __future__ import annotations

import io
import json
from typing import Any

import av
import cv2
import numpy as np
import pytest

from stream_server.monitors.evidence import AFTER, BEFORE, Evidence, clip, jpeg
from stream_server.monitors.store.incidents import IncidentTable
from tests.support.monitored import stretch

HZ = 5


def grey(level: int, width: int = 128, height: int = 72) -> Any:
    return np.full((height, width, 3), level, np.uint8)


def pictures_of(data: bytes) -> list[Any]:
    with av.open(io.BytesIO(data)) as container:
        return [
            (frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]


def level(data: bytes) -> float:
    return float(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE).mean())


class Watched:
    def __init__(self, table: Any) -> None:
        self.asked: list[int] = []
        self.evidence = Evidence(self.asked.append)
        self.table = table

    def look(self, at: float, shade: int, changed: Any = (), open_now: Any = ()) -> None:
        self.evidence.saw(grey(shade), at)
        self.evidence.judged(at, changed, open_now)


@pytest.fixture
def watched(database: Any) -> Watched:
    return Watched(IncidentTable(database))


async def test_a_clip_around_the_opening_a_still_at_the_peak_and_a_heat_map(watched: Any) -> None:
    for number in range(50):
        watched.look(number / HZ, 10)
    one = stretch(suspicious_at=10.0, peak=0.7)
    watched.table.save([one], None)
    watched.look(10.0, 50, [one], [one])
    assert watched.asked == [one.track]
    corners = [[0.2, 0.2], [0.4, 0.2], [0.4, 0.5], [0.2, 0.5]]
    watched.evidence.explained({"track": one.track, "heat": [[1]], "corners": corners})
    peak = stretch(suspicious_at=10.2, peak=0.9)
    watched.look(10.2, 200, [], [peak])
    for number in range(52, 50 + round(AFTER * HZ) + 5):
        await watched.evidence.keep(watched.table)
        watched.look(number / HZ, 90, [], [peak])
    await watched.evidence.keep(watched.table)
    assert watched.table.pictures(["i1"]) == {"i1": ["clip", "heat", "still"]}
    assert level(watched.table.picture("i1", "still")[1]) == pytest.approx(200, abs=3)
    assert json.loads(watched.table.picture("i1", "heat")[1])["heat"] == [[1]]
    seen = pictures_of(watched.table.picture("i1", "clip")[1])
    assert len(seen) == round((BEFORE + AFTER) * HZ) + 1
    assert seen[-1][0] == pytest.approx(BEFORE + AFTER, abs=0.05)
    shades = [picture.mean() for _, picture in seen]
    assert shades[0] == pytest.approx(10, abs=3) and max(shades) == pytest.approx(200, abs=4)


async def test_one_that_closes_soon_has_a_short_clip(watched: Any) -> None:
    one = stretch(suspicious_at=0.0)
    watched.table.save([one], None)
    watched.look(0.0, 50, [one], [one])
    watched.look(0.2, 60, [one.closed()], [])
    await watched.evidence.keep(watched.table)
    assert watched.table.pictures(["i1"]) == {"i1": ["clip", "still"]}


async def test_what_is_under_way_when_the_watch_ends_is_kept(watched: Any) -> None:
    one = stretch(suspicious_at=0.0)
    watched.table.save([one], None)
    watched.look(0.0, 50, [one], [one])
    await watched.evidence.keep(watched.table)
    assert watched.table.pictures(["i1"]) == {}
    watched.evidence.end()
    await watched.evidence.keep(watched.table)
    assert "still" in watched.table.pictures(["i1"])["i1"]


def test_a_stream_that_changes_its_size_gives_a_clip_all_the_same() -> None:
    sizes = [(128, 72), (128, 72), (64, 36), (256, 144)]
    shots = [(at / 5, jpeg(grey(90, *size))) for at, size in enumerate(sizes)]
    seen = pictures_of(clip(shots))
    assert [picture.shape for _, picture in seen] == [(72, 128, 3)] * 3


def test_large_pictures_are_made_smaller() -> None:
    small = cv2.imdecode(np.frombuffer(jpeg(grey(9, 400, 200), side=100), np.uint8), 1)
    assert small.shape == (50, 100, 3)
