"""When a delivery that failed is tried again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

_HOUR = 3600.0
# The example of the Standard Webhooks specification, which spans three days; before its five
# minutes more often, because an alert is about what happens now.
_DELAYS: tuple[float, ...] = (
    5.0,
    10.0,
    20.0,
    40.0,
    80.0,
    300.0,
    0.5 * _HOUR,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
)
_DELAYS += (14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
_LONGEST = 24 * _HOUR


@dataclass(frozen=True)
class Schedule:
    """``delays`` are the seconds after the first, second, … failed attempt.

    Each is drawn out or cut short by up to ``jitter`` of itself, so that those who failed together
    do not come back together. ``patience`` is the number of attempts for which a delivery that the
    receiver answers with an error holds up those behind it.
    """

    delays: tuple[float, ...] = _DELAYS
    jitter: float = 0.2
    patience: int = 6
    random: random.Random = field(default_factory=random.Random, compare=False)

    @property
    def span(self) -> float:
        """Seconds from the first attempt to the last, without jitter."""
        return sum(self.delays)

    def next_delay(self, attempts: int, asked: float | None = None) -> float | None:
        """Seconds to wait after ``attempts`` failed ones, ``None`` to give up.

        ``asked`` is what the receiver asks for; more than a day is not granted.
        """
        if attempts > len(self.delays):
            return None
        delay = self.delays[attempts - 1] * self.random.uniform(1 - self.jitter, 1 + self.jitter)
        return max(delay, min(asked or 0.0, _LONGEST))


def retry_after(header: str | None, now: float | None = None) -> float | None:
    """Seconds that a ``Retry-After`` header (RFC 9110, 10.2.3) asks to wait, if it says so."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return float(text) if len(text) < 12 else _LONGEST
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(moment - (time.time() if now is None else now), 0.0)
