"""From a window's probability to what a person is told.

A verdict that flickers is not believed, and one that is too sure is worse than none. So the
probability is smoothed over time, a verdict is left only well inside the next one's range, and
where there is little to go on the answer is that there is little to go on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from stream_server.grounds import LINES, PICTURES, Voting

Verdict = Literal["gathering", "not_enough_evidence", "likely_real", "unsure", "likely_fake"]
_EDGE = 1e-4  # keeps the logit finite


@dataclass(frozen=True)
class VerdictPolicy:
    """Where the lines are drawn.

    ``fake`` and ``real``: a smoothed probability at or above ``fake`` is likely fake, at or below
    ``real`` likely real, in between unsure. Raising ``fake`` raises fewer false alarms and misses
    more fakes. ``margin``: how far back across its line, in probability, a verdict must go before
    it is taken back. ``settle``: seconds until the smoothing has followed two thirds of a change.
    ``confirmations``: scores in a row that must ask for ``likely_fake`` before it is said.
    ``voting``: how the members' answers make one, to say what a verdict rests on.
    ``clears``: whether anything is called likely real; without it what lies below is unsure.
    """

    fake: float
    real: float
    margin: float = 0.05
    settle: float = 1.0
    confirmations: int = 2
    voting: Voting = field(default_factory=Voting)
    clears: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.real < self.fake < 1:
            raise ValueError(f"thresholds must be 0 <= real {self.real} < fake {self.fake} < 1")

    @property
    def lines(self) -> tuple[float, float]:
        """``fake`` and ``real``, the second 0 where nothing is called likely real."""
        return self.fake, self.real if self.clears else 0.0

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, str], voting: Voting | None = None
    ) -> VerdictPolicy:
        """The lines that the model repository was calibrated for.

        ``parameters`` are the vote's, with ``threshold_fake`` and ``threshold_real``. Raises
        ``ValueError`` where one is missing or no number between 0 and 1.
        """
        fake, real = (_line(parameters, name) for name in LINES)
        return cls(fake, real, voting=voting or Voting())

    @classmethod
    def of_pictures(cls, parameters: Mapping[str, str], voting: Voting) -> VerdictPolicy:
        """The lines for single pictures, which have a vote of their own, ``voting``.

        As ``from_parameters``, but the names begin with ``picture_``; without a
        ``picture_threshold_real`` no picture is called likely real.
        """
        fake, real = (PICTURES + name for name in LINES)
        clears = real in parameters
        low = _line(parameters, real) if clears else 0.0
        return cls(_line(parameters, fake), low, voting=voting, clears=clears)


def _line(parameters: Mapping[str, str], name: str) -> float:
    if name not in parameters:
        raise ValueError(f"the vote's parameters have no {name}")
    try:
        value = float(parameters[name])
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {parameters[name]!r}, must be a number in 0 to 1")
    return value


class VerdictFilter:
    """Smooths the scores of one track and decides; one instance a track."""

    def __init__(self, policy: VerdictPolicy) -> None:
        self.policy = policy
        self._logit: float | None = None
        self._time = 0.0
        self._fake_in_a_row = 0
        self._verdict: Verdict = "gathering"

    @property
    def verdict(self) -> Verdict:
        """The verdict after the last score; ``gathering`` before the first, and after it too where
        that is to be confirmed."""
        return self._verdict

    @property
    def probability(self) -> float | None:
        """The smoothed probability, ``None`` before the first score."""
        return None if self._logit is None else 1 / (1 + math.exp(-self._logit))

    def update(self, probability: float, media_time: float) -> Verdict:
        """Take in a score of 0 to 1 at ``media_time`` seconds and return the verdict.

        Raises ``ValueError`` for a probability that is not one.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"a probability of {probability}")
        clipped = min(max(probability, _EDGE), 1 - _EDGE)
        new = math.log(clipped / (1 - clipped))
        if self._logit is None:
            self._logit = new
        else:
            elapsed = max(media_time - self._time, 0.0)
            self._logit += (1 - math.exp(-elapsed / self.policy.settle)) * (new - self._logit)
        self._time = media_time
        self._verdict = self._decide(1 / (1 + math.exp(-self._logit)))
        return self._verdict

    def _decide(self, smooth: float) -> Verdict:
        policy = self.policy
        fake_line = policy.fake - (policy.margin if self._verdict == "likely_fake" else 0)
        real_line = policy.real + (policy.margin if self._verdict == "likely_real" else 0)
        if smooth >= fake_line:
            self._fake_in_a_row += 1
            # A single odd window must not raise an alarm. Until it is confirmed there is no answer
            # on a new face, and on another the answer is that we are not sure.
            if self._verdict == "likely_fake" or self._fake_in_a_row >= policy.confirmations:
                return "likely_fake"
            return "gathering" if self._verdict == "gathering" else "unsure"
        self._fake_in_a_row = 0
        return "likely_real" if policy.clears and smooth <= real_line else "unsure"
