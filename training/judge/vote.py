"""The calibrated vote of several members, as it is fitted, kept, exported and reported.

A member's calibrated logit is ``scale * logit + shift`` (Platt, "Probabilistic outputs for support
vector machines", 1999); its sigmoid is the member's own probability. The vote adds the calibrated
logits of the members of kind ``weight``, each times a weight that is never negative, and a bias:
they ask the same question, and the sigmoid p of the sum is their answer. A member of kind
``either`` asks another one, for example whether a face was generated as a whole. With its own
probability q the face is fake where one or the other holds: 1 - (1 - p)(1 - q).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from stream_server.atomic import write_text
from stream_server.grounds import BIAS, EDGE, PICTURES, SCALE, SHIFT, WEIGHT
from training.models.contract import Kind

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Voter:
    """One member's part in the vote; ``weight`` is for the kind ``weight`` alone."""

    name: str
    scale: float = 1.0
    shift: float = 0.0
    weight: float = 1.0
    kind: Kind = "weight"


@dataclass(frozen=True, slots=True)
class Vote:
    """All members' parts, and where verdicts begin.

    ``members`` stand in the order of ``MEMBER_PROBABILITY``. At ``threshold_fake`` and above a
    face is likely fake, at ``threshold_real`` and below likely real, and unsure in between.
    ``pictures`` is the vote of single pictures, of members that each count by themselves; its
    inputs are what ``odds`` gives, and with a ``threshold_real`` of 0 it calls none likely real.

    Raises ``ValueError`` for no members, a name twice, an unknown kind, a number that is not
    finite, or thresholds that are not 0 <= real <= fake <= 1.
    """

    members: tuple[Voter, ...]
    bias: float = 0.0
    threshold_fake: float = 0.8
    threshold_real: float = 0.3
    pictures: Vote | None = None

    def __post_init__(self) -> None:
        names = self.names
        if not names or len(set(names)) != len(names):
            raise ValueError(f"the vote needs members with names of their own, got {names}")
        for one in self.members:
            if one.kind not in get_args(Kind):
                raise ValueError(f"{one.name} is of kind {one.kind!r}, must be weight or either")
        numbers = [(one.scale, one.shift, one.weight) for one in self.members]
        if not np.isfinite([self.bias, *np.ravel(numbers)]).all():
            raise ValueError(
                f"the vote's numbers must be finite, got {list(self.members)}, bias {self.bias}"
            )
        if self.pictures is not None and not {*self.pictures.names} <= {*names}:
            raise ValueError(f"pictures are judged by {self.pictures.names}, of {names}")
        if not 0 <= self.threshold_real <= self.threshold_fake <= 1:
            raise ValueError(
                "the thresholds must be 0 <= real <= fake <= 1, "
                f"are {self.threshold_real} and {self.threshold_fake}"
            )

    @property
    def names(self) -> list[str]:
        """The members' names, in their order."""
        return [one.name for one in self.members]

    def check_members(self, names: Iterable[str]) -> None:
        """Raise ``ValueError`` where ``names`` are not those of the members, in their order."""
        given = list(names)
        if given != self.names:
            raise ValueError(f"the calibration is for {', '.join(self.names)}, not for {given}")

    def logit(self, logits: Array) -> Array:
        """Members' logits ``[M, N]`` to the log odds of the vote's probability, ``[N]``."""
        scale = np.array([[one.scale] for one in self.members])
        shift = np.array([[one.shift] for one in self.members])
        weight = np.array([[one.weight * (one.kind == "weight")] for one in self.members])
        calibrated = logits * scale + shift
        weighed: Array = (calibrated * weight).sum(axis=0) + self.bias
        either = calibrated[[one.kind == "either" for one in self.members]]
        if not len(either):
            return weighed
        # log (1 - p)(1 - q) of each, exactly where p or q are next to 0 or 1
        sums = either if len(either) == len(logits) else np.concatenate((weighed[None], either))
        neither = -np.logaddexp(0, sums).sum(axis=0)
        neither = np.minimum(neither, -1e-300)
        result: Array = np.log(-np.expm1(neither)) - neither
        return result

    def probability(self, logits: Array) -> Array:
        """Members' logits ``[M, N]`` to probabilities ``[N]``."""
        return sigmoid(self.logit(logits))

    def odds(self, logits: Array) -> Array:
        """Members' logits ``[M, N]`` to the log odds of MEMBER_PROBABILITY, kept from the infinite
        as the server keeps them."""
        scale = np.array([[one.scale] for one in self.members])
        shift = np.array([[one.shift] for one in self.members])
        edge = float(np.log((1 - EDGE) / EDGE))
        result: Array = np.clip(logits * scale + shift, -edge, edge)
        return result

    def of_pictures(self, logits: Array) -> Array:
        """Members' logits of single pictures ``[M, N]`` to probabilities ``[N]``."""
        if self.pictures is None:
            return self.probability(logits)
        asked = [self.names.index(name) for name in self.pictures.names]
        return self.pictures.probability(self.odds(logits)[asked])

    def alone(self, name: str) -> Vote:
        """The vote with ``name`` as the one member that counts, with its own calibration."""
        members = tuple(
            replace(one, weight=float(one.name == name), kind="weight") for one in self.members
        )
        return replace(self, members=members, bias=0.0, pictures=None)

    def parameters(self) -> dict[str, str]:
        """The thresholds, and how the members are weighed, as string parameters of the vote's
        config, which the server reads: by the latter it says what a verdict rests on."""
        weights = {
            WEIGHT + one.name: f"{one.weight:.6g}" for one in self.members if one.kind == "weight"
        }
        return {
            "threshold_fake": f"{self.threshold_fake:g}",
            "threshold_real": f"{self.threshold_real:g}",
            BIAS: f"{self.bias:.6g}",
            **weights,
            **({} if self.pictures is None else picture_parameters(self.pictures)),
        }

    def save(self, path: Path, figures: Mapping[str, object]) -> None:
        """Write the vote as JSON, and the figures that it was chosen by beside it."""
        write_text(path, json.dumps({**asdict(self), "figures": figures}, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> Vote:
        """What ``save`` wrote. Raises ``FileNotFoundError`` or ``ValueError`` naming the file."""
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; the calibrate step writes it")
        try:
            facts = json.loads(path.read_text())
            return _read(facts)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is no calibration: {error}") from error


def picture_parameters(vote: Vote) -> dict[str, str]:
    """The vote of single pictures as parameters of the config."""
    found = {PICTURES + "threshold_fake": f"{vote.threshold_fake:g}"}
    if vote.threshold_real:
        found[PICTURES + "threshold_real"] = f"{vote.threshold_real:g}"
    for one in vote.members:
        found |= {SCALE + one.name: f"{one.scale:.6g}", SHIFT + one.name: f"{one.shift:.6g}"}
    return found


def _read(facts: Mapping[str, Any]) -> Vote:
    members = tuple(Voter(**one) for one in facts["members"])
    lines = facts["threshold_fake"], facts["threshold_real"]
    pictures = facts.get("pictures")
    return Vote(members, facts["bias"], *lines, _read(pictures) if pictures else None)


def sigmoid(values: Array) -> Array:
    """Log odds to probabilities, of any shape; no overflow for extreme ones."""
    result: Array = 1 / (1 + np.exp(-np.clip(values, -60, 60)))
    return result
