"""The vote of single pictures: how it is fitted, where its lines lie, and how good it is.

On a single picture the members give other levels than on windows, and each knows other fakes: so
each counts by itself, as one-or-the-other, with a steepness and a level for pictures. Every maker's
fakes and every set of reals count alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from training.judge.evaluation import Judged
from training.judge.folds import FEW, Case, alike, cases_of, dealt
from training.judge.vote import Array, Vote, Voter
from training.judge.vote_fit import thresholds

MISSED = 0.05
"""Below the line for likely real lie fewer of the fakes of each maker, met before or not."""
WORTH = 0.3
"""Share of the reals below that line from which it is worth having."""


def fit_pictures(names: Sequence[str], odds: Array, cases: Sequence[Case]) -> Vote:
    """The vote of ``names`` on their log odds, ``[M, N]``, one column a case.

    Steepness and level of all are fitted together, by weighted likelihood; the line for likely fake
    lies where it lies for videos, every set of reals alike. Raises ``ValueError`` for one kind
    only.
    """
    weights = alike(cases)
    sign = np.array([1.0 if case.fake else 0.0 for case in cases])
    count = len(names)

    def loss(values: Array) -> float:
        sums = values[:count, None] * odds + values[count:, None]
        neither = -np.logaddexp(0, sums).sum(axis=0)
        fake = np.log(np.maximum(-np.expm1(neither), 1e-12))
        likelihood = float((weights * (sign * fake + (1 - sign) * neither)).mean())
        return -likelihood + 1e-2 * float((values[:count] ** 2).sum())

    start = np.repeat([1.0, -1.0], count)
    bounds = [(1e-3, 5)] * count + [(-10, 10)] * count
    found = minimize(loss, start, bounds=bounds).x
    voters = [
        Voter(name, float(found[place]), float(found[count + place]), kind="either")
        for place, name in enumerate(names)
    ]
    vote = Vote(tuple(voters), threshold_real=0.0)
    high, _ = thresholds(vote.probability(odds), sign > 0, weights=weights)
    return replace(vote, threshold_fake=high)


def with_pictures(
    vote: Vote, names: Sequence[str], judged: Mapping[str, Sequence[Judged]], folds: int = 5
) -> tuple[Vote, dict[str, Any]]:
    """``vote`` with one of its members ``names`` for the single pictures in ``judged``, by tiers,
    and its figures.

    A line for likely real is drawn only where it holds for makers that were never met, and lets
    enough of the reals pass. Raises ``ValueError`` for an unknown name, and where something is
    ``lacking``.
    """
    unknown = [name for name in names if name not in vote.names]
    if unknown:
        raise ValueError(f"pictures are judged by {', '.join(vote.names)}; asked for {names}")
    if missing := lacking(names, judged, folds):
        raise ValueError(f"no vote for single pictures: {missing}")
    cases = [case for case in cases_of(judged) if case.still]
    asked = [vote.names.index(name) for name in names]
    odds = vote.odds(np.stack([case.logits for case in cases], axis=1))[asked]
    low, figures = _judged(names, odds, cases, folds)
    found = fit_pictures(names, odds, cases)
    low = min(low, found.threshold_fake - 0.05)
    pictures = replace(found, threshold_real=round(max(low, 0.0), 4))
    return replace(vote, pictures=pictures), {"members": list(names), **figures}


def lacking(names: Sequence[str], judged: Mapping[str, Sequence[Judged]], folds: int = 5) -> str:
    """Why ``names`` and the single pictures in ``judged`` make no vote; empty where they do.

    A vote is judged on people and on makers that it was not fitted on: there must be others.
    """
    if not names:
        return "no member looks at a picture"
    cases = [case for case in cases_of(judged) if case.still]
    makers = {case.group for case in cases if case.fake}
    if len(makers) < 2:
        return (
            f"makers of fake pictures: {len(makers)}, and 2 are needed (those with fewer than "
            f"{FEW} pictures count as one)"
        )
    place = dealt([case.sample for case in cases], folds)
    for fake, kind in ((False, "real"), (True, "fake")):
        fold = {case.sample.video: place[case.sample.video] for case in cases if case.fake == fake}
        left = min(sum(one != number for one in fold.values()) for number in range(folds))
        if left < FEW:
            return (
                f"without the people of one of {folds} folds, {left} {kind} pictures are left, and "
                f"{FEW} are needed"
            )
    return ""


def _judged(
    names: Sequence[str], odds: Array, cases: Sequence[Case], folds: int
) -> tuple[float, dict[str, Any]]:
    """The line for likely real, 0 for none, and how good votes are that were fitted on other
    people, and, of each maker, on the fakes of others alone."""
    place = dealt([case.sample for case in cases], folds)
    fold = np.array([place[case.sample.video] for case in cases])
    fake = np.array([case.fake for case in cases])
    group = np.array([case.group for case in cases])
    met, unmet = np.full(len(cases), np.nan), np.full(len(cases), np.nan)
    passed, passed_unmet = np.zeros(len(cases), np.bool_), np.zeros(len(cases), np.bool_)

    def told(kept: NDArray[np.bool_], held: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
        rest = [case for case, one in zip(cases, kept, strict=True) if one]
        vote = fit_pictures(names, odds[:, kept], rest)
        values = vote.probability(odds)
        low = _clear(values[kept & fake], group[kept & fake])
        return (values - vote.threshold_fake)[held], (values <= low)[held]

    for number in range(folds):
        held = fold == number
        met[held], passed[held] = told(~held, held)
        for maker in sorted({*group[held & fake]}):
            of_maker = fake & (group == maker)
            rest = ~held & ~of_maker
            if (rest & fake).any():
                unmet[held & of_maker], passed_unmet[held & of_maker] = told(rest, held & of_maker)
    known = ~np.isnan(unmet)  # the others' makers were all of the people of one fold
    flagged = met >= 0
    weights = alike(cases)

    def share(hit: NDArray[np.bool_], kind: NDArray[np.bool_]) -> float:
        return float(weights[kind & hit].sum() / weights[kind].sum())

    def each(hit: NDArray[np.bool_], kind: NDArray[np.bool_]) -> dict[str, float]:
        return {name: float(hit[kind & (group == name)].mean()) for name in sorted({*group[kind]})}

    slipped = each(passed_unmet, fake & known)
    cleared = share(passed, ~fake)
    whole = fit_pictures(names, odds, cases).probability(odds)
    low = _clear(whole[fake], group[fake])
    judged_all = bool(known[fake].all())
    good = judged_all and max(slipped.values()) < MISSED and cleared >= WORTH
    return (low if good else 0.0), {
        "real": len({case.sample.video for case in cases if not case.fake}),
        "fake": len({case.sample.video for case in cases if case.fake}),
        "reals_flagged": share(flagged, ~fake),
        "reals_flagged_by_set": each(flagged, ~fake),
        "fakes_flagged": share(flagged, fake),
        "fakes_flagged_by_maker": each(flagged, fake),
        "fakes_flagged_by_unmet_maker": each(unmet >= 0, fake & known),
        "could_be_called_real": {"reals": cleared, "fakes_by_unmet_maker": slipped},
        "tiers": {
            tier: {"reals_flagged": share(flagged, ~fake & here),
                   "fakes_flagged": share(flagged, fake & here)}
            for tier in sorted({case.tier for case in cases})
            for here in [np.array([case.tier == tier for case in cases])]
        },
    }  # fmt: skip


def _clear(values: Array, makers: NDArray[np.str_]) -> float:
    """The line below which lies half of ``MISSED`` of each maker's fakes, or less: there is room
    for makers whose fakes lie lower."""
    ranked = [np.sort(values[makers == maker]) for maker in np.unique(makers)]
    return float(min(one[int(len(one) * MISSED / 2)] for one in ranked)) - 1e-9
