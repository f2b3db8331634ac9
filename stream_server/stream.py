"""One stream: frames in, verdicts out. It owns the tracks and their windows.

It knows no transport and no web framework. Feed it frames in the order of their media time; each
answer holds what is known about every face in that frame.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from stream_server import tracing
from stream_server.engine.several import all_of
from stream_server.evidence import GATHERING_SECONDS, FaceEvidence, Sample, StreamOptions
from stream_server.face_look import Look, Unseen, fractions, look_at
from stream_server.grounds import Ground
from stream_server.rhythm import Rhythm
from stream_server.verdict import Verdict, VerdictPolicy
from stream_server.vision.face_tracker import FaceTracker
from stream_server.vision.track import Track
from stream_server.vision.types import Floats, Frame, Image
from stream_server.vision.views import sight_of

_T = TypeVar("_T")
_OUT_OF_SIGHT = 2.0  # seconds without a face from which waiting for one to be judged begins anew


class Scorer(Protocol):
    """What a stream asks of an engine; ``stream_server.engine.MicroBatcher`` is one."""

    @property
    def rates(self) -> Mapping[str, float]:
        """Looks a second of the members that look less often than at every sample."""

    async def features(
        self, crops: NDArray[np.uint8], resting: Collection[str] = ()
    ) -> dict[str, NDArray[np.float32]]:
        """uint8 ``[n, 224, 224, 3]`` to float32 ``[n, D]`` for each member not in ``resting``."""

    async def verdicts(
        self, features: dict[str, NDArray[np.float32]], landmarks: NDArray[np.float32] | None
    ) -> tuple[float, dict[str, float]]:
        """A window, float32 ``[t, D]`` per member and ``[t, 10]``, to probabilities."""


@dataclass(frozen=True)
class Face:
    """One face of one frame. ``box`` is left, top, width, height in fractions of the frame."""

    track: int
    box: tuple[float, float, float, float]
    probability: float | None
    verdict: Verdict
    samples: int
    reasons: tuple[str, ...]
    members: dict[str, float]
    grounds: tuple[Ground, ...] = ()

    def as_message(self) -> dict[str, object]:
        """The face as it stands in a ``verdict`` message."""
        probability = None if self.probability is None else round(self.probability, 4)
        return {
            "track": self.track,
            "box": [round(edge, 5) for edge in self.box],
            "probability": probability,
            "verdict": self.verdict,
            "samples": self.samples,
            "reasons": list(self.reasons),
            "members": {name: round(value, 4) for name, value in self.members.items()},
            "grounds": [ground.as_json() for ground in self.grounds],
        }


@dataclass(frozen=True)
class Moment:
    """The newest sample of a track that could be judged: ``time`` in seconds of media time."""

    track: int
    time: float
    box: tuple[float, float, float, float]
    crop: Image
    corners: Floats


@dataclass(frozen=True)
class Seen:
    """What one frame shows, before any of it is judged: the picture's ``size``, the ``tracks`` in
    it as they were then, and ``looks`` at them where a sample was due.

    ``signatures`` are those of all tracks, out of sight or not (``vision.identity``); ``crowded``
    faces were beyond the limit; ``pace`` is in seconds from one sample to the next.
    """

    time: float
    size: tuple[int, int]
    tracks: list[Track]
    looks: list[Look | Unseen]
    signatures: dict[int, Floats]
    crowded: int
    pace: float


class Stream:
    """Follows the faces of one video and judges them.

    ``tracker`` and the crops run in ``executor`` (the loop's default if ``None``), the networks
    in ``scorer``. ``on_look`` is told of every face that is sampled, judged or not. One call of
    ``analyse`` at a time.

    ``share`` is what part of its frames the machine has time for, 0 to 1. By so much looks, scores
    and searches are fewer a second: for each frame they stay as many, so that one that is rare
    costs no more than others. ``worked`` is how many seconds of processor time it took to decode
    the last frame and to look at it, without the networks.
    """

    def __init__(
        self,
        tracker: FaceTracker,
        scorer: Scorer,
        policy: VerdictPolicy,
        options: StreamOptions | None = None,
        executor: Executor | None = None,
        on_look: Callable[[Look], None] = lambda look: None,
    ) -> None:
        self._tracker = tracker
        self.share = 1.0
        self.worked = 0.0
        self.options = options = options or StreamOptions()
        self._scorer = scorer
        self._policy = policy
        self._executor = executor
        self._on_look = on_look
        self._evidence: dict[int, FaceEvidence] = {}
        self._newest: dict[int, tuple[float, Look]] = {}
        self._rhythm = Rhythm(options.sample_hz)
        self._time = -math.inf
        self._gathering_since: float | None = None
        self._faces_at = -math.inf

    @property
    def max_faces(self) -> int:
        """How many faces of a frame are followed; the largest ones."""
        return self._tracker.max_faces

    @property
    def crowded(self) -> int:
        """How many faces of the last search were beyond the limit, and left out."""
        return self._tracker.crowded

    @property
    def media_time(self) -> float:
        """Seconds of the newest frame; minus infinity before the first."""
        return self._time

    def reset(self) -> None:
        """Forget everything, as after a seek: the next frame may have any time."""
        self._tracker.reset()
        self._evidence.clear()
        self._newest.clear()
        self._rhythm.reset()
        self._time = -math.inf
        self._gathering_since = None

    @property
    def scorer(self) -> Scorer:
        """What it asks."""
        return self._scorer

    def switch(self, scorer: Scorer, policy: VerdictPolicy) -> None:
        """Judge by other models from the next frame on. Faces stay who they are; what was gathered
        of them is forgotten, for it is of the old ones."""
        self._scorer, self._policy = scorer, policy
        self._evidence.clear()
        self._newest.clear()
        self._gathering_since = None

    async def analyse(self, frame: Frame) -> list[Face]:
        """Take in the next frame and return its faces, in the order of their tracks.

        Raises ``ValueError`` for a frame older than the last one, and what the scorer raises; a
        failed frame loses its own sample and nothing else.
        """
        return await self.analyse_at(frame.media_time, lambda: frame)

    async def analyse_at(self, now: float, decode: Callable[[], Frame]) -> list[Face]:
        """The same for the frame of ``now`` that is still to be decoded: the thread that does so
        looks at it too, which spares handing it over. What ``decode`` raises is raised."""
        return await self.judge(await self.see(now, decode))

    async def see(self, now: float, decode: Callable[[], Frame]) -> Seen:
        """The first half of ``analyse_at``. The next frame may be seen while this one is judged;
        raises ``ValueError`` and what ``decode`` raises."""
        self._must_follow(now)
        busy = self.options.spread and self._rhythm.peek(now) and self._looks_due(now)
        seen = await self._run(lambda: self._look(decode, now, busy))
        self._time = now
        return seen

    def look(self, frame: Frame) -> Seen:
        """``see`` for who has a thread for one stream's frames alone; what was seen before may be
        judged meanwhile. Not where ``options.spread`` asks what is due to be judged."""
        now = frame.media_time
        self._must_follow(now)
        seen = self._look(lambda: frame, now, busy=False)
        self._time = now
        return seen

    async def judge(self, seen: Seen) -> list[Face]:
        """The second half: the faces of what was ``seen``; raises what the scorer raises. One call
        at a time, in the order of the frames."""
        now = seen.time
        for track in seen.tracks:
            if track.id not in self._evidence:
                self._evidence[track.id] = FaceEvidence(
                    self._policy, self.options, self._scorer.rates
                )
        with tracing.inner("features", faces=len(seen.looks)):
            await self._collect(now, seen.looks)
        with tracing.inner("verdicts", faces=len(seen.tracks)):
            await self._score(now, seen.tracks)
        self._forget(seen)
        faces = [self._face(track, seen) for track in seen.tracks]
        return self._impatiently(faces, seen)

    def moment(self, track: int) -> Moment | None:
        """The newest sample of ``track`` that could be judged.

        ``None`` where there is none yet. Raises ``KeyError`` for a track that is not followed.
        """
        if track not in self._evidence:
            raise KeyError(track)
        if track not in self._newest:
            return None
        time, look = self._newest[track]
        return Moment(track, time, look.box, look.crop, look.corners)

    def signatures(self) -> dict[int, Floats]:
        """What every face that is followed looks like, by track; see ``vision.identity``."""
        return {track.id: track.signature for track in self._tracker.tracks}

    def _must_follow(self, now: float) -> None:
        if now < self._time:
            raise ValueError(f"media_time {now} after {self._time}: time runs backwards")

    def _looks_due(self, now: float) -> bool:
        """Whether one of the members that do not look at every sample is to look at the next."""
        hz = self.options.sample_hz
        seldom = {member for member, rate in self._scorer.rates.items() if rate < hz}
        return any(
            track.id in self._evidence
            and not seldom <= self._evidence[track.id].resting(now, track.signature, self.share)
            for track in self._tracker.tracks
        )

    def _look(self, decode: Callable[[], Frame], now: float, busy: bool) -> Seen:
        begun = time.thread_time()
        try:
            return self._looked(decode, now, busy)
        finally:
            self.worked = time.thread_time() - begun

    def _looked(self, decode: Callable[[], Frame], now: float, busy: bool) -> Seen:
        with tracing.inner("decode"):
            sight = sight_of(decode())
        with tracing.inner("look"):
            tracks = self._tracker.follow(sight, now, self.share, busy)
            due = tracks if self._rhythm.due(now) else []
            looks = [look_at(sight, track, self.options.quality) for track in due]
        return Seen(
            now,
            sight.size,
            [replace(track) for track in tracks],
            looks,
            self.signatures(),
            self._tracker.crowded,
            self._rhythm.pace,
        )

    async def _collect(self, now: float, sampled: list[Look | Unseen]) -> None:
        looks = [look for look in sampled if isinstance(look, Look)]
        for unseen in sampled:
            if isinstance(unseen, Unseen) and unseen.track in self._evidence:
                self._evidence[unseen.track].unseen(now)
        for look in looks:
            self._on_look(look)
            self._evidence[look.track].saw(now, look.reasons)
        # Faces that the same members are to look at share a call; mostly that is all of them.
        together: dict[frozenset[str], list[Look]] = {}
        for look in looks:
            if not look.reasons:
                resting = self._evidence[look.track].resting(now, look.sight, self.share)
                together.setdefault(resting, []).append(look)
        answers = await all_of(
            [
                self._scorer.features(_stacked([look.crop for look in good]), resting)
                for resting, good in together.items()
            ]
        )
        for good, features in zip(together.values(), answers, strict=True):
            for row, look in enumerate(good):
                own = {member: values[row] for member, values in features.items()}
                points = look.landmarks.reshape(10)
                self._evidence[look.track].add(Sample(now, own, points, look.sight))
                self._newest[look.track] = (now, look)

    async def _score(self, now: float, tracks: list[Track]) -> None:
        due = [
            e
            for e in (self._evidence[track.id] for track in tracks)
            if e.score_due(now, self.share)
        ]
        windows = [evidence.window() for evidence in due]
        answers = await all_of([self._scorer.verdicts(*window) for window in windows])
        for evidence, (probability, members) in zip(due, answers, strict=True):
            evidence.scored(now, probability, members)

    def _forget(self, seen: Seen) -> None:
        for number in [number for number in self._evidence if number not in seen.signatures]:
            del self._evidence[number]
            self._newest.pop(number, None)
        for evidence in self._evidence.values():
            evidence.expire(seen.time, seen.pace)

    def _face(self, track: Track, seen: Seen) -> Face:
        evidence = self._evidence[track.id]
        verdict, reasons = evidence.verdict(seen.time, seen.pace)
        silent = verdict in ("gathering", "not_enough_evidence")
        return Face(
            track=track.id,
            box=fractions(track.box, seen.size),
            probability=None if silent else evidence.probability,
            verdict=verdict,
            samples=evidence.samples,
            reasons=reasons,
            members={} if silent else evidence.members,
            grounds=() if silent else evidence.grounds,
        )

    def _impatiently(self, faces: list[Face], seen: Seen) -> list[Face]:
        """``faces``; but where new ones are gathered for again and again and none is ever judged,
        it is said that there are too few pictures of each."""
        now = seen.time
        if faces:
            self._faces_at = now
        away = now - self._faces_at > max(_OUT_OF_SIGHT, 3 * seen.pace)
        if away or any(face.verdict != "gathering" for face in faces):
            self._gathering_since = None
        elif faces and self._gathering_since is None:
            self._gathering_since = now
        since = self._gathering_since
        if since is None or now - since <= GATHERING_SECONDS:
            return faces
        return [
            replace(face, verdict="not_enough_evidence", reasons=("too_few_pictures",))
            for face in faces
        ]

    async def _run(self, work: Callable[[], _T]) -> _T:
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        return await loop.run_in_executor(self._executor, context.run, work)


def _stacked(crops: list[Image]) -> NDArray[np.uint8]:
    """``crops`` as one array; a lone one without copying it."""
    return crops[0][None] if len(crops) == 1 else np.stack(crops)
