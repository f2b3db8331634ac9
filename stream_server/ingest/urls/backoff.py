"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST, CAP = 1.0, 5.0  # seconds; a source that is back is soon watched, as one incident still


class Backoff:
    """Doubles from one second to five, with jitter, so that many readers of one server
    that comes back do not all come at once."""

    def __init__(self, draw: random.Random | None = None) -> None:
        self._draw = draw or random.Random()
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait after one more failure: between half of the step and all of it."""
        step = min(FIRST * 2.0 ** min(self._failures, 16), CAP)
        self._failures += 1
        return step * self._draw.uniform(0.5, 1.0)

    def reset(self) -> None:
        """It worked: begin anew."""
        self._failures = 0
