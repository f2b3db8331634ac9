"""What a verdict rests on: which member spoke for it, which against it, and how much each counted.

The vote adds the members' log odds, each times its weight, and a bias; that sum gives p. Members of
kind ``either``, with probabilities q of their own, join by 1 - (1 - p)(1 - q). Both can be taken
apart without a rest. The bias belongs to the weights it was fitted with, so each member of the sum
has a part of it by its weight. What the others lift the result's log odds by is theirs, by
- log(1 - q). All parts add up to the log odds of the probability.

Single pictures are judged by a vote of their own on the same members' answers: theirs lie at other
levels than those of windows, and other fakes are met among them. Its parameters stand in the same
config and begin with ``picture_``; the networks know nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

EDGE = 1e-4
"""Members that are surer than this count as just this sure: it keeps their log odds finite."""
_LEAST = 1e-300
"""A probability of less counts as this much, for the same reason."""
BIAS, WEIGHT = "bias", "weight_"
PICTURES = "picture_"
"""What the parameters of the vote of single pictures begin with."""
SCALE, SHIFT = PICTURES + "scale_", PICTURES + "shift_"
"""Steepness and level of a member's answer in it."""
LINES = "threshold_fake", "threshold_real"
"""Where verdicts begin."""


@dataclass(frozen=True)
class Ground:
    """One member's part in a verdict.

    ``looks_at`` is what it looks at (``stream_server.engine.members``). ``share`` is its part of
    all that counted: above 0 it spoke for manipulation, below 0 against; the shares of all members
    add up to 1, their signs left aside.
    """

    member: str
    looks_at: str
    share: float

    def as_json(self) -> dict[str, object]:
        return {"member": self.member, "looks_at": self.looks_at, "share": round(self.share, 3)}


class _Repository(Protocol):
    @property
    def looks_at(self) -> Mapping[str, str]: ...
    @property
    def either(self) -> frozenset[str]: ...
    @property
    def parameters(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Voting:
    """How the members' answers make one; without members it explains nothing.

    The log odds of a member of ``either`` count times the first and plus the second number of
    ``levels``, as they are where it has none.
    """

    looks_at: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    bias: float = 0.0
    either: frozenset[str] = frozenset()
    levels: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, repository: _Repository) -> Voting:
        """By the vote's config: ``bias`` and ``weight_<member>``; 0 and 1 where it has none.

        Raises ``ValueError`` for one that is no finite number.
        """
        told = repository.parameters
        weights = {
            member: _number({WEIGHT + member: "1", **told}, WEIGHT + member)
            for member in repository.looks_at
            if member not in repository.either
        }
        bias = _number({BIAS: "0", **told}, BIAS)
        return cls(repository.looks_at, weights, bias, repository.either)

    @classmethod
    def of_pictures(cls, repository: _Repository) -> Voting | None:
        """The vote of single pictures by the same config; ``None`` where it has none.

        Each member with a ``picture_scale_`` and a ``picture_shift_`` counts by itself; the others
        have no say. Raises ``ValueError`` naming a parameter that is no usable number, that is
        missing, or that is of no member.
        """
        told = {
            key: text for key, text in repository.parameters.items() if key.startswith(PICTURES)
        }
        levels = {
            name: (_number(told, SCALE + name, 0.0), _number(told, SHIFT + name))
            for name in repository.looks_at
            if SCALE + name in told or SHIFT + name in told
        }
        known = {start + name for name in levels for start in (SCALE, SHIFT)}
        if levels:
            known |= {PICTURES + line for line in LINES}
        for key, text in told.items():
            if key not in known:
                raise ValueError(f"{key} is {text!r}, and no member that judges pictures has one")
        if not levels:
            return None
        return cls(repository.looks_at, either=frozenset(levels), levels=levels)

    def probability(self, members: Mapping[str, float]) -> float:
        """What ``members``, each with the probability it gives, come to."""
        parts = self._parts({name: _clipped(value) for name, value in members.items()})
        return math.exp(-_softplus(-sum(parts.values())))

    def grounds(self, members: Mapping[str, float]) -> tuple[Ground, ...]:
        """What ``members``, each with the probability it gives, come to; what counted most is
        first. Empty where nothing counted."""
        parts = self._parts({name: _clipped(value) for name, value in members.items()})
        whole = sum(abs(part) for part in parts.values())
        if whole == 0:
            return ()
        found = [
            Ground(name, self.looks_at.get(name, name), part / whole)
            for name, part in parts.items()
        ]
        return tuple(sorted(found, key=lambda ground: -abs(ground.share)))

    def _parts(self, members: Mapping[str, float]) -> dict[str, float]:
        """Each member's part of the result's log odds."""
        weights = {name: w for name, w in self.weights.items() if name in members}
        total = sum(weights.values())
        parts = {
            name: w * (_log_odds(members[name]) + self.bias / total)
            for name, w in weights.items()
            if w
        }
        joined = sum(parts.values()) if parts else -math.inf
        own = {
            name: _softplus(self._own(name, _log_odds(members[name])))
            for name in self.either
            if name in members
        }
        if own:
            # 1 - p is 1 / (1 + e^s), and what either member leaves of it is what is left; without
            # a sum there is no p.
            whole = sum(own.values())
            neither = min(-_softplus(joined) - whole, -_LEAST)
            lift = math.log(-math.expm1(neither)) - neither - (joined if parts else 0.0)
            parts |= {
                name: lift * (part / whole if whole else 1 / len(own)) for name, part in own.items()
            }
        return parts

    def _own(self, name: str, odds: float) -> float:
        """The log odds of a member that counts by itself, as they count."""
        scale, shift = self.levels.get(name, (1.0, 0.0))
        return scale * odds + shift


def _number(told: Mapping[str, str], key: str, above: float = -math.inf) -> float:
    """The parameter ``key``. Raises ``ValueError`` unless it is a finite number over ``above``."""
    if key not in told:
        raise ValueError(f"the vote's parameters have no {key}")
    try:
        value = float(told[key])
    except ValueError:
        value = math.nan
    if not above < value < math.inf:
        limit = f" above {above:g}" if math.isfinite(above) else ""
        raise ValueError(f"{key} is {told[key]!r}, must be a finite number{limit}")
    return value


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _softplus(odds: float) -> float:
    """- log(1 - p) of the probability p that has these log odds."""
    return max(odds, 0.0) + math.log1p(math.exp(-abs(odds)))


def _clipped(probability: float) -> float:
    return min(max(probability, EDGE), 1 - EDGE)
