"""Figures of merit over scores: AUC, EER, calibration, intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """The chance that a fake scores above a real, ties half; NaN where a class is missing."""
    truth, values = np.asarray(labels).astype(bool), np.asarray(scores, np.float64)
    fake, real = values[truth], np.sort(values[~truth])
    if not len(fake) or not len(real):
        return float("nan")
    below = np.searchsorted(real, fake, "left") + np.searchsorted(real, fake, "right")
    return float(below.sum() / (2 * len(fake) * len(real)))


def eer(labels: ArrayLike, scores: ArrayLike) -> float:
    """The error rate at the threshold where misses and false alarms are equally frequent."""
    truth, values = np.asarray(labels).astype(bool), np.asarray(scores, np.float64)
    fake, real = np.sort(values[truth]), np.sort(values[~truth])
    if not len(fake) or not len(real):
        return float("nan")
    cuts = np.unique(values)
    missed = np.searchsorted(fake, cuts, "left") / len(fake)
    alarms = 1 - np.searchsorted(real, cuts, "left") / len(real)
    best = int(np.argmin(np.abs(missed - alarms)))
    return float((missed[best] + alarms[best]) / 2)


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Mean precision over the fakes in the order of their scores."""
    truth, values = np.asarray(labels).astype(bool), np.asarray(scores, np.float64)
    if not truth.any():
        return float("nan")
    order = np.argsort(-values, kind="stable")
    hits = np.cumsum(truth[order])
    precision = hits / np.arange(1, len(values) + 1)
    return float(precision[truth[order]].mean())


def ece(
    labels: ArrayLike, probabilities: ArrayLike, bins: int = 10, weights: ArrayLike | None = None
) -> float:
    """Expected calibration error: the mean gap between probability and frequency, by bins.

    ``weights`` say how much each row counts; without them all count alike.
    """
    truth = np.asarray(labels, np.float64)
    values = np.asarray(probabilities, np.float64)
    share = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    place = np.minimum((values * bins).astype(int), bins - 1)
    gaps = np.bincount(place, share * (values - truth), minlength=bins)
    return float(np.abs(gaps).sum() / share.sum())


def ece_at_best(probabilities: ArrayLike, rounds: int = 500, seed: int = 0) -> float:
    """The ``ece`` that these probabilities get on average where they are exactly right.

    Few rows in ten bins never match their probabilities: an error about as high as this one tells
    nothing against the calibration (Broecker, "Estimating reliability", QJRMS 2012).
    """
    values = np.asarray(probabilities, np.float64)
    rng = np.random.default_rng(seed)
    return float(np.mean([ece(rng.random(len(values)) < values, values) for _ in range(rounds)]))


def calibration_figures(labels: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """``ece``, ``ece_alike`` and ``ece_at_best`` of the same rows.

    ``ece_alike`` lets the reals together count as much as the fakes together, as the calibration
    does: a set with more of one kind moves ``ece`` by that alone. It is left out for one kind only.
    """
    truth = np.asarray(labels, np.bool_)
    figures = {"ece": ece(truth, probabilities), "ece_at_best": ece_at_best(probabilities)}
    if truth.any() and not truth.all():
        alike = np.where(truth, 1 / truth.mean(), 1 / (~truth).mean())
        figures["ece_alike"] = ece(truth, probabilities, weights=alike)
    return figures


def interval(
    statistic: Callable[[NDArray[np.intp]], float], groups: Sequence[str],
    rounds: int = 1000, level: float = 0.95, seed: int = 0,
) -> tuple[float, float]:  # fmt: skip
    """Bootstrap interval of ``statistic`` (of row positions), drawing whole ``groups`` anew.

    ``groups`` names each row's video or source: rows of one video are not independent.
    """
    rng = np.random.default_rng(seed)
    members: dict[str, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    rows = [np.array(positions, np.intp) for positions in members.values()]
    values: list[float] = []
    for _ in range(rounds):
        chosen = rng.integers(len(rows), size=len(rows))
        value = statistic(np.concatenate([rows[number] for number in chosen]))
        if np.isfinite(value):
            values.append(value)
    if not values:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
