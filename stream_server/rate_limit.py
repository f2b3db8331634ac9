"""How often something may happen: a burst passes, a steady excess does not."""

from __future__ import annotations

import time
from collections.abc import Callable


class RateLimit:
    """A token bucket of one second: ``per_second`` at once, and as many in each second after."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self._clock = clock
        self._room = float(per_second)
        self._last = clock()

    def allows(self) -> bool:
        """Whether it may happen once more now; counts it if so."""
        now = self._clock()
        self._room = min(self._room + (now - self._last) * self.per_second, self.per_second)
        self._last = now
        if self._room < 1:
            return False
        self._room -= 1
        return True
