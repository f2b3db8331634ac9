"""Whether a client's media time can be what it says, held against when its frames come."""

from __future__ import annotations

from statistics import median

_LOOK = 5.0  # seconds of arrivals that are judged together
_FRAMES = 5  # at least, in that time
_JUMP = 10.0  # usual steps: what goes further is a jump, and says nothing about the pace
_FASTEST = 64.0  # players go up to 16 times; a thousand times is milliseconds taken for seconds


class ClockWatch:
    """Notes each frame's media time and arrival, both in seconds, and says what cannot be.

    Playing faster or slower, pauses and jumps are all right: only a clock that stands still while
    frames come, or runs away from them, is not.
    """

    def __init__(self) -> None:
        self._begun: float | None = None
        self._last = 0.0
        self._steps: list[float] = []

    def reset(self) -> None:
        """Begin anew, as after a seek or a pause."""
        self._begun = None

    def note(self, media_time: float, arrived: float) -> str | None:
        """What is wrong with the clock, in words; ``None`` where nothing is or too little was
        seen."""
        if self._begun is None or media_time < self._last:
            self._begin(media_time, arrived)
            return None
        self._steps.append(media_time - self._last)
        self._last = media_time
        waited, frames = arrived - self._begun, len(self._steps)
        if waited < _LOOK or frames < _FRAMES:
            return None
        usual = median(self._steps)
        passed = sum(min(step, _JUMP * usual) for step in self._steps)
        self._begin(media_time, arrived)
        if passed < waited / _FASTEST:
            return (
                f"media_time moved by {passed:.3g} s while {frames} frames came in {waited:.3g} s;"
                " it is the time in the video, in seconds. Send pause where the video stands"
            )
        if passed > waited * _FASTEST:
            return (
                f"media_time moved by {passed:.6g} s while {frames} frames came in {waited:.3g} s;"
                " it is in seconds"
            )
        return None

    def _begin(self, media_time: float, arrived: float) -> None:
        self._begun, self._last, self._steps = arrived, media_time, []
