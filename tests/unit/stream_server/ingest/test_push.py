"""A place that a stream is pushed to, and who reads there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from stream_server.ingest import push as module
from stream_server.ingest.push import PushPoints
from stream_server.ingest.urls.source import SourceFrame, SourceState
from stream_server.live import Job
from stream_server.problem import ProblemError
from stream_server.protocol import FrameHeader, ProtocolError


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A push point with its reader at work."""

    def __init__(self) -> None:
        self.points = PushPoints()
        self.clock = Clock()
        self.point = self.points.open("m")
        self.point._clock = self.clock
        self.items = self.point.__aiter__()

    async def next(self) -> Any:
        async with asyncio.timeout(30):
            return await anext(self.items)

    async def state(self) -> tuple[str, str]:
        item = await self.next()
        assert isinstance(item, SourceState)
        return item.kind, item.reason

    async def frame(self) -> SourceFrame:
        item = await self.next()
        assert isinstance(item, SourceFrame)
        return item


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    yield Place()


def job(at: float, shade: int = 90) -> Job:
    image = np.full((36, 64, 3), shade, np.uint8)
    header = FrameHeader(frame_id=1, media_time=at, width=64, height=36)
    return Job(header, lambda: image, 0.0)


async def test_somebody_pushes_goes_and_comes_again(place: Any) -> None:
    assert await place.state() == ("connecting", "nobody pushes to it")
    pusher = place.points.push("m")
    with pytest.raises(ProblemError, match="already"):
        place.points.push("m")
    pusher.offer(job(0.0))
    assert (await place.state())[0] == "playing"
    assert (await place.frame()).media_time == 0.0
    pusher.offer(job(2.0, 100))
    assert (await place.frame()).media_time == 2.0
    pusher.close()
    pusher.offer(job(3.0))  # late
    assert await place.state() == ("connecting", "nobody pushes to it")
    place.clock.now += 20
    again = place.points.push("m")
    again.offer(job(0.5, 110))
    assert (await place.state())[0] == "playing"
    frame = await place.frame()
    assert (frame.media_time, frame.frame_id) == (22.5, 3) and frame.captured_at > 0


async def test_the_newest_picture_takes_the_place_of_the_one_that_waits(place: Any) -> None:
    pusher = place.points.push("m")
    for at in (0.0, 0.1, 0.2):
        pusher.offer(job(at, 90 + round(100 * at)))
        pusher.skip()
    assert (await place.state())[0] == "playing"
    assert (await place.frame()).media_time == 0.2


async def test_a_clock_that_is_set_back_never_runs_backwards(place: Any) -> None:
    pusher = place.points.push("m")
    pusher.offer(job(50.0))
    assert (await place.state())[0] == "playing"
    assert (await place.frame()).media_time == 50.0
    pusher.control("seek")
    pusher.offer(job(0.0, 100))
    assert (await place.frame()).media_time >= 50.0


async def test_black_and_frozen_pictures_are_no_pictures(place: Any) -> None:
    pusher = place.points.push("m")
    pusher.offer(job(0.0))
    assert (await place.state())[0] == "playing"
    await place.frame()
    pusher.offer(job(5.0))
    assert (await place.state())[0] == "frozen"
    pusher.offer(job(6.0, 0))
    assert (await place.state())[0] == "playing"
    await place.frame()
    pusher.offer(job(8.0, 0))
    assert (await place.state())[0] == "black"


async def test_what_does_not_come_or_cannot_be_used_is_told(place: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "_STALLED_AFTER", 0.05)
    pusher = place.points.push("m")
    pusher.offer(job(0.0))
    assert (await place.state())[0] == "playing"
    await place.frame()
    place.clock.now += 1
    assert await place.state() == ("stalled", "nothing comes any more")
    pusher.refuse_frame(ProtocolError("too_many_pixels", "the video is too large"))
    assert await place.state() == ("stalled", "the video is too large")

    def broken() -> Any:
        raise ValueError("for the test")

    pusher.offer(Job(job(1.0).header, broken, 0.0))
    pusher.offer(job(2.0, 100))
    assert (await place.state())[0] == "playing"


async def test_a_place_is_there_as_long_as_it_is_read(place: Any) -> None:
    async with place.point:
        place.points.push("m").close()
    with pytest.raises(ProblemError, match="no monitor 'm'"):
        place.points.push("m")
    first = place.points.open("n")
    second = place.points.open("n")
    async with first:
        pass
    assert place.points.push("n") is not None and second is not first
