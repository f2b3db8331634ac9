"""Fitting a vote and its thresholds on labelled logits.

Fitting weighs every video alike, and reals as much as fakes, so that a probability means the same
whatever the mixture of the dev set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from training.judge.vote import Array, Vote, Voter


def balanced(labels: NDArray[np.bool_], videos: Sequence[str]) -> Array:
    """Weights that make every video count alike and both classes as much; their mean is 1.

    Raises ``ValueError`` where there is one class only.
    """
    if labels.all() or not labels.any():
        kind = "real" if labels.all() else "fake"
        raise ValueError(f"only one class to calibrate on: no {kind} video")
    _, place, counts = np.unique(np.array(videos), return_inverse=True, return_counts=True)
    weights: Array = 1 / counts[place].astype(np.float64)
    for mask in (labels, ~labels):
        weights[mask] /= weights[mask].sum()
    result: Array = weights * len(weights) / weights.sum()
    return result


def fit_platt(logits: Array, labels: NDArray[np.bool_], weights: Array) -> tuple[float, float]:
    """Scale and shift of one member by weighted likelihood; the scale is never negative."""
    unit = max(float(logits.std()), 1e-9)  # the bounds and the pull must not depend on the unit

    def loss(values: Array) -> float:
        steep, shift = float(values[0]), float(values[1])
        return _loss(steep / unit * logits + shift, labels, weights) + 1e-3 * steep**2

    found = minimize(loss, np.array([1.0, 0.0]), bounds=[(1e-3, 20), (-20, 20)])
    return float(found.x[0]) / unit, float(found.x[1])


def fit_vote(
    names: Sequence[str],
    logits: Array,
    labels: NDArray[np.bool_],
    videos: Sequence[str],
    groups: Sequence[str] | None = None,
    still: NDArray[np.bool_] | None = None,
) -> Vote:
    """Platt per member, the weights of the vote, and its level; ``logits`` is ``[M, N]``.

    ``groups`` names each column's data set. The weights are fitted inside the sets that hold both
    kinds, each with a level of its own: between sets a member may tell sources apart and not
    fakes. The vote's own level and steepness are then fitted on the means of all videos. The
    weights are drawn towards 1/M: dev has too few videos to trust every difference. Columns marked
    ``still`` are single pictures: they count for the weights alone, since a verdict is about a
    window.
    """
    moving = np.ones(len(labels), np.bool_) if still is None or still.all() else ~still
    seen, of_video = labels[moving], np.array(videos)[moving].tolist()
    weights = balanced(seen, of_video)
    platt = [fit_platt(row[moving], seen, weights) for row in logits]
    calibrated = np.stack(
        [scale * row + shift for row, (scale, shift) in zip(logits, platt, strict=True)]
    )
    sets = np.array(groups if groups is not None else [""] * len(labels))
    shares = _shares(calibrated, labels, np.array(videos), sets)
    _, first, place = np.unique(of_video, return_index=True, return_inverse=True)
    means = np.bincount(place, shares @ calibrated[:, moving]) / np.bincount(place)
    steepness, bias = fit_platt(
        means, seen[first], balanced(seen[first], [str(n) for n in range(len(first))])
    )
    members = [
        Voter(name, scale, shift, float(share * steepness))
        for name, (scale, shift), share in zip(names, platt, shares, strict=True)
    ]
    return Vote(tuple(members), bias)


def join_either(
    vote: Vote, names: Sequence[str], logits: Array, labels: NDArray[np.bool_], weights: Array
) -> Vote:
    """``vote`` joined by the members ``names``, each as one-or-the-other.

    ``logits`` are those of the vote's members and then of ``names``, ``[M, N]``, one column a
    video. Level and steepness of the vote and of each new member are fitted together: by itself
    each answer would allow for all fakes, and any two such answers joined would be too high.
    """
    first = len(vote.members)
    sums = np.concatenate((vote.logit(logits[:first])[None], logits[first:]))
    units = np.maximum(sums.std(axis=1), 1e-9)
    sign = np.where(labels, 1.0, 0.0)

    def answers(values: Array) -> Array:
        steep, shift = values.reshape(2, -1)
        result: Array = (steep / units)[:, None] * sums + shift[:, None]
        return result

    def loss(values: Array) -> float:
        neither = -np.logaddexp(0, answers(values)).sum(axis=0)
        fake = np.log(np.maximum(-np.expm1(neither), 1e-12))
        likelihood = float((weights * (sign * fake + (1 - sign) * neither)).mean())
        return -likelihood + 1e-3 * float((values[: len(sums)] ** 2).sum())

    start = np.repeat([1.0, -1.0], len(sums))
    bounds = [(1e-3, 20)] * len(sums) + [(-20, 20)] * len(sums)
    steep, shift = minimize(loss, start, bounds=bounds).x.reshape(2, -1)
    steep = steep / units
    members = [replace(one, weight=one.weight * float(steep[0])) for one in vote.members]
    members += [
        Voter(name, float(steep[place]), float(shift[place]), kind="either")
        for place, name in enumerate(names, start=1)
    ]
    return replace(vote, members=tuple(members), bias=float(steep[0]) * vote.bias + float(shift[0]))


def by_groups(labels: NDArray[np.bool_], groups: Sequence[str], videos: Sequence[str]) -> Array:
    """Weights by the root of the number of videos of each group: a maker's fakes, a set's reals.

    Reals count as much as fakes; the mean is 1. Raises ``ValueError`` where there is one class
    only.
    """
    names, of = np.array(groups), np.array(videos)
    weights: Array = np.zeros(len(labels))
    for kind in (True, False):
        for name in np.unique(names[labels == kind]):
            mine = (labels == kind) & (names == name)
            weights[mine] = np.sqrt(len(np.unique(of[mine]))) / mine.sum()
        total = weights[labels == kind].sum()
        if not total:
            raise ValueError(f"only one class to fit on: no {'fake' if kind else 'real'} video")
        weights[labels == kind] /= total
    result: Array = weights * len(weights) / weights.sum()
    return result


def _shares(
    calibrated: Array, labels: NDArray[np.bool_], videos: NDArray[np.str_], sets: NDArray[np.str_]
) -> Array:
    """The members' weights, never negative, from within the sets that hold both kinds."""
    count = len(calibrated)
    if count == 1:
        return np.ones(1)
    mixed = [name for name in np.unique(sets) if len(np.unique(labels[sets == name])) == 2]
    used = np.isin(sets, mixed) if mixed else np.ones(len(labels), np.bool_)
    _, level = np.unique(sets[used], return_inverse=True)
    rows, kinds = calibrated[:, used], labels[used]
    # Every set counts alike, whatever its number of videos.
    weights = np.zeros(len(kinds))
    for number in range(int(level.max()) + 1):
        mine = level == number
        weights[mine] = balanced(kinds[mine], [str(name) for name in videos[used][mine]])
        weights[mine] /= weights[mine].sum()
    weights *= len(weights) / weights.sum()

    def loss(values: Array) -> float:
        pull = 0.05 * float(((values[:count] - 1 / count) ** 2).sum())
        return _loss(values[:count] @ rows + values[count:][level], kinds, weights) + pull

    start = np.concatenate((np.full(count, 1 / count), np.zeros(int(level.max()) + 1)))
    bounds = [(0, 5)] * count + [(-10, 10)] * (len(start) - count)
    found = minimize(loss, start, bounds=bounds)
    result: Array = found.x[:count]
    return result


