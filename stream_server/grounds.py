"""What a verdict rests on: which member spoke for it, which against it, and how much each counted.

The vote adds the members' log odds, each times its weight, and a bias; that sum gives p. Members of
kind ``either``, with probabilities q of their own, join by 1 - (1 - p)(1 - q). Both can be taken
apart without a rest. The bias belongs to the weights it was fitted with, so each member of the sum
has a part of it by its weight. What the others lift the result's log odds by is theirs, by
- log(1 - q). All parts add up to the log odds of the probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

_EDGE = 1e-4  # keeps the logit finite
BIAS, WEIGHT = "bias", "weight_"


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
    """How the members' answers make one; without members it explains nothing."""

    looks_at: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    bias: float = 0.0
    either: frozenset[str] = frozenset()

    @classmethod
    def of(cls, repository: _Repository) -> Voting:
        """By the vote's config: ``bias`` and ``weight_<member>``; 0 and 1 where it has none.

        Raises ``ValueError`` for one that is no number.
        """
        told = repository.parameters
        weights = {
            member: float(told.get(WEIGHT + member, 1.0))
            for member in repository.looks_at
            if member not in repository.either
        }
        bias = float(told.get(BIAS, 0.0))
        return cls(repository.looks_at, weights, bias, repository.either)

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
            name: w * (math.log(members[name] / (1 - members[name])) + self.bias / total)
            for name, w in weights.items()
            if w
        }
        joined = sum(parts.values())
        own = {name: -math.log1p(-members[name]) for name in self.either if name in members}
        if own:
            # 1 - p is 1 / (1 + e^s), and what either member leaves of it is what is left.
            neither = -math.log1p(math.exp(joined)) - sum(own.values())
            lift = math.log(-math.expm1(neither)) - neither - joined
            parts |= {name: lift * part / sum(own.values()) for name, part in own.items()}
        return parts


def _clipped(probability: float) -> float:
    return min(max(probability, _EDGE), 1 - _EDGE)
