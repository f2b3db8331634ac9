"""Which frames of a medium are looked at: one rule for files, live streams and training."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

_RECENT = 5  # steps that the pace is taken from
_NEAR = 0.25  # of a beat: a frame that comes this much early stands for the beat


class Rhythm:
    """``rate`` beats a second of media time, counted from zero.

    Of the frames that come near a beat or after it the first is due; a beat that no frame comes
    for is left out, and the later ones stay where they are. One rule for every way in, so that a
    file gives the same samples wherever it is read.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._slot = -1
        self._pace = Pace()

    @property
    def pace(self) -> float:
        """Seconds from one frame that was due to the next, of late; at least those of a beat."""
        return max(self._pace.seconds, 1 / self.rate)

    def due(self, time: float) -> bool:
        """Whether ``time``, in seconds, begins a new beat; ask once per frame, it takes it."""
        slot = self.beat(time)
        if slot <= self._slot:
            return False
        self._slot = slot
        self._pace.note(time)
        return True

    def peek(self, time: float) -> bool:
        """Whether a frame at ``time`` would be due, without taking the beat."""
        return self.beat(time) > self._slot

    def reset(self) -> None:
        """Begin anew, as after a seek: the next frame may have any time."""
        self._slot = -1
        self._pace = Pace()

    def beat(self, time: float) -> int:
        """The number of the beat that a frame at ``time`` stands for."""
        return math.floor(time * self.rate + _NEAR)


class Pace:
    """How far apart pictures come, whatever was asked for: what is judged over a number of pictures
    takes longer where they are few."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._steps: deque[float] = deque(maxlen=_RECENT)

    @property
    def seconds(self) -> float:
        """The middle one of the last steps, so that a single pause changes nothing. 0 before there
        are two."""
        return median(self._steps) if len(self._steps) > 1 else 0.0

    def note(self, time: float) -> None:
        """A picture at ``time``, in seconds."""
        if self._last is not None:
            self._steps.append(time - self._last)
        self._last = time
