"""A linear probe on features that served encoders give: is a face generated as a whole?

Logistic regression on the means over a window, standardised and bounded. Every maker of fakes and
every source of reals counts by the root of its number of videos, so that neither a large one nor
a single clip decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from training.judge.metrics import auc
from training.judge.scoring import WINDOW, Followed
from training.judge.vote import Array, sigmoid
from training.judge.vote_fit import by_groups
from training.models.heads import BoundedLinear


@dataclass(frozen=True)
class Rows:
    """Windows of many videos: mean features ``[N, D]``, and of each window whether it is fake,
    its video, whether that is a single picture, and its group: the maker of a fake, the data set
    of a real."""

    features: Array
    fake: NDArray[np.bool_]
    still: NDArray[np.bool_]
    video: NDArray[np.str_]
    group: NDArray[np.str_]


def rows_of(tracks: Iterable[Mapping[str, Followed]], apart: Sequence[str] = ()) -> Rows:
    """The windows of ``tracks``, each given as every encoder's view of it.

    Fakes of the data sets ``apart`` are left out: they are made otherwise than what is asked for.
    """
    means: list[Array] = []
    facts: list[tuple[bool, bool, str, str]] = []
    for views in tracks:
        track = next(iter(views.values()))
        sample = track.sample
        if track.fake and sample.dataset in apart:
            continue
        series = np.concatenate([view.features for view in views.values()], axis=1)
        edges = range(0, len(series) + WINDOW, WINDOW)
        for start, end in pairwise(edges):
            means.append(series[start:end].astype(np.float64).mean(axis=0))
            group = sample.method if track.fake else sample.dataset
            facts.append((track.fake, track.still, sample.video, group))
    if not means:
        raise ValueError("no face to fit a probe on")
    fakes, stills, videos, groups = zip(*facts, strict=True)
    return Rows(
        np.stack(means), np.array(fakes), np.array(stills), np.array(videos), np.array(groups)
    )


def of_kind(rows: Rows, still: bool) -> Rows:
    """The single pictures among ``rows``, or the windows of videos."""
    kept = rows.still == still
    return Rows(*(values[kept] for values in astuple(rows)))


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all ``parts``."""
    return Rows(*(np.concatenate(same) for same in zip(*map(astuple, parts), strict=True)))


def fit_linear(rows: Rows, penalty: float) -> BoundedLinear:
    """The logit of least weighted loss; a higher ``penalty`` keeps its weights smaller.

    Raises ``ValueError`` where ``rows`` are all real or all fake.
    """
    weights = by_groups(rows.fake, rows.group.tolist(), rows.video.tolist())
    share = weights / weights.sum()
    mean = share @ rows.features
    spread = np.sqrt(share @ (rows.features - mean) ** 2) + 1e-6
    inputs = np.clip((rows.features - mean) / spread, -1, 1)
    sign = np.where(rows.fake, 1.0, -1.0)

    def loss(values: Array) -> tuple[float, Array]:
        logit = inputs @ values[:-1] + values[-1]
        slope = -share * sign * sigmoid(-sign * logit)
        value = float(share @ np.logaddexp(0, -sign * logit))
        value += penalty / 2 * float(values[:-1] @ values[:-1])
        return value, np.append(inputs.T @ slope + penalty * values[:-1], slope.sum())

    start = np.zeros(inputs.shape[1] + 1)
    found: Array = minimize(loss, start, jac=True, method="L-BFGS-B").x
    layer = BoundedLinear(inputs.shape[1])
    layer.load_state_dict(
        {
            "mean": torch.from_numpy(mean),
            "spread": torch.from_numpy(spread),
            "linear.weight": torch.from_numpy(found[None, :-1]),
            "linear.bias": torch.from_numpy(found[-1:]),
        }
    )
    return layer


def scores_of(layer: BoundedLinear, rows: Rows) -> Array:
    """The logit of each row."""
    with torch.inference_mode():
        logits = layer(torch.from_numpy(rows.features).float())
    result: Array = logits[:, 0].double().numpy()
    return result


def auc_by_maker(rows: Rows, scores: Array) -> dict[str, float]:
    """Each maker's fakes against the reals of every data set, which count alike; by video.

    Videos stand against videos and pictures against pictures.
    """
    videos, first, place = np.unique(rows.video, return_index=True, return_inverse=True)
    mean = np.bincount(place, scores) / np.bincount(place, minlength=len(videos))
    fake, still, group = rows.fake[first], rows.still[first], rows.group[first]
    result: dict[str, float] = {}
    for maker in np.unique(group[fake]):
        of_maker = fake & (group == maker)
        kind = still[of_maker][0]
        sets = np.unique(group[~fake & (still == kind)])
        values = []
        for name in sets:
            both = of_maker | (~fake & (still == kind) & (group == name))
            values.append(auc(fake[both], mean[both]))
        if values:
            result[str(maker)] = float(np.mean(values))
    return result
