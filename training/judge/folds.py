"""Members and their joint votes judged on dev by folds over people.

A vote and its thresholds that are fitted on the videos they are judged on look better than they
are. So the people of dev are dealt out into folds, and each fold is judged by a vote fitted on the
others. Reals of each data set stand against fakes of every other, because sets that hold one kind
alone say nothing by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.shards import SWAPS, Sample
from training.data.splits import families
from training.judge.evaluation import Judged
from training.judge.vote import Array, Vote
from training.judge.vote_fit import fit_vote, join_either, thresholds

FLAGGED = 0.02  # share of reals at which caught fakes are counted
FEW = 5  # videos or pictures from which on a set of reals or a maker stands for itself
OTHERS = "others"  # what the smaller ones are called together


@dataclass(frozen=True)
class Case:
    """One video or picture under one tier of delivery, with the members' mean logits ``[M]``.

    ``group`` is the maker of a fake, the data set of a real, or ``OTHERS`` for a small one.
    """

    sample: Sample
    tier: str
    still: bool
    logits: Array
    group: str

    @property
    def fake(self) -> bool:
        """Whether it is labelled fake."""
        return self.sample.label == "fake"


@dataclass(frozen=True)
class Verdicts:
    """Cases judged by votes that saw none of their people.

    ``probability`` ``[N]`` is by the fold's own vote; ``score`` is its logit brought to one level
    over all folds, for ranking; ``called`` says likely fake (1), likely real (-1) or unsure (0).
    """

    cases: tuple[Case, ...]
    probability: Array
    score: Array
    called: NDArray[np.int8]


def cases_of(judged: Mapping[str, Sequence[Judged]]) -> list[Case]:
    """Each video of each tier with the mean of its windows' logits."""
    every = [(tier, one) for tier, rows in judged.items() for one in rows]
    sizes: dict[tuple[bool, bool, str], set[str]] = {}
    for _, one in every:
        sizes.setdefault((one.fake, one.still, _name(one.sample)), set()).add(one.sample.video)
    return [
        Case(
            one.sample,
            tier,
            one.still,
            one.logits.mean(axis=1),
            _name(one.sample)
            if len(sizes[one.fake, one.still, _name(one.sample)]) >= FEW
            else OTHERS,
        )
        for tier, one in every
    ]


def _name(sample: Sample) -> str:
    return sample.method if sample.label == "fake" else sample.dataset


def dealt(samples: Sequence[Sample], folds: int, seed: int = 0) -> dict[str, int]:
    """The fold of each video: all that share a person in one, each data set spread over all."""
    family = families(samples)
    first: dict[str, tuple[str, str]] = {}
    for sample in samples:
        first.setdefault(family[sample.video], (sample.dataset, sample.label))

    def order(name: str) -> tuple[tuple[str, str], bytes]:
        return first[name], hashlib.sha256(f"{seed}:{name}".encode()).digest()

    place = {name: number % folds for number, name in enumerate(sorted(first, key=order))}
    return {video: place[name] for video, name in family.items()}


def by_folds(
    names: Sequence[str],
    cases: Sequence[Case],
    members: Sequence[str],
    either: Sequence[str] = (),
    swaps: Sequence[str] = SWAPS,
    folds: int = 5,
    seed: int = 0,
) -> Verdicts:
    """Judge ``cases`` by the vote of ``members``, fold by fold over people.

    ``names`` are those of the logits' rows. The members ``either`` join as one-or-the-other; the
    others are then weighed on the fakes of the data sets ``swaps`` alone, as ``calibrate`` does.
    Raises ``ValueError`` for a name that is not there and for folds without both kinds.
    """
    unknown = [name for name in (*members, *either) if name not in names]
    if unknown or not members:
        raise ValueError(
            f"members are {', '.join(names)}; asked for {', '.join(unknown) or 'none'}"
        )
    rows = [list(names).index(name) for name in (*members, *either)]
    place_of = dealt([case.sample for case in cases], folds, seed)
    fold = np.array([place_of[case.sample.video] for case in cases])
    logits = np.stack([case.logits for case in cases], axis=1)[rows]
    whole, *_ = _fitted(members, either, swaps, cases, logits)
    probability, score = np.zeros(len(cases)), np.zeros(len(cases))
    called = np.zeros(len(cases), np.int8)
    for number in range(folds):
        held = fold == number
        if not held.any():
            continue
        rest = [case for case, mine in zip(cases, held, strict=True) if not mine]
        vote, high, low = _fitted(members, either, swaps, rest, logits[:, ~held])
        probability[held] = vote.probability(logits[:, held])
        called[held] = (probability[held] >= high).astype(np.int8) - (probability[held] <= low)
        # Votes of different folds differ in level, which would look like a worse ranking.
        here, there = (_level(one, logits[:, ~held]) for one in (vote, whole))
        centred = here - here.mean()
        spread = float(centred @ centred)
        steep = float(centred @ there) / spread if spread > 1e-9 else 1.0
        score[held] = steep * (_level(vote, logits[:, held]) - here.mean()) + there.mean()
    return Verdicts(tuple(cases), probability, score, called)


def _fitted(
    members: Sequence[str],
    either: Sequence[str],
    swaps: Sequence[str],
    cases: Sequence[Case],
    logits: Array,
) -> tuple[Vote, float, float]:
    """The vote of ``members`` and ``either``, in the order of the rows of ``logits``, and where
    likely fake begins and likely real ends."""
    fake = np.array([case.fake for case in cases])
    still = np.array([case.still for case in cases])
    moving = ~still if not still.all() else np.ones(len(cases), np.bool_)
    used = [case for case, one in zip(cases, moving, strict=True) if one]
    weights = alike(used)
    asked = np.array(
        [not (either and case.fake and case.sample.dataset not in swaps) for case in cases]
    )
    weighed = [case for case, one in zip(cases, asked, strict=True) if one]
    vote = fit_vote(
        members,
        logits[: len(members), asked],
        fake[asked],
        [f"{case.sample.video} {case.tier}" for case in weighed],
        [case.sample.dataset for case in weighed],
        still[asked],
    )
    if either:
        vote = join_either(vote, either, logits[:, moving], fake[moving], weights)
    high, low = thresholds(
        vote.probability(logits[:, moving]), fake[moving], FLAGGED, weights=weights
    )
    return vote, high, low


def _level(vote: Vote, logits: Array) -> Array:
    """The vote's log odds, kept from the infinite."""
    result: Array = np.clip(vote.logit(logits), -14, 14)
    return result


def alike(cases: Sequence[Case]) -> Array:
    """Weights that make every set of reals, and every maker's fakes, count alike, and reals
    together as much as fakes together; their mean is 1. Raises ``ValueError`` for one kind only."""
    groups: dict[tuple[bool, str], list[int]] = {}
    for place, case in enumerate(cases):
        groups.setdefault((case.fake, case.group), []).append(place)
    kinds = [kind for kind, _ in groups]
    if len(set(kinds)) < 2:
        raise ValueError("only one kind to weigh: reals and fakes are needed")
    weights = np.zeros(len(cases))
    for (kind, _), places in groups.items():
        weights[places] = 1 / (kinds.count(kind) * len(places))
    result: Array = weights * len(weights) / weights.sum()
    return result
