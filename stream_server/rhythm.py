"""Which frames of a medium are looked at: one rule for files, live streams and training."""

from __future__ import annotations

import math

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

    def due(self, time: float) -> bool:
        """Whether ``time``, in seconds, begins a new beat; ask once per frame, it takes it."""
        slot = self.beat(time)
        if slot <= self._slot:
            return False
        self._slot = slot
        return True

    def peek(self, time: float) -> bool:
        """Whether a frame at ``time`` would be due, without taking the beat."""
        return self.beat(time) > self._slot

    def reset(self) -> None:
        """Begin anew, as after a seek: the next frame may have any time."""
        self._slot = -1

    def beat(self, time: float) -> int:
        """The number of the beat that a frame at ``time`` stands for."""
        return math.floor(time * self.rate + _NEAR)
