"""How closely one face is looked at: closely while something happens, seldom once nothing does.

The rule, in shares of each member's own rate:

- a face without a score is looked at twice as often;
- one whose scores have agreed with each other and with one verdict for a while is settled, and is
  looked at as seldom as ``settled`` says: a fifth as often;
- two fifths, where nobody is sure of it, or where it no longer looks as it did when it was looked
  at last, because it has moved, turned or been replaced;
- a settled face of which a look tells something else than the ones before is looked at twice as
  often as others for a moment, so that a change is confirmed, or found to be none, at once;
- any other face is looked at by each member's own rate.
"""

from __future__ import annotations

import math

from stream_server.verdict import Verdict
from stream_server.vision.identity import likeness
from stream_server.vision.types import Floats

_NEW = 2.0  # several faces that come at once must not be more than the machine carries
_OWN = 1.0
_DOUBTED = 2.0  # times as often as another settled face
_SETTLING = 2.0  # seconds of agreement that make a face a settled one: a window's worth
_DIFFERS = 0.9  # in log odds: so far from the smoothed ones a score tells something else
_ALARM = 1.5  # seconds: a window is full of new looks by then
_SAME_SIGHT = 0.9  # likeness to what was looked at last, below which a face counts as moved
_EDGE = 1e-4  # keeps log odds finite


class Attention:
    """What was told of one face so far, and so how closely it is looked at.

    ``settled`` is the share of its own rate at which a member looks at a settled face: 1 turns all
    of this off but the haste of the beginning; lower is cheaper, and lets a change that does not
    show in the picture wait for longer.
    """

    def __init__(self, settled: float) -> None:
        if not 0 < settled <= 1:
            raise ValueError(f"settled is {settled}, must be above 0 and at most 1")
        self._settled = settled
        self._verdict: Verdict | None = None
        self._agreeing_since = math.inf
        self._alarmed_until = -math.inf
        self._sight: Floats | None = None

    def closeness(self, now: float, sight: Floats) -> float:
        """The factor on every member's rate at ``now`` for a face that looks like ``sight``, its
        signature (``vision.identity``)."""
        if self._verdict is None or now < self._alarmed_until:
            return _NEW
        if not self._calm(now):
            return _OWN
        doubted = self._verdict == "unsure" or self._moved(sight)
        return min(self._settled * _DOUBTED, _OWN) if doubted else self._settled

    def looked(self, sight: Floats) -> None:
        """Note that it was looked at when its signature was ``sight``."""
        self._sight = sight

    def scored(self, now: float, probability: float, usual: float, verdict: Verdict) -> None:
        """Note a score of ``probability``, where those before came to ``usual``, smoothed, and
        the ``verdict`` that it led to."""
        differs = abs(_log_odds(probability) - _log_odds(usual)) > _DIFFERS
        if differs and self._calm(now):
            self._alarmed_until = now + _ALARM
        if differs or verdict != self._verdict:
            self._agreeing_since = now
        self._verdict = verdict

    def _calm(self, now: float) -> bool:
        return now - self._agreeing_since >= _SETTLING

    def _moved(self, sight: Floats) -> bool:
        return self._sight is None or likeness(sight, self._sight) < _SAME_SIGHT


def _log_odds(probability: float) -> float:
    clipped = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(clipped / (1 - clipped))
