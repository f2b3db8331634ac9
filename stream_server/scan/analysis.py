"""One file through the live pipeline, as fast as it will go."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import Media, ReadCounts, Stretch
from stream_server.scan.faces.album import Album, FaceRecord
from stream_server.scan.faces.linking import linked
from stream_server.scan.one_look import PictureScorer
from stream_server.scan.patient import PatientScorer
from stream_server.scan.plan import Plan
from stream_server.scan.side_by_side import Behind, read_ahead
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
    # Two threads a reader: one reads ahead while the other follows the faces. Where several readers
    # share the cores, each does both in one: handing over would cost more than it gains.
    together = len(plan.readers) > 1 and pipeline.side_by_side
    with ThreadPoolExecutor(2 * len(plan.readers), thread_name_prefix="scan") as executor:
        work = [
            _Share(media, stretches, options, pipeline, albums[i], executor, budget, together).run(
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
        together: bool,
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
        # A stretch begins once all before it is judged, which the thread that reads cannot know.
        self._together = together and len(stretches) == 1
        self._counts = ReadCounts()

    async def run(self, result: Analysis, advanced: Callable[[float], None]) -> None:
        result.counts.append(self._counts)
        most = math.ceil(self._budget + 2 * self._stream.options.sample_hz)
        judged = Behind(_JUDGED_LATER)
        current: Stretch | None = None
        before, given = 0.0, 0
        async with aclosing(self._seen(most + 1, judged)) as pairs, judged:
            async for stretch, seen in pairs:
                await judged.next(partial(self._judge, seen, stretch, result))
                if not self._side_by_side:
                    await judged.last()
                given += 1
                if stretch is not current:
                    before += 0.0 if current is None else current.seconds
                    current = stretch
                advanced(before + max(seen.time - stretch.start, 0.0))
                if given >= most:
                    result.exhausted = True
                    return

    async def _seen(self, most: int, judged: Behind) -> AsyncGenerator[tuple[Stretch, Seen]]:
        """What the next ``most`` frames show; a stretch begins once all before it is judged."""
        frames = self._media.read(self._stretches, self._stream.options.sample_hz, self._counts)
        if self._together:
            self._begin(self._stretches[0])
            looks = self._looks(frames)
            async with aclosing(read_ahead(looks, self._executor, _READ_AHEAD, most)) as seen:
                async for pair in seen:
                    yield pair
            return
        ahead = _READ_AHEAD if self._side_by_side else 1
        current: Stretch | None = None
        async with aclosing(read_ahead(frames, self._executor, ahead, most)) as pairs:
            async for stretch, frame in pairs:
                if stretch is not current:
                    await judged.last()
                    self._begin(stretch)
                    current = stretch
                yield stretch, await self._stream.see(frame.media_time, lambda frame=frame: frame)  # type: ignore[misc]

    def _looks(self, frames: Iterator[tuple[Stretch, Frame]]) -> Iterator[tuple[Stretch, Seen]]:
        """What ``frames`` show, each looked at by the thread that has read it."""
        for stretch, frame in frames:
            yield stretch, self._stream.look(frame)

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


def _seconds(media: Media, plan: Plan) -> float:
    if math.isfinite(plan.seconds):
        return plan.seconds
    duration = media.info.duration
    if duration is None:
        return math.inf
    return sum(
        min(stretch.end, duration) - stretch.start for reader in plan.readers for stretch in reader
    )
