"""From the verdicts on a stream's faces to incidents: when one opens, goes on, and closes.

An incident opens with ``likely_fake``, which the verdict itself has confirmed and holds on to. It
closes when its face has been judged otherwise, or has not been seen, for a while; time in which
nothing is seen at all, because the source is away, does not count, up to a limit. So a reconnect,
a cut to another picture or a restart of the server leaves one incident and not two.

Seconds of ``now`` are the clock's (Unix), ``media`` the stream's own. Nothing here waits or
writes: what changed is handed back, to be written down.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stream_server.stream import Face
from stream_server.vision.association import iou
from stream_server.vision.identity import likeness
from stream_server.vision.types import Floats

_NAMESPACE = uuid.UUID("7b0f2a3e-3c5d-4a7e-9f51-5d5f0c7c9a10")
_JUDGED = ("likely_real", "unsure", "likely_fake")
_STEP = 1.0  # seconds: two looks further apart stand for no more than this
_ALIKE = 0.5  # as faces are told apart within a shot, but moments later
_OVERLAP = 0.3
_POINTS = 240  # of a timeline: about as many as a person can see side by side
_ASTRAY = 60.0  # seconds between the stream's time and the clock's that no lag explains

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Patience:
    """When an incident is over.

    ``quiet`` seconds in which its face is seen and not suspicious; ``lost`` seconds in which the
    stream shows and its face is not seen or cannot be judged; ``gap`` seconds without any picture.
    More of each makes fewer and longer incidents. ``back``: how long before the verdict its
    beginning may lie, in seconds; a window looks back that far.
    """

    quiet: float = 2.0
    lost: float = 5.0
    gap: float = 45.0
    back: float = 2.0


@dataclass(frozen=True)
class Stretch:
    """An incident as it stands; the fields are those of ``store.tables.Incident``."""

    id: str
    monitor: str
    track: int
    opened_at: float
    media_start_s: float
    media_end_s: float
    peak: float
    mean: float
    samples: int
    suspicious_at: float
    box: Box
    members: Mapping[str, float]
    timeline: tuple[tuple[float, float], ...] = ()
    closed_at: float | None = None

    def grown(self, face: Face, now: float, media: float) -> Stretch:
        """With one more suspicious look at its face."""
        probability = face.probability or 0.0
        count = self.samples + 1
        return replace(
            self,
            media_end_s=self._media_end(now, media),
            peak=max(self.peak, probability),
            members=dict(face.members) if probability > self.peak else self.members,
            mean=self.mean + (probability - self.mean) / count,
            samples=count,
            suspicious_at=now,
            box=face.box,
            timeline=self._longer(now, probability),
        )

    def _longer(self, now: float, probability: float) -> tuple[tuple[float, float], ...]:
        """The timeline with one more look: the highest of each second, and of longer spans as the
        incident grows."""
        span = max(1.0, (now - self.opened_at) / _POINTS)
        *before, (last, highest) = self.timeline or ((now, probability),)
        if now - last >= span:
            before, last, highest = [*before, (last, highest)], now, probability
        kept = before if len(before) < 2 * _POINTS else before[::2]
        return (*kept, (last, round(max(highest, probability), 4)))

    def shifted(self, seconds: float) -> Stretch:
        """The same by a clock that was set by so much."""
        return replace(
            self,
            opened_at=self.opened_at + seconds,
            suspicious_at=self.suspicious_at + seconds,
            timeline=tuple((at + seconds, probability) for at, probability in self.timeline),
        )

    def closed(self) -> Stretch:
        """Over when it was last suspicious."""
        return replace(self, closed_at=self.suspicious_at)

    def _media_end(self, now: float, media: float) -> float:
        """``media``, unless the stream has begun to count anew: then by the clock."""
        by_clock = self.media_start_s + now - self.opened_at
        astray = media < self.media_end_s or abs(media - by_clock) > _ASTRAY
        return max(by_clock, self.media_end_s) if astray else media


@dataclass(eq=False)
class _Open:
    stretch: Stretch
    track: int | None  # None while its face is not followed
    quiet: float = 0.0
    lost: float = 0.0
    looks: Floats | None = None
    alone: bool = False  # whether its face was the only one


@dataclass
class _Beginning:
    """Since when a track has not been judged real."""

    now: float
    media: float


class Incidents:
    """The open incidents of one monitor.

    ``run`` tells one run of the monitor from another, so that both number their tracks;
    ``former`` are those that an earlier run left open.
    """

    def __init__(
        self,
        monitor: str,
        run: int,
        patience: Patience | None = None,
        former: Iterable[Stretch] = (),
    ) -> None:
        self._monitor = monitor
        self._run = run
        self._patience = patience or Patience()
        self._open = [_Open(stretch, None, alone=True) for stretch in former]
        self._beginnings: dict[int, _Beginning] = {}
        self._looked: float | None = None

    @property
    def open(self) -> list[Stretch]:
        """Those that are open, as they stand."""
        return [one.stretch for one in self._open]

    def look(
        self,
        now: float,
        media: float,
        faces: Sequence[Face],
        signatures: Mapping[int, Floats] | None = None,
    ) -> list[Stretch]:
        """Take in the verdicts on one picture; returns what opened or closed.

        ``signatures`` are the faces' looks by track, as ``Stream.signatures`` gives them.
        """
        step = 0.0 if self._looked is None else min(max(now - self._looked, 0.0), _STEP)
        self._looked = now
        signatures = signatures or {}
        changed = self.away(now)
        followed = {face.track: face for face in faces}
        for one in self._open:
            if one.track not in followed:
                one.track = None
        for face in faces:
            if face.verdict == "likely_fake":
                looks = signatures.get(face.track)
                changed += self._suspect(now, media, face, len(faces) == 1, looks)
        self._note_beginnings(now, media, faces)
        return changed + self._end_quiet(step, followed)

    def away(self, now: float) -> list[Stretch]:
        """Close what has been without a picture for too long; to be called now and then."""
        limit = self._patience.gap
        return self._close([one for one in self._open if now - one.stretch.suspicious_at > limit])

    def shift(self, seconds: float) -> None:
        """The clock was set by so much: what is under way lasts as long as it did."""
        for one in self._open:
            one.stretch = one.stretch.shifted(seconds)
        for beginning in self._beginnings.values():
            beginning.now += seconds
        if self._looked is not None:
            self._looked += seconds

    def cut(self) -> None:
        """The stream begins anew, as after a reconnect: no track goes on."""
        for one in self._open:
            one.track = None
        self._beginnings.clear()
        self._looked = None

    def close(self) -> list[Stretch]:
        """Close all, as when the monitor is paused."""
        return self._close(list(self._open))

    def _suspect(
        self, now: float, media: float, face: Face, alone: bool, looks: Floats | None
    ) -> list[Stretch]:
        one = next((one for one in self._open if one.track == face.track), None)
        one = one or self._returned(face, alone, looks)
        opened: list[Stretch] = []
        if one is None:
            one = _Open(self._begin(now, media, face), face.track)
            self._open.append(one)
            opened.append(one.stretch)
        else:
            one.stretch = one.stretch.grown(face, now, media)
        one.track, one.quiet, one.lost, one.looks = face.track, 0.0, 0.0, looks
        one.alone = alone
        return opened

    def _begin(self, now: float, media: float, face: Face) -> Stretch:
        since = self._beginnings.get(face.track, _Beginning(now, media))
        before = min(now - since.now, max(media - since.media, 0.0), self._patience.back)
        start = media - before
        name = f"{self._monitor}/{self._run}/{face.track}/{start:.3f}"
        probability = face.probability or 0.0
        return Stretch(
            id=uuid.uuid5(_NAMESPACE, name).hex,
            monitor=self._monitor,
            track=face.track,
            opened_at=now - before,
            media_start_s=start,
            media_end_s=media,
            peak=probability,
            mean=probability,
            samples=1,
            suspicious_at=now,
            box=face.box,
            members=dict(face.members),
            timeline=((now, round(probability, 4)),),
        )

    def _returned(self, face: Face, alone: bool, looks: Floats | None) -> _Open | None:
        """The open incident whose face went out of sight and is most probably this one."""
        best, found = 0.0, None
        for one in self._open:
            if one.track is not None:
                continue
            alike = 0.0 if looks is None or one.looks is None else likeness(looks, one.looks)
            overlap = _overlap(one.stretch.box, face.box)
            same = alike >= _ALIKE or overlap >= _OVERLAP or (alone and one.alone)
            if same and alike + overlap >= best:
                best, found = alike + overlap, one
        return found

    def _note_beginnings(self, now: float, media: float, faces: Sequence[Face]) -> None:
        kept = {face.track: face for face in faces if face.verdict != "likely_real"}
        self._beginnings = {
            track: self._beginnings.get(track, _Beginning(now, media)) for track in kept
        }

    def _end_quiet(self, step: float, followed: Mapping[int, Face]) -> list[Stretch]:
        taken = {one.track for one in self._open}
        # A face that has yet to be judged may be the one that is missed.
        hope = any(f.verdict == "gathering" and f.track not in taken for f in followed.values())
        over = []
        for one in self._open:
            face = None if one.track is None else followed[one.track]
            if face is None:
                one.lost += 0.0 if hope else step
            elif face.verdict not in _JUDGED:
                one.lost += step
            elif face.verdict != "likely_fake":
                one.quiet += step
            if one.quiet >= self._patience.quiet or one.lost >= self._patience.lost:
                over.append(one)
        return self._close(over)

    def _close(self, over: list[_Open]) -> list[Stretch]:
        self._open = [one for one in self._open if one not in over]
        return [one.stretch.closed() for one in over]


def _overlap(first: Box, second: Box) -> float:
    boxes = np.array([first, second], np.float32)
    boxes[:, 2:] += boxes[:, :2]
    return float(iou(boxes[:1], boxes[1:])[0, 0])
