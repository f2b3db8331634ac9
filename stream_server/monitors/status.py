"""How a monitor stands, in the words of the HTTP interface."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from stream_server.ingest.urls.source import Kind, SourceState

State = Literal["connecting", "watching", "stalled", "paused", "failed"]

_STATES: dict[Kind, State] = {
    "connecting": "connecting",
    "playing": "watching",
    "silent": "watching",
    "stalled": "stalled",
    "frozen": "stalled",
    "black": "stalled",
    "ended": "failed",
    "failed": "failed",
}
_WORDS: dict[Kind, str] = {
    "silent": "the sound is gone",
    "stalled": "no picture comes",
    "frozen": "the picture stands still",
    "black": "the picture is black",
    "ended": "the stream has ended",
    "failed": "the stream cannot be read",
}
#: Nothing in these pictures speaks for or against a face.
BLIND: frozenset[Kind] = frozenset({"stalled", "frozen", "black"})
_MINUTES = 300.0  # seconds of probabilities that are kept
_LAG_WEIGHT = 0.2
_LONG_ENOUGH = 10.0  # seconds over which pictures are counted
_MOST = 0.6  # of the pictures


@dataclass
class Status:
    """``since``: Unix seconds of the last change of ``state`` or ``reason``. ``faces`` are those of
    the newest picture as in a ``verdict`` message, ``lag_s`` is from a picture's arrival to its
    verdict, smoothed; ``None`` where nothing is watched."""

    state: State
    reason: str
    since: float
    faces: list[dict[str, Any]] = field(default_factory=list)
    lag_s: float | None = None

    def become(self, state: State, reason: str, now: float) -> bool:
        """Whether that is a change."""
        if (state, reason) == (self.state, self.reason):
            return False
        self.state, self.reason, self.since = state, reason, now
        if state != "watching":
            self.faces, self.lag_s = [], None
        return True

    def follow(self, source: SourceState, now: float) -> bool:
        """Stand as the source does; whether that is a change."""
        words = source.reason or _WORDS.get(source.kind, "")
        return self.become(_STATES[source.kind], words, now)

    def saw(self, faces: list[dict[str, Any]], lag: float) -> None:
        """Take in the verdicts on a picture; ``lag`` in seconds."""
        self.faces = faces
        self.lag_s = lag if self.lag_s is None else self.lag_s + _LAG_WEIGHT * (lag - self.lag_s)


class Throughput:
    """Whether most of the pictures that come are analysed. A machine with too much to do leaves
    some out, and then its verdicts are later and rest on less. ``now`` is in monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._since = (now, 0, 0)

    def problem(self, received: int, analysed: int, now: float) -> str | None:
        """What is wrong, empty where nothing is, from the pictures so far; ``None`` where it is too
        early to say."""
        since, received_then, analysed_then = self._since
        if now - since < _LONG_ENOUGH:
            return None
        self._since = (now, received, analysed)
        came = (received - received_then) / (now - since)
        rate = (analysed - analysed_then) / (now - since)
        if rate >= _MOST * came:
            return ""
        return f"this machine is too busy: {rate:.1f} of {came:.1f} pictures a second are analysed"


class Timeline:
    """The highest probability of each second of the last minutes, in memory only."""

    def __init__(self) -> None:
        self._points: deque[tuple[int, float]] = deque()

    def add(self, now: float, probabilities: list[float]) -> None:
        """Note what was found at ``now``, Unix seconds; a second without a judged face has none."""
        second = int(now)
        highest = max(probabilities, default=None)
        if highest is None:
            return
        if self._points and self._points[-1][0] == second:
            highest = max(highest, self._points.pop()[1])
        self._points.append((second, highest))
        while self._points[0][0] < second - _MINUTES:
            self._points.popleft()

    def shift(self, seconds: float) -> None:
        """The clock was set by so much."""
        self._points = deque((at + round(seconds), value) for at, value in self._points)

    def as_json(self) -> list[list[float]]:
        """Pairs of Unix seconds and probability."""
        return [[second, round(value, 4)] for second, value in tuple(self._points)]
