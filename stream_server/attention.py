"""How closely one face is looked at: closely while something happens, seldom once nothing does.

The rule, in shares of each member's own rate:

- a face without a score is looked at twice as often;
- from then on two fifths as often, and as long as nobody is sure of it: its window reaches back
  further than that of a new one, and tells no less;
- one that is called real, and whose scores have agreed with each other and with that for a while,
  is settled, and is looked at as seldom as ``settled`` says: a tenth as often;
- a fifth where it is called fake, so that no alarm is false for long; twice as often, either way,
  where it no longer looks as it did when it was looked at last, because it has moved, turned or
  been replaced;
- a face of which a look tells something else than those of a while before is looked at twice as
  often as its own rate for a moment, so that a change is confirmed, or found to be none, at once.
"""

from __future__ import annotations

import math

from stream_server.verdict import Verdict
from stream_server.vision.identity import likeness
from stream_server.vision.types import Floats

_NEW = 2.0  # several faces that come at once must not be more than the machine carries
_KNOWN = 0.4  # once there is a score
_FLAGGED = 2.0  # times as often as a settled face that is called real
_MOVED = 2.0  # times as often as another settled face
_SETTLING = 2.0  # seconds of agreement that make a face a settled one: a window's worth
_DIFFERS = 0.6  # in log odds: so far from the smoothed ones a score tells something else
_ALARM = 1.0  # seconds: a window is full of new looks by then
_SAME_SIGHT = 0.9  # likeness to what was looked at last, below which a face counts as moved
_EDGE = 1e-4  # keeps log odds finite


class Attention:
    """What was told of one face so far, and so how closely it is looked at.

    ``settled`` is the share of its own rate at which a member looks at a settled face: 1 turns all
    of this off but the haste of the beginning and of a change; lower is cheaper, and lets a change
    that does not show in the picture wait for longer.
    """

    def __init__(self, settled: float) -> None:
        if not 0 < settled <= 1:
            raise ValueError(f"settled is {settled}, must be above 0 and at most 1")
        self._settled = settled
        self._known = max(settled, _KNOWN)
        self._verdict: Verdict | None = None
        self._agreeing_since = math.inf
        self._alarmed_until = -math.inf
        self._sight: Floats | None = None

    def closeness(self, now: float, sight: Floats) -> float:
        """The factor on every member's rate at ``now`` for a face that looks like ``sight``, its
        signature (``vision.identity``)."""
        if self._verdict is None or now < self._alarmed_until:
            return _NEW
        if self._verdict == "unsure" or not self._calm(now):
            return self._known
        share = self._settled
        share *= _FLAGGED if self._verdict == "likely_fake" else 1.0
        share *= _MOVED if self._moved(sight) else 1.0
        return min(share, self._known)

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
