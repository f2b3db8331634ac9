"""The newest frame wins: tested on a clock that the test holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from stream_server.engine.base import EngineUnavailable
from stream_server.evidence import StreamOptions
from stream_server.live import Job, LiveStream
from stream_server.protocol import FrameHeader, ProtocolError
from stream_server.turns import Turns

IMAGE = np.zeros((4, 4, 3), np.uint8)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class SlowStream:
    """Stands in for ``Stream``: analyses a frame when the test lets it."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self.share = 1.0
        self.work, self.worked = 0.05, 0.0
        self.resets = 0
        self.media_time = -np.inf
        self.options = StreamOptions()
        self.crowded = 0
        self.max_faces = 16
        self.go = asyncio.Semaphore(0)
        self.error: Exception | None = None

    def reset(self) -> None:
        self.resets += 1
        self.media_time = -np.inf

    async def analyse_at(self, now: float, decode: Any) -> Any:
        assert decode().media_time == now
        await self.go.acquire()
        if self.error:
            raise self.error
        self.seen.append(now)
        self.media_time = now
        self.worked = self.work
        return []


def job(time: float, frame_id: int = 0, decode: Any = lambda: IMAGE) -> Job:
    return Job(FrameHeader(frame_id=frame_id, media_time=time, width=4, height=4), decode, 0.0)


@asynccontextmanager
async def running(max_fps: int = 60) -> AsyncIterator[Any]:
    sent: list[dict[str, Any]] = []
    clock, stream = Clock(), SlowStream()
    live = LiveStream("s", stream, sent.append, max_fps=max_fps, clock=clock)
    task = asyncio.create_task(live.run())
    try:
        yield live, stream, sent, clock
    finally:
        task.cancel()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0.002)


async def test_the_newest_frame_wins_and_drops_are_counted() -> None:
    async with running() as (live, stream, sent, _):
        live.offer(job(0.0, 1))
        await settle()
        for i in range(1, 10):  # while the first is in hand
            live.offer(job(i / 10, i + 1))
        stream.go.release()
        stream.go.release()
        await settle()
        assert stream.seen == [0.0, 0.9]
        assert [m["frame_id"] for m in sent if m["type"] == "verdict"] == [1, 10]
        assert (live.counters.received, live.counters.analysed, live.counters.dropped) == (10, 2, 8)


async def test_a_seek_drops_what_came_before_it() -> None:
    async with running() as (live, stream, sent, _):
        live.offer(job(50.0, 1))
        await settle()
        live.control("seek")
        live.offer(job(3.0, 2))
        stream.go.release()
        stream.go.release()
        await settle()
        assert [m["frame_id"] for m in sent] == [2]
        assert stream.resets == 1


async def test_time_backwards_is_an_error_and_a_long_way_back_starts_anew() -> None:
    async with running() as (live, stream, sent, _):
        for number, time in enumerate((10.0, 9.9, 10.1, 2.0, 2.1)):
            stream.go.release()
            live.offer(job(time, number))
            await settle()
        assert [(m["type"], m["frame_id"]) for m in sent] == [
            ("verdict", 0),
            ("error", 1),
            ("verdict", 2),
            ("error", 3),
            ("verdict", 4),
        ]
        assert {m["code"] for m in sent if m["type"] == "error"} == {"time_backwards"}
        assert stream.resets == 1


async def test_a_paused_stream_drops_frames_until_it_resumes() -> None:
    async with running() as (live, stream, sent, _):
        live.control("pause")
        live.offer(job(0.0))
        await settle()
        assert live.counters.dropped == 1 and sent == []
        live.control("resume")
        stream.go.release()
        live.offer(job(0.1))
        await settle()
        assert len(sent) == 1


