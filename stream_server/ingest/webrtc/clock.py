"""Media time from RTP timestamps, and which frames are due."""

from __future__ import annotations

from dataclasses import dataclass

RATE = 90_000  # RTP clock of all video codecs (RFC 6184, RFC 7741)
_LONGEST_STEP = 10 * RATE  # a longer pause, or a step back, is another recording


@dataclass(frozen=True)
class Tick:
    """Where a frame stands: ``media_time`` in seconds, and whether to analyse it."""

    media_time: float
    due: bool
    jumped: bool


class MediaClock:
    """Seconds since the first frame; ``per_second`` frames of them are due.

    A higher ``per_second`` makes boxes move more smoothly and costs tracking; samples for the
    verdict are taken at the server's own rate in any case.
    """

    def __init__(self, per_second: float) -> None:
        self._step = RATE / per_second
        self._last: int | None = None
        self._time = 0
        self._next = 0.0

    def tick(self, pts: int) -> Tick:
        """The next frame, ``pts`` in units of 1/90000 s on the sender's clock."""
        jumped = False
        if self._last is not None:
            step = pts - self._last
            jumped = not 0 <= step <= _LONGEST_STEP
            self._time += 0 if jumped else step
        self._last = pts
        if jumped:
            self._next = self._time
        # A frame may come early by half a beat; the rhythm goes on from where it was due.
        due = self._time >= self._next - self._step / 2
        if due:
            self._next = max(self._next + self._step, self._time + self._step / 2)
        return Tick(self._time / RATE, due, jumped)
