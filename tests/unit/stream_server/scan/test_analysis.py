"""A file's samples, and which members look at them."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore, get_ident
from typing import Any

import pytest

from stream_server.engine.base import InvalidInput
from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import Stretch
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.unusable import UnusableError
from stream_server.scan.analysis import _READ_AHEAD, Pipeline, analyse
from stream_server.scan.plan import Plan, make_plan
from stream_server.scan.side_by_side import Behind, read_ahead
from stream_server.stream import Stream
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Frame
from tests.support.fake_scorer import FakeScorer
from tests.support.scan_media import every, moving_face, write_video


@pytest.mark.parametrize(
    ("rate", "samples", "looks"),
    [(10, 30, 8 + 4), (25, 30, 8 + 4), (4, 12, 12)],  # after eight for all, two a second
)
async def test_a_scan_lets_members_look_as_often_as_a_stream_does(
    tmp_path: Path, rate: float, samples: int, looks: int
) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(rate, 3), rate=int(rate))
    media = open_media(path, path.name)
    sampled = media.info.sampling_rate(10.0)
    scorer = FakeScorer(rates={"half": 5.0})
    pipeline = Pipeline(FaceDetector(min_face=40), scorer, VerdictPolicy(0.8, 0.3))
    plan = make_plan(media.info.duration, sampled, 6000, 1)
    options = StreamOptions(sample_hz=sampled)
    found = await analyse(media, plan, options, pipeline)
    assert found.analysed == samples
    assert scorer.looked == {"m": samples, "half": looks}
    assert scorer.windows[-1] == min(samples, 20)


class Counting:
    """A medium that says how many frames it has given; of more than ``whole`` it fails."""

    def __init__(self, media: Any, whole: int = 1000) -> None:
        self.media, self.info, self.given, self.whole = media, media.info, 0, whole
        self.closed = False
        self.readers = list[int]()  # the thread that read each frame

    def read(self, *how: Any) -> Iterator[Any]:
        try:
            for pair in self.media.read(*how):
                if self.given == self.whole:
                    raise UnusableError("truncated", "made up")
                self.given += 1
                self.readers.append(get_ident())
                yield pair
        finally:
            self.closed = True


class Holding(FakeScorer):
    """Holds the first frame until ``enough`` frames were given, and notes how many were."""

    def __init__(self, media: Counting, enough: int) -> None:
        super().__init__()
        self.media, self.enough, self.met = media, enough, 0

    async def features(self, crops: Any, resting: Any = ()) -> dict[str, Any]:
        for _ in range(600 if not self.met else 0):
            if self.media.given >= self.enough:
                break
            await asyncio.sleep(0.05)
        if not self.met:
            await asyncio.sleep(0.3)  # for those that would go further than they may
            self.met = self.media.given
        return await super().features(crops, resting)


async def judged(path: Path, enough: int, side_by_side: bool) -> tuple[int, Any]:
    media = Counting(open_media(path, path.name))
    scorer = Holding(media, enough)
    policy = VerdictPolicy(0.8, 0.3)
    pipeline = Pipeline(FaceDetector(min_face=40), scorer, policy, side_by_side=side_by_side)
    plan = make_plan(media.info.duration, 10.0, 6000, 1)
    found = await analyse(media, plan, StreamOptions(sample_hz=10.0), pipeline)
    return scorer.met, found


async def test_a_frame_is_judged_while_the_next_are_looked_at_unless_one_core_must_do(
    tmp_path: Path,
) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 3), rate=10)
    # The first is held, seven wait behind it, the ninth was looked at, the next ones are read.
    met, beside = await judged(path, 9 + _READ_AHEAD, side_by_side=True)
    assert met == 9 + _READ_AHEAD
    met, alone = await judged(path, 2, side_by_side=False)
    assert met == 2
    assert beside.times == alone.times and beside.analysed == alone.analysed == 30
    assert [face.scores for face in beside.faces] == [face.scores for face in alone.faces]


HALVES = Plan(
    ((Stretch(0.0, 1.5, lead=0.0),), (Stretch(0.5, math.inf, lead=1.5),)), samples=6000, whole=True
)


async def by_two(path: Path, side_by_side: bool, **counting: int) -> tuple[Counting, Any]:
    media = Counting(open_media(path, path.name), **counting)
    pipeline = Pipeline(
        FaceDetector(min_face=40), FakeScorer(), VerdictPolicy(0.8, 0.3), side_by_side=side_by_side
    )
    return media, await analyse(media, HALVES, StreamOptions(sample_hz=10.0), pipeline)


async def test_of_two_readers_each_looks_at_what_it_reads_and_finds_what_it_found_by_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    look = Stream.look

    def noted(self: Stream, frame: Frame) -> Any:
        looked.append(get_ident())
        return look(self, frame)

    monkeypatch.setattr(Stream, "look", noted)
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 3), rate=10)
    media, beside = await by_two(path, side_by_side=True)
    assert sorted(looked) == sorted(media.readers) and len(set(looked)) == 2
    looked.clear()
    _, alone = await by_two(path, side_by_side=False)
    assert not looked
    assert sorted(beside.times) == sorted(alone.times) and beside.analysed == alone.analysed == 30
    assert [face.scores for face in beside.faces] == [face.scores for face in alone.faces]


async def test_what_ends_one_of_two_readers_ends_the_scan(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 3), rate=10)
    with pytest.raises(ExceptionGroup) as raised:
        await by_two(path, side_by_side=True, whole=20)
    assert raised.group_contains(UnusableError, match="made up")


@pytest.mark.parametrize("side_by_side", [True, False])
async def test_one_frame_more_is_read_than_the_budget_allows_however_far_the_reader_is(
    tmp_path: Path, side_by_side: bool
) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 5), rate=10)
    media = Counting(open_media(path, path.name))
    pipeline = Pipeline(
        FaceDetector(min_face=40), FakeScorer(), VerdictPolicy(0.8, 0.3), side_by_side=side_by_side
    )
    plan = make_plan(None, 10.0, 12, 1)
    found = await analyse(media, plan, StreamOptions(sample_hz=10.0), pipeline)
    assert found.exhausted and found.analysed == 32 and media.given == 33 and media.closed


async def test_who_leaves_waits_for_the_frame_that_is_being_read_and_for_no_more() -> None:
    read: list[int] = []
    gate = Semaphore(3)

    def frames() -> Iterator[Any]:
        for number in range(50):
            gate.acquire()
            read.append(number)
            yield number

    with ThreadPoolExecutor(1) as executor:
        ahead = read_ahead(frames(), executor, 4, 50)
        assert await anext(ahead) == 0
        while len(read) < 3:  # the fourth is being read, or will be in a moment
            await asyncio.sleep(0.01)
        leaving = asyncio.create_task(ahead.aclose())
        await asyncio.sleep(0)  # it has begun
        gate.release(50)
        await leaving
    assert len(read) <= 4


async def test_who_is_told_to_leave_once_more_leaves_at_once_and_the_file_is_closed_later() -> None:
    gate = Semaphore(1)
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def frames() -> Iterator[Any]:
        try:
            for number in range(50):
                gate.acquire()
                yield number
        finally:
            loop.call_soon_threadsafe(closed.set)

    given = frames()  # held on to: what nobody holds closes by itself
    with ThreadPoolExecutor(1) as executor:
        ahead = read_ahead(given, executor, 4, 50)
        assert await anext(ahead) == 0
        leaving = asyncio.create_task(ahead.aclose())
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert not closed.is_set()  # a frame is being read
        gate.release(50)
        await asyncio.wait_for(closed.wait(), 30)


async def test_what_ends_the_reader_ends_the_scan(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 3), rate=10)
    media = Counting(open_media(path, path.name), whole=20)
    pipeline = Pipeline(FaceDetector(min_face=40), FakeScorer(), VerdictPolicy(0.8, 0.3))
    plan = make_plan(media.info.duration, 10.0, 6000, 1)
    with pytest.raises(ExceptionGroup) as raised:
        await analyse(media, plan, StreamOptions(sample_hz=10.0), pipeline)
    assert raised.group_contains(UnusableError, match="made up") and media.closed


class Failing(FakeScorer):
    """Fails at the ``last`` frame that it is asked about, and notes how often it was asked."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.last, self.asked = last, 0

    async def features(self, crops: Any, resting: Any = ()) -> dict[str, Any]:
        self.asked += 1
        if self.asked == self.last:
            await asyncio.sleep(0.3)  # until others wait behind it
            raise InvalidInput("made up")
        return await super().features(crops, resting)


