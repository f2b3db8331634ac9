"""One file through the live pipeline, as fast as it will go."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Event
from typing import Any

from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import Media, ReadCounts, Stretch
from stream_server.scan.faces.album import Album, FaceRecord
from stream_server.scan.faces.linking import linked
from stream_server.scan.one_look import PictureScorer
from stream_server.scan.patient import PatientScorer
from stream_server.scan.plan import Plan
from stream_server.stream import Scorer, Seen, Stream
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker, patience_at
from stream_server.vision.types import Frame

_PICTURE_SIDE = 1280  # of the picture that is searched: a single one costs little
_PICTURE_FACES = 100  # at least: each is looked at once
# Frames that may be looked at and not judged yet. Of a new face every second one goes through the
# networks, which takes longer than looking at both.
_JUDGED_LATER = 8
# Frames that are read before they are looked at: a search takes three times as long as following,
# a frame that others are needed for three times as long as one that stands alone.
_READ_AHEAD = 4


@dataclass
class Analysis:
    """What came of a file: its faces, how many frames were analysed, and what readers met.

    ``crowded`` is the largest number of faces beyond the limit in one frame, ``crowds`` in how many
    frames there were any; ``exhausted`` says
    that the budget ended before the file did; ``times`` are the moments that were looked at, in
    seconds of media time.
    """

    faces: list[FaceRecord] = field(default_factory=list)
    analysed: int = 0
    crowded: int = 0
    crowds: int = 0
    exhausted: bool = False
    times: list[float] = field(default_factory=list)
    counts: list[ReadCounts] = field(default_factory=list)


@dataclass(frozen=True)
class Pipeline:
    """What every scan shares: detector, networks and thresholds. ``detect_side`` and
    ``detect_every`` are the tracker's, as for live streams. With ``side_by_side`` frames are judged
    while the next ones are looked at. ``pictures`` are the lines and the vote for single pictures;
    without them they are judged as windows of one sample."""

    detector: FaceDetector
    scorer: Scorer
    policy: VerdictPolicy
    detect_side: int = 640
    detect_every: float = 0.5
    max_faces: int = 16
    side_by_side: bool = True
    pictures: VerdictPolicy | None = None


async def analyse(
    media: Media,
    plan: Plan,
    options: StreamOptions,
    pipeline: Pipeline,
    progress: Callable[[float], None] = lambda done: None,
) -> Analysis:
    """Run ``plan`` over ``media``; ``progress`` is told the share that is done, 0 to 1.

    Raises ``UnusableError`` where the file turns out to be unusable and ``EngineError`` where the
    networks stay away. Cancelling it stops the readers.
    """
    result = Analysis()
    done = [0.0] * len(plan.readers)

    def advanced(reader: int, seconds: float) -> None:
        done[reader] = seconds
        if math.isfinite(total) and total > 0:
            progress(min(sum(done) / total, 1.0))

    total = _seconds(media, plan)
    budget = plan.samples // len(plan.readers) or 1
    albums = [Album(1 / options.verdict_hz) for _ in plan.readers]
    # Two threads a reader: one reads ahead while the other follows the faces.
    with ThreadPoolExecutor(2 * len(plan.readers), thread_name_prefix="scan") as executor:
        work = [
            _Share(media, stretches, options, pipeline, albums[i], executor, budget).run(
                result,
                lambda seconds, i=i: advanced(i, seconds),  # type: ignore[misc]
            )
            for i, stretches in enumerate(plan.readers)
        ]
        async with asyncio.TaskGroup() as group:
            for share in work:
                group.create_task(share)
    result.faces = linked([list(album.faces.values()) for album in albums], by_looks=not plan.whole)
    return result


def faces_at_once(media: Media, max_faces: int) -> int:
    """How many faces of one picture are looked at, where a video's limit is ``max_faces``."""
    return max(max_faces, _PICTURE_FACES) if media.info.kind == "picture" else max_faces


