"""Figures of what folds judged: inside sets, across sets, the worst of these, what is decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.judge.folds import FLAGGED, Case, Verdicts, alike
from training.judge.metrics import auc, ece
from training.judge.vote import Array


def figures(verdicts: Verdicts, tier: str) -> dict[str, Any]:
    """Figures of one tier.

    ``sets``: AUC inside each data set with both kinds; ``makers``: each maker's fakes, of however
    few videos, against all reals, every set of reals counting alike; ``cross``: reals of each set
    (rows) against each maker's fakes, small ones together; ``mean`` and ``worst`` are over those
    cross figures, videos against videos and pictures against pictures. ``caught``: fakes above the
    score that leaves 2 % of reals above it, by makers alike. ``called``: shares by the folds'
    thresholds. ``ece``: reals and fakes alike.
    """
    result: dict[str, Any] = {}
    for kind, still in (("videos", False), ("pictures", True)):
        places = [
            place
            for place, case in enumerate(verdicts.cases)
            if case.tier == tier and case.still == still
        ]
        cases = [verdicts.cases[place] for place in places]
        if {case.fake for case in cases} != {True, False}:
            continue
        result[kind] = _of_kind(
            cases, verdicts.score[places], verdicts.probability[places], verdicts.called[places]
        )
    return result


def _of_kind(
    cases: Sequence[Case], values: Array, probability: Array, called: NDArray[np.int8]
) -> dict[str, Any]:
    fake = np.array([case.fake for case in cases])
    group = np.array([case.group for case in cases])
    dataset = np.array([case.sample.dataset for case in cases])
    method = np.array([case.sample.method for case in cases])
    reals, makers = sorted(set(group[~fake])), sorted(set(group[fake]))

    def against(real: str, chosen: NDArray[np.bool_]) -> float:
        return auc(*_two(values[~fake & (group == real)], values[chosen]))

    cross = {
        real: {maker: against(real, fake & (group == maker)) for maker in makers} for real in reals
    }
    every = [(value, f"{real} / {maker}") for real, row in cross.items()
             for maker, value in row.items()]  # fmt: skip
    lowest, where = min(every)
    weights = alike(cases)
    order = np.argsort(-values[~fake], kind="stable")
    over = np.cumsum(weights[~fake][order]) / weights[~fake].sum()
    bound = values[~fake][order][int(np.searchsorted(over, FLAGGED))]
    sets = [name for name in sorted(set(dataset)) if len(set(fake[dataset == name])) == 2]

    def share(mask: NDArray[np.bool_], hit: NDArray[np.bool_]) -> float:
        return float(weights[mask & hit].sum() / weights[mask].sum())

    return {
        "real": int((~fake).sum()),
        "fake": int(fake.sum()),
        "sets": {name: auc(fake[dataset == name], values[dataset == name]) for name in sets},
        "makers": {
            maker: float(np.mean([against(real, fake & (method == maker)) for real in reals]))
            for maker in sorted(set(method[fake]))
        },
        "cross": cross,
        "mean": float(np.mean([value for value, _ in every])),
        "worst": {"auc": lowest, "where": where},
        "caught": share(fake, values > bound),
        "caught_by_maker": {
            maker: float((values[fake & (group == maker)] > bound).mean()) for maker in makers
        },
        "called": {
            "reals_flagged": share(~fake, called == 1),
            "fakes_caught": share(fake, called == 1),
            "fakes_called_real": share(fake, called == -1),
            "decided": float((called != 0).mean()),
        },
        "ece": ece(fake, probability, weights=weights),
    }


def _two(low: Array, high: Array) -> tuple[Array, Array]:
    return np.r_[np.zeros(len(low)), np.ones(len(high))], np.r_[low, high]
