"""The times of a live source: one clock through its jumps, its own speed, and falling behind."""

from __future__ import annotations

import math

_STEP_BACK = 0.5  # seconds: what comes this much earlier is another clock, not another order
_LEAP = 10.0  # seconds: as for a step ahead
CATCH_UP = 1.05
"""How fast lumps are played: each a little faster than it lasts."""

_LATE = 2.0  # seconds behind from which pictures are left out until it is caught up
_WINDOW = 2.0  # seconds over which waiting is added up
_IDLE = 0.01  # share of a window that has to be waited in if we are at the newest


class Timeline:
    """Makes one clock, from zero and never backwards, of what a source stamps its frames with.

    A jump (another programme, an encoder that was started anew) goes on one ``step`` later.
    """

    def __init__(self, step: float) -> None:
        self._step = step
        self._offset: float | None = None
        self.now = -math.inf

    def place(self, stamp: float | None) -> float | None:
        """The time of a frame with ``stamp``, both in seconds; ``None`` for one that comes late."""
        if stamp is None:
            stamp = (0.0 if self._offset is None else self.now + self._step) - (self._offset or 0)
        if self._offset is None:
            self._offset = -stamp
        time = self.peek(stamp)
        self._offset = time - stamp
        if time < self.now:
            return None
        self.now = time
        return time

    def peek(self, stamp: float) -> float:
        """What ``place`` would say, but for what comes late."""
        if self._offset is None:
            return 0.0
        time = stamp + self._offset
        if self.now > -math.inf and not -_STEP_BACK <= time - self.now <= _LEAP:
            return self.now + self._step
        return time


class Pace:
    """Plays what comes in lumps at its own speed, a little faster, so that it stays as near to the
    newest as the lumps allow: it waits at the end of each instead."""

    def __init__(self, speed: float = CATCH_UP) -> None:
        self._speed = speed
        self._start: tuple[float, float] | None = None  # media, clock

    def wait(self, time: float, now: float) -> float:
        """Seconds until the frame at media ``time`` is due; negative where it is late."""
        if self._start is None:
            self._start = (time, now)
        media, clock = self._start
        return clock + (time - media) / self._speed - now

    def waited(self, time: float, now: float) -> None:
        """The source had nothing until ``now``: media ``time`` is due at once."""
        self._start = (time, now)

    def behind(self, time: float, now: float) -> bool:
        """Whether we are so late that something has to be left out."""
        return self.wait(time, now) < -_LATE


class Backlog:
    """Whether a source that comes at its own speed has more waiting than we have read.

    Who is at the newest waits between two packets; who never waits is behind.
    """

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None  # media, clock
        self._waited = 0.0
        self.behind = False

    def took(self, waited: float, time: float, now: float) -> None:
        """A packet of media ``time`` came at ``now`` after ``waited`` seconds."""
        if self._began is None:
            self._began = (time, now)
        self._waited += waited
        window = max(now - self._began[1], time - self._began[0])
        if window >= _WINDOW:
            self.behind = self._waited < _IDLE * _WINDOW
            self._began, self._waited = (time, now), 0.0