class _Share:
    """One reader and the stream that it feeds."""

    def __init__(
        self,
        media: Media,
        stretches: tuple[Stretch, ...],
        options: StreamOptions,
        pipeline: Pipeline,
        album: Album,
        executor: ThreadPoolExecutor,
        budget: int,
    ) -> None:
        still = media.info.kind == "picture"
        rate = options.sample_hz
        tracker = FaceTracker(
            pipeline.detector,
            detect_every=pipeline.detect_every,
            patience=patience_at(rate),
            longest_side=max(_PICTURE_SIDE, pipeline.detect_side)
            if still
            else pipeline.detect_side,
            max_faces=faces_at_once(media, pipeline.max_faces),
        )
        self._album = album
        scorer, policy = PatientScorer(pipeline.scorer), pipeline.policy
        if still and pipeline.pictures is not None:
            policy = pipeline.pictures
            scorer = PictureScorer(pipeline.scorer, policy.voting)
        self._stream = Stream(tracker, scorer, policy, options, executor, album.looked)
        self._media = media
        self._stretches = stretches
        self._executor = executor
        self._budget = budget
        self._side_by_side = pipeline.side_by_side
        self._counts = ReadCounts()

    async def run(self, result: Analysis, advanced: Callable[[float], None]) -> None:
        result.counts.append(self._counts)
        rate = self._stream.options.sample_hz
        most = math.ceil(self._budget + 2 * rate)
        frames = self._media.read(self._stretches, rate, self._counts)
        ahead = _READ_AHEAD if self._side_by_side else 1
        current: Stretch | None = None
        before, given = 0.0, 0
        async with (
            aclosing(_ahead(frames, self._executor, ahead, most + 1)) as pairs,
            _Behind(_JUDGED_LATER) as judged,
        ):
            async for stretch, frame in pairs:
                if stretch is not current:
                    await judged.last()
                    if current is not None:
                        before += current.seconds
                    self._begin(stretch)
                    current = stretch
                seen = await self._stream.see(frame.media_time, lambda frame=frame: frame)  # type: ignore[misc]
                await judged.next(partial(self._judge, seen, stretch, result))
                if not self._side_by_side:
                    await judged.last()
                given += 1
                advanced(before + max(frame.media_time - stretch.start, 0.0))
                if given >= most:
                    result.exhausted = True
                    return

    async def _judge(self, seen: Seen, stretch: Stretch, result: Analysis) -> None:
        faces = await self._stream.judge(seen)
        self._album.saw(seen.time, faces, seen.signatures)
        result.crowded = max(result.crowded, seen.crowded)
        if seen.time >= stretch.lead:
            result.analysed += 1
            result.crowds += seen.crowded > 0
            result.times.append(seen.time)

    def _begin(self, stretch: Stretch) -> None:
        self._stream.reset()
        self._album.lead, self._album.part = stretch.lead, stretch.start


class _Behind:
    """Lets up to ``most`` things go on, one after the other, beside what its caller does next; one
    more waits for the first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: deque[asyncio.Task[None]] = deque()

    async def __aenter__(self) -> _Behind:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            if kind is None:
                await self.last()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def next(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin ``work`` once what was begun before is done; raises what that raised."""
        while self._tasks and (self._tasks[0].done() or len(self._tasks) >= self._most):
            await self._tasks.popleft()
        before = self._tasks[-1] if self._tasks else None
        self._tasks.append(asyncio.create_task(_after(before, work)))

    async def last(self) -> None:
        """Wait for all that was begun; raises what it raised."""
        while self._tasks:
            await self._tasks.popleft()


async def _after(
    before: asyncio.Task[None] | None, work: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    if before is not None:
        await asyncio.wait({before})
        if before.cancelled() or before.exception() is not None:
            raise asyncio.CancelledError  # whoever waits for that one hears of it; none goes on
    await work()


async def _ahead(
    frames: Iterator[tuple[Stretch, Frame]], executor: ThreadPoolExecutor, ahead: int, most: int
) -> AsyncGenerator[tuple[Stretch, Frame]]:
    """``frames``, of which the next ``ahead`` are read while the last one is looked at, ``most`` in
    all: what a reader counts must not depend on how far it is when nobody wants more."""
    loop = asyncio.get_running_loop()
    read: asyncio.Queue[tuple[Stretch, Frame] | None] = asyncio.Queue()
    go_on: SimpleQueue[None] = SimpleQueue()  # for each frame but the first
    for _ in range(ahead - 1):
        go_on.put(None)
    left = Event()
    given = 0

    def work() -> None:
        for pair in islice(frames, most):
            loop.call_soon_threadsafe(read.put_nowait, pair)
            go_on.get()
            if left.is_set():
                return

    reading = loop.run_in_executor(executor, work)
    reading.add_done_callback(lambda _: read.put_nowait(None))
    try:
        while (pair := await read.get()) is not None:
            go_on.put(None)
            given += 1
            yield pair
        await reading  # raises what ended it
    finally:
        if given < most - 1:  # else what is counted at the end would depend on who is faster
            left.set()
        go_on.put(None)
        try:
            await asyncio.wait({reading})  # a generator at work in a thread cannot be closed
        finally:
            if reading.done():
                _close(frames, reading)
            else:  # who leaves was told to leave once more, and does not wait
                reading.add_done_callback(partial(_close, frames))


def _close(frames: Iterator[tuple[Stretch, Frame]], reading: asyncio.Future[None]) -> None:
    if not reading.cancelled():
        reading.exception()
    close = getattr(frames, "close", None)
    if close is not None:
        close()


def _seconds(media: Media, plan: Plan) -> float:
    if math.isfinite(plan.seconds):
        return plan.seconds
    duration = media.info.duration
    if duration is None:
        return math.inf
    return sum(
        min(stretch.end, duration) - stretch.start for reader in plan.readers for stretch in reader
    )