async def test_too_many_frames_a_second_are_refused_once_and_dropped() -> None:
    async with running(max_fps=10) as (live, _, sent, clock):
        for i in range(30):
            live.offer(job(i / 60, i))
        assert [m["code"] for m in sent] == ["too_fast"]
        assert "10 frames per second" in sent[0]["message"]
        clock.now += 1.0
        dropped = live.counters.dropped
        live.offer(job(2.0))
        assert live.counters.dropped == dropped + 1  # only the one that waited


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EngineUnavailable("gone"), "analysis_failed"),
        (RuntimeError("a bug"), "analysis_failed"),
    ],
)
async def test_one_frame_that_fails_does_not_end_the_stream(
    error: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as (live, stream, sent, _):
        stream.error = error
        stream.go.release()
        live.offer(job(0.0, 1))
        await settle()
        stream.error = None
        stream.go.release()
        live.offer(job(0.1, 2))
        await settle()
        assert [(m["type"], m.get("code")) for m in sent] == [("error", code), ("verdict", None)]


async def test_a_picture_that_does_not_decode_names_its_frame() -> None:
    def fail() -> None:
        raise ProtocolError("bad_frame", "no picture", 7)

    async with running() as (live, _, sent, _):
        live.offer(job(0.0, 7, fail))
        await settle()
        assert sent == [
            {"type": "error", "code": "bad_frame", "message": "no picture", "frame_id": 7}
        ]
        assert (live.counters.refused, live.counters.dropped) == (1, 1)


async def test_a_crowd_is_said_but_not_in_every_frame() -> None:
    async with running() as (live, stream, sent, _):
        stream.crowded = 34
        for i in range(5):
            stream.go.release()
            live.offer(job(i / 10, i))
            await settle()
        errors = [m for m in sent if m["type"] == "error"]
        assert [e["code"] for e in errors] == ["too_many_faces"]
        assert "50 faces; the limit is 16" in errors[0]["message"]
        assert sum(m["type"] == "verdict" for m in sent) == 5


async def test_that_nobody_looks_for_new_faces_is_said_beside_the_verdict() -> None:
    part = {"of": [0, 0, 4, 4], "at": [0, 0, 4, 4]}
    fields = {"width": 4, "height": 4, "rect": {"video": [400, 400], "parts": [part]}}
    async with running() as (live, stream, sent, _):
        for i in range(6):
            stream.go.release()
            header = FrameHeader.model_validate({"frame_id": i, "media_time": i * 0.8, **fields})
            live.offer(Job(header, lambda: IMAGE, 0.0))
            await settle()
        errors = [(m["code"], m["frame_id"]) for m in sent if m["type"] == "error"]
        assert errors == [("no_whole", 4)]
        assert sum(m["type"] == "verdict" for m in sent) == 6


async def test_an_engine_that_is_too_slow_is_shared_evenly_and_every_stream_is_told() -> None:
    clock, engine = Clock(), asyncio.Semaphore(0)
    turns = Turns(lambda: 1)
    sent: list[dict[str, Any]] = []
    streams = [SlowStream() for _ in range(6)]
    lives = []
    for number, stream in enumerate(streams):
        stream.go = engine  # it takes 50 ms a frame, of which ten a second come for each
        lives.append(
            LiveStream(f"s{number}", stream, sent.append, max_fps=60, clock=clock, turns=turns)
        )
    tasks = [asyncio.create_task(live.run()) for live in lives]

    async def play(steps: int, audience: list[LiveStream]) -> None:
        for _ in range(steps):
            for live in audience:
                header = FrameHeader(frame_id=0, media_time=clock.now, width=4, height=4)
                live.offer(Job(header, lambda: IMAGE, clock.now))
            for _ in range(min(2, len(audience))):
                done = sum(len(stream.seen) for stream in streams)
                clock.now += 0.1 / min(2, len(audience))
                engine.release()
                async with asyncio.timeout(60):
                    while sum(len(stream.seen) for stream in streams) == done:
                        await asyncio.sleep(0.001)

    try:
        await play(90, lives)
        counts = [len(stream.seen) for stream in streams]
        assert sum(counts) == 180 and max(counts) - min(counts) <= 2
        assert all(live.degraded for live in lives)
        assert [live.rate for live in lives] == pytest.approx([10 / 3] * 6, abs=0.8)
        assert [stream.share for stream in streams] == pytest.approx([1 / 3] * 6, abs=0.08)
        assert max(message["lag_ms"] for message in sent) <= 200
        await play(50, lives[:1])
        assert not lives[0].degraded and lives[0].rate > 9 and streams[0].share == 1
    finally:
        for task in tasks:
            task.cancel()


async def test_a_stream_whose_frames_make_more_work_gets_fewer_turns() -> None:
    turns, engine, clock = Turns(lambda: 1), asyncio.Semaphore(0), Clock()
    small, other, large = streams = [SlowStream() for _ in range(3)]
    large.work = 4 * small.work
    lives = []
    for stream in streams:
        stream.go = engine
        lives.append(
            LiveStream("s", stream, lambda message: None, max_fps=60, clock=clock, turns=turns)
        )
    tasks = [asyncio.create_task(live.run()) for live in lives]
    try:
        for turn in range(1, 91):
            clock.now += 0.1
            for live in lives:
                header = FrameHeader(frame_id=0, media_time=clock.now, width=4, height=4)
                live.offer(Job(header, lambda: IMAGE, clock.now))
            engine.release()
            async with asyncio.timeout(60):
                while sum(len(stream.seen) for stream in streams) < turn:
                    await asyncio.sleep(0.001)
        counts = [len(stream.seen) for stream in (small, other, large)]
        assert counts == pytest.approx([40, 40, 10], abs=2)
    finally:
        for task in tasks:
            task.cancel()


async def test_frames_that_fail_are_no_sign_of_too_much_to_do() -> None:
    async with running() as (live, stream, sent, clock):
        for error in (EngineUnavailable("gone"), ProtocolError("bad_frame", "no picture")):
            stream.error = error
            for _ in range(40):
                clock.now += 0.1
                live.offer(job(clock.now))
                stream.go.release()
                dropped = live.counters.dropped
                async with asyncio.timeout(60):
                    while live.counters.dropped == dropped:
                        await asyncio.sleep(0)
                assert not live.degraded
        assert {m["type"] for m in sent} == {"error"}
