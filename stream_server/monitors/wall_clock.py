"""The time of day, and by how much it was set while we looked away.

What lasts is measured by it all the same: times are written down that outlive a run, and pictures
are stamped in other processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_SLEWED = 5.0  # seconds: what is corrected bit by bit between two looks stays below


def _since_start() -> float:
    """Seconds that a set clock does not change. Those of a machine that slept count, where the
    system tells them: that is time that has passed."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class WallClock:
    """``wall`` gives Unix seconds, ``steady`` seconds since any moment."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = _since_start,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()

    def now(self) -> float:
        """Unix seconds by the clock as it was at the last ``jumped``."""
        return self._steady() + self._offset

    def jumped(self) -> float:
        """Seconds by which the clock was set since this was last asked, negative for back; 0 where
        it was not."""
        offset = self._wall() - self._steady()
        by, self._offset = offset - self._offset, offset
        return by if abs(by) > _SLEWED else 0.0