def _loss(values: Array, labels: NDArray[np.bool_], weights: Array) -> float:
    signed = np.where(labels, -values, values)
    return float((weights * np.logaddexp(0, signed)).mean())


def thresholds(
    probability: Array,
    labels: NDArray[np.bool_],
    alarms: float = 0.0225,
    missed: float = 0.07,
    weights: Array | None = None,
) -> tuple[float, float]:
    """Where ``likely fake`` begins and ``likely real`` ends, from one probability per video.

    At most ``alarms`` of the real videos lie at or above the first, and at most ``missed`` of the
    fake ones at or below the second; ``weights`` say how much each counts, without them all count
    alike. Some of the 5 % of false alarms that is allowed is kept as room: scores shift on other
    sources, and a scan's score of a whole file lies a little above the mean of its windows.
    """
    share = np.ones(len(probability)) if weights is None else weights
    real, below_real = _ranked(probability[~labels], share[~labels])
    fake, below_fake = _ranked(probability[labels], share[labels])
    over = real[int((below_real < 1 - alarms).sum())]
    high = float(np.clip(over + 0.005, 0.55, 0.99))
    passed = int((below_fake <= missed).sum())
    under = fake[passed - 1] if passed else 0.0
    low = float(np.clip(under, 0.05, min(high - 0.05, 0.5)))
    return round(high, 4), round(low, 4)


def _ranked(values: Array, weights: Array) -> tuple[Array, Array]:
    """``values`` in rising order, and the share of the weight up to each of them."""
    order = np.argsort(values, kind="stable")
    up_to: Array = np.round(np.cumsum(weights[order]) / weights.sum(), 9)
    return values[order], up_to


def risk_coverage(probability: Array, labels: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """(coverage, error among the covered) when the least certain are left out one by one."""
    order = np.argsort(-np.abs(probability - 0.5), kind="stable")
    wrong = ((probability >= 0.5) != labels)[order]
    counts = np.arange(1, len(order) + 1)
    return [
        (float(count / len(order)), float(errors / count))
        for count, errors in zip(counts, np.cumsum(wrong), strict=True)
    ]
