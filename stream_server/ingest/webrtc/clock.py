"""Media time from RTP timestamps, and which frames are due."""

from __future__ import annotations

from dataclasses import dataclass

from stream_server.rhythm import Rhythm

RATE = 90_000  # RTP clock of all video codecs (RFC 6184, RFC 7741)
_LONGEST_STEP = 10 * RATE  # a longer pause, or a step back, is another recording


@dataclass(frozen=True)
class Tick:
    """Where a frame stands: ``media_time`` in seconds, and whether to analyse it."""

    media_time: float
    due: bool
    jumped: bool


class MediaClock:
    """Seconds since the first frame; ``per_second`` frames of them are due, in the rhythm that
    samples are taken in everywhere."""

    def __init__(self, per_second: float) -> None:
        self._rhythm = Rhythm(per_second)
        self._last: int | None = None
        self._time = 0

    def tick(self, pts: int) -> Tick:
        """The next frame, ``pts`` in units of 1/90000 s on the sender's clock."""
        jumped = False
        if self._last is not None:
            step = pts - self._last
            jumped = not 0 <= step <= _LONGEST_STEP
            self._time += 0 if jumped else step
        self._last = pts
        if jumped:
            self._rhythm.reset()
        time = self._time / RATE
        return Tick(time, self._rhythm.due(time), jumped)
