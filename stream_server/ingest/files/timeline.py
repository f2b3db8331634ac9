"""When each picture of a medium is shown: the clock that everything else goes by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HELD = 0.75
"""Seconds from which a picture counts as held: nothing can be followed over such a step."""

_LOOKS_AT_HELD = 2.0  # seconds of a held picture that are looked at; more shows nothing new
_GAP = 10.0  # seconds without a new picture that people are told of


@dataclass(frozen=True)
class Timeline:
    """``times`` is float64 ``[n]``, rising, in seconds from the first picture; ``end`` is when the
    last one is no longer shown."""

    times: NDArray[np.float64]
    end: float

    @property
    def rate(self) -> float:
        """Pictures per second where the picture moves; 0 for a single one."""
        steps = np.diff(self.times)
        moving = steps[steps < HELD]
        chosen = moving if len(moving) else steps
        total = float(chosen.sum())
        return len(chosen) / total if total > 0 else 0.0

    @property
    def holds(self) -> bool:
        """Whether pictures are held: slides, or a screen on which nothing happens."""
        return bool(len(self.times) > 1 and (self._shown() >= HELD).any())

    def shown(self, time: float) -> float:
        """How long the picture of ``time`` stays, in seconds."""
        place = int(np.searchsorted(self.times, time + 1e-3))
        following = float(self.times[place]) if place < len(self.times) else self.end
        return max(following - time, 0.0)

    def holds_at(self, time: float) -> bool:
        """Whether the picture of ``time`` is held."""
        return len(self.times) > 1 and self.shown(time) >= HELD

    def looks_at_held(self, time: float, rate: float) -> Iterator[float]:
        """The further moments at which a player that shows ``rate`` pictures a second would still
        show the picture of ``time``, for as long as looking again makes sense."""
        until = min(time + _LOOKS_AT_HELD, time + self.shown(time) - 0.5 / rate)
        count = math.floor((until - time) * rate + 1e-6)
        return (time + number / rate for number in range(1, count + 1))

    def samples(self, rate: float) -> int:
        """How many samples reading it at ``rate`` per second gives."""
        beats = len(np.unique(np.floor(self.times * rate + 0.25)))
        if len(self.times) < 2:
            return beats
        held = np.minimum(self._shown(), _LOOKS_AT_HELD)
        return beats + int((held[held >= HELD] * rate).sum())

    def holds_pictures(self, start: float, end: float) -> bool:
        """Whether a picture begins from ``start`` to before ``end``."""
        first, last = np.searchsorted(self.times, (start, end))
        return bool(first < last)

    def gaps(self) -> list[tuple[float, float]]:
        """From when to when no new picture comes, where that is long enough to be told."""
        steps = np.diff(self.times)
        return [
            (float(self.times[i]), float(self.times[i + 1])) for i in np.flatnonzero(steps > _GAP)
        ]

    def occupied(self, moments: NDArray[np.float64]) -> NDArray[np.float64]:
        """From seconds of what there is to look at, the long holds cut short, to media times."""
        if not len(self.times):
            return moments
        steps = np.minimum(self._shown(), _LOOKS_AT_HELD)
        filled = np.concatenate(([0.0], np.cumsum(steps)))
        edges = np.concatenate((self.times, [self.end]))
        return np.asarray(np.interp(moments, filled, edges), np.float64)

    @property
    def occupied_seconds(self) -> float:
        """Seconds of what there is to look at."""
        return float(np.minimum(self._shown(), _LOOKS_AT_HELD).sum())

    def _shown(self) -> NDArray[np.float64]:
        return np.asarray(np.diff(self.times, append=max(self.end, self.times[-1])), np.float64)
