"""Which members look at a sample: some look less often than the stream samples.

A rate is a grid over the stream's own beats, counted from the beginning of its media time, and not
a pause since the last look: all faces fall due together, and nothing drifts. Serving and training
ask the same rule. How closely a face is looked at makes the grid finer or coarser for that face.
Of live streams each has its grid a few beats away from the others', so that streams that began
together, as after a restart, do not all want the networks in the same tenth of a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from stream_server.rhythm import Rhythm

SELDOM = 0.2
"""Looks a second that a member makes at least: what a verdict rests on must not be older than its
window of looks takes at this rate, however little time the machine has."""

_ROUNDING = 1e-6  # of a look: a rate such as a third has no exact number
_NOBODY: frozenset[str] = frozenset()


def looks_due(beat: int, rate: float, sample_hz: float) -> int:
    """How many looks of a member with ``rate`` a second are due before or at ``beat``, counted
    from 0: where this number changes is a look of its own."""
    return math.floor(beat * rate / sample_hz + _ROUNDING)


class Looks:
    """When each member that looks less often last saw one face.

    ``rates`` are looks a second, by member; a rate of ``sample_hz`` or more means every sample. A
    look that was due at a sample which could not be judged is made up for at the next one.
    ``phase`` is how many beats the grid lies before that of others.
    """

    def __init__(self, rates: Mapping[str, float], sample_hz: float, phase: int = 0) -> None:
        self._rates = {member: rate for member, rate in rates.items() if rate < sample_hz}
        self._sample_hz = sample_hz
        self._phase = phase
        self._rhythm = Rhythm(sample_hz)
        self._seen: dict[str, int] = {}  # the beats

    def resting(self, time: float, closeness: float = 1.0) -> frozenset[str]:
        """The members that leave a sample at ``time``, in seconds of media time, out.

        ``closeness`` is a factor on every rate: 2 for twice as many looks as a member's own. It
        brings none below ``SELDOM``.
        """
        if not self._rates:
            return _NOBODY
        beat = self._beat(time)
        return frozenset(
            member
            for member, rate in self._rates.items()
            if not self._due(member, beat, max(rate * closeness, min(rate, SELDOM)))
        )

    def saw(self, time: float, members: Iterable[str]) -> None:
        """Note that ``members`` have looked at the sample at ``time``."""
        beat = self._beat(time)
        self._seen.update((member, beat) for member in members if member in self._rates)

    def least(self, samples: int) -> dict[str, int]:
        """How many looks each of these members has in ``samples`` samples in a row; at least 1."""
        return {
            member: max(1, looks_due(samples, rate, self._sample_hz))
            for member, rate in self._rates.items()
        }

    def _beat(self, time: float) -> int:
        return self._rhythm.beat(time) + self._phase

    def _due(self, member: str, beat: int, rate: float) -> bool:
        seen = self._seen.get(member)
        if seen is None:
            return True
        return looks_due(beat, rate, self._sample_hz) > looks_due(seen, rate, self._sample_hz)
