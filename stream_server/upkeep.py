"""Whether a stream is analysed as often as it should be."""

from __future__ import annotations

from collections import deque

_SPAN = 3.0  # seconds that are looked back on
_KEEPS_UP = 0.9  # of the frames that should be analysed
_LEAST_SHARE = 0.1


class Upkeep:
    """Counts what comes and what is analysed, over the last few seconds.

    ``wanted`` is how many frames a second are to be analysed where as many come. Times are in
    seconds of one clock.
    """

    def __init__(self, wanted: float) -> None:
        self._wanted = wanted
        self._came: deque[float] = deque()
        self._analysed: deque[float] = deque()
        self._since: float | None = None

    def came(self, now: float) -> None:
        """A frame came that could be analysed."""
        self._since = now if self._since is None else self._since
        self._came.append(now)
        _forget(self._came, now)

    def analysed(self, now: float) -> None:
        """One was."""
        self._analysed.append(now)
        _forget(self._analysed, now)

    def failed(self) -> None:
        """One was not, for another reason than time, which counts for nothing here."""
        if self._came:
            self._came.popleft()

    def rate(self, now: float) -> float:
        """Frames analysed a second, of late."""
        _forget(self._analysed, now)
        return len(self._analysed) / self._span(now)

    def behind(self, now: float) -> bool:
        """Whether clearly fewer are analysed than should be."""
        _forget(self._came, now)
        due = min(len(self._came), self._wanted * self._span(now))
        # One may be in hand.
        return self.rate(now) * self._span(now) < _KEEPS_UP * due - 1

    def share(self, now: float) -> float:
        """What part of the frames that should be is analysed, 1 unless it is clearly fewer."""
        if not self.behind(now):
            return 1.0
        due = min(len(self._came), self._wanted * self._span(now))
        return max(self.rate(now) * self._span(now) / due, _LEAST_SHARE)

    def _span(self, now: float) -> float:
        elapsed = _SPAN if self._since is None else now - self._since
        return min(max(elapsed, 1.0), _SPAN)


def _forget(times: deque[float], now: float) -> None:
    while times and now - times[0] > _SPAN:
        times.popleft()
