"""How far a scan is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Advance:
    """``share`` from 0 to 1, and the seconds that are left, if known; ``doing`` what is done first,
    if it is not the file that is looked at."""

    share: float
    left_s: float | None
    doing: str = ""


Progress = Callable[[Advance], None]


def ignored(advance: Advance) -> None:
    """For whom it is all the same."""


class Clock:
    """Turns the share that is done into an ``Advance`` for ``progress``."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun = time.monotonic()

    def __call__(self, share: float) -> None:
        elapsed = time.monotonic() - self._begun
        known = share >= 0.02 and elapsed > 0.5
        self._progress(Advance(share, elapsed * (1 - share) / share if known else None))