async def test_what_cannot_be_judged_ends_a_scan_and_what_waits_behind_it_is_left(
    tmp_path: Path,
) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 3), rate=10)
    media, scorer = Counting(open_media(path, path.name)), Failing(5)
    pipeline = Pipeline(FaceDetector(min_face=40), scorer, VerdictPolicy(0.8, 0.3))
    plan = make_plan(media.info.duration, 10.0, 6000, 1)
    with pytest.raises(ExceptionGroup) as raised:
        await analyse(media, plan, StreamOptions(sample_hz=10.0), pipeline)
    assert raised.group_contains(InvalidInput, match="made up")
    assert scorer.asked == 5 and media.closed


class Jobs:
    """Jobs for ``Behind``: the first goes on until ``go`` is set, and then it fails or is done."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.begun = error, list[int]()
        self.go, self.closing = asyncio.Event(), asyncio.Event()
        self.unheard = list[dict[str, Any]]()
        asyncio.get_running_loop().set_exception_handler(lambda _, met: self.unheard.append(met))

    async def work(self, number: int) -> None:
        self.begun.append(number)
        if number == 0:
            await self.go.wait()
            if self.error is not None:
                raise self.error

    def number(self, number: int) -> Callable[[], Coroutine[Any, Any, None]]:
        return lambda: self.work(number)

    async def run(self, broken: Exception | None = None) -> None:
        """Five of them, at whose end their caller breaks if so asked."""
        async with Behind(8) as behind:
            for number in range(5):
                await behind.next(self.number(number))
            await asyncio.sleep(0)
            self.closing.set()
            if broken is not None:
                self.go.set()
                await asyncio.sleep(0.01)
                raise broken

    async def ended(self) -> bool:
        """Whether only the first was begun, none is left, and no error is left unheard."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.sleep(0.01)
        gc.collect()
        return self.begun == [0] and not left and not self.unheard


async def test_nothing_goes_on_once_one_has_failed_at_the_end() -> None:
    jobs = Jobs(InvalidInput("made up"))
    asyncio.get_running_loop().call_later(0.01, jobs.go.set)
    with pytest.raises(InvalidInput):
        await jobs.run()
    assert await jobs.ended()


async def test_nothing_goes_on_once_the_wait_at_the_end_is_cancelled() -> None:
    jobs = Jobs()
    running = asyncio.create_task(jobs.run())
    await jobs.closing.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await jobs.ended()


async def test_what_fails_beside_its_caller_is_not_left_unheard() -> None:
    jobs = Jobs(InvalidInput("made up"))
    with pytest.raises(ValueError, match="the caller's"):
        await jobs.run(ValueError("the caller's"))
    assert await jobs.ended()
