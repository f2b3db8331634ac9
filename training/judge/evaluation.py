"""Figures of members and their vote on a labelled set, per group and delivery tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.manifest import Manifest
from training.data.shards import Sample
from training.judge.metrics import auc, average_precision, calibration_figures, eer, interval
from training.judge.scoring import (
    STRIDE,
    WINDOW,
    member_views,
    series_of,
    window_logits,
)
from training.judge.vote import Array, Vote, sigmoid
from training.models.member import Member

_LENGTHS = (1, 20, 40, 60, 80, 100)
_LIVE_STRIDE = 5  # two verdicts a second


@dataclass(frozen=True)
class Judged:
    """One track: the members' logits of its windows ``[M, W]``."""

    sample: Sample
    still: bool
    logits: Array

    @property
    def fake(self) -> bool:
        """Whether the track is labelled fake."""
        return self.sample.label == "fake"

    def probability(self, vote: Vote) -> float:
        """The video's probability: the sigmoid of its windows' mean vote."""
        return float(sigmoid(vote.logit(self.logits).mean(keepdims=True))[0])


class Evaluation:
    """All members' features of one set under one tier; windows are scored on demand."""

    def __init__(
        self,
        members: Sequence[Member],
        manifest: Manifest,
        cache: Path,
        tier: str = "clean",
        half: bool = False,
        stills: int = 2500,
    ) -> None:
        self.members = list(members)
        own = [member for member in members if not member.reads]
        lacking = {name for member in members for name in member.reads}
        lacking -= {member.name for member in own}
        if lacking:
            raise ValueError(f"features of {', '.join(sorted(lacking))} are read; add that member")
        self.tracks = list(member_views(own, manifest, cache, tier, stills, half))

    def judged(self, window: int = WINDOW, stride: int = STRIDE) -> list[Judged]:
        """Every track with its members' window logits."""
        result: list[Judged] = []
        for views in self.tracks:
            logits = [
                window_logits(member, series_of(member, views), window, stride)
                for member in self.members
            ]
            track = next(iter(views.values()))
            result.append(Judged(track.sample, track.still, np.stack(logits)))
        return result


def groups_of(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Per data set, and per method against the reals of its data set."""
    result: dict[str, list[Judged]] = {}
    for dataset in sorted({one.sample.dataset for one in judged}):
        rows = [one for one in judged if one.sample.dataset == dataset]
        reals = [one for one in rows if not one.fake]
        result[dataset] = rows
        methods = sorted({one.sample.method for one in rows if one.fake})
        for method in methods if len(methods) > 1 else []:
            of_method = [one for one in rows if one.fake and one.sample.method == method]
            result[f"{dataset} / {method}"] = reals + of_method
    return result


def group_figures(rows: Sequence[Judged], vote: Vote, rounds: int = 500) -> dict[str, Any]:
    """Counts, AUC with its interval, EER, AP, ECE, confusion and pairs in order of one group."""
    labels = np.array([one.fake for one in rows])
    values = np.array([one.probability(vote) for one in rows])
    figures: dict[str, Any] = {"real": int((~labels).sum()), "fake": int(labels.sum())}
    if labels.any() and not labels.all():
        names = [one.sample.identities[0] if one.sample.identities else one.sample.video
                 for one in rows]  # fmt: skip
        figures["auc"] = auc(labels, values)
        figures["auc_interval"] = interval(
            lambda places: auc(labels[places], values[places]), names, rounds
        )
        figures["eer"] = eer(labels, values)
        figures["ap"] = average_precision(labels, values)
        figures |= calibration_figures(labels, values)
        if not all(one.still for one in rows):
            frames = [(one.fake, value) for one in rows for value in vote.logit(one.logits)]
            figures["window_auc"] = auc([kind for kind, _ in frames], [v for _, v in frames])
    flagged, passed = values >= vote.threshold_fake, values <= vote.threshold_real
    figures["confusion"] = {
        kind: {
            "likely_fake": int((flagged & mask).sum()),
            "unsure": int((~flagged & ~passed & mask).sum()),
            "likely_real": int((passed & mask).sum()),
        }
        for kind, mask in (("real", ~labels), ("fake", labels))
    }
    ordered = pairs_in_order(rows, vote)
    if ordered is not None:
        figures["pairs_in_order"] = ordered
    return figures


def pairs_in_order(rows: Sequence[Judged], vote: Vote) -> tuple[int, int] | None:
    """How many fakes score above the real they were made from, and of how many."""
    reals = {one.sample.pair: one for one in rows if one.sample.pair and not one.fake}
    found = [
        one.probability(vote) > reals[one.sample.pair].probability(vote)
        for one in rows
        if one.fake and one.sample.pair in reals
    ]
    return (sum(found), len(found)) if found else None


def false_alarms(judged: Sequence[Judged], vote: Vote, seconds: float) -> dict[str, float]:
    """Times that a real video turns ``likely fake``, per hour; windows ``seconds`` apart."""
    alarms, spent = 0, 0.0
    for one in judged:
        if one.fake or one.still:
            continue
        over = vote.probability(one.logits) >= vote.threshold_fake
        alarms += int(over[0]) + int((over[1:] & ~over[:-1]).sum())
        spent += len(over) * seconds
    return {"hours": spent / 3600, "alarms": alarms, "per_hour": alarms / max(spent / 3600, 1e-9)}


def unflagged(judged: Sequence[Judged], vote: Vote) -> dict[str, Any]:
    """The share of real videos that are not flagged, with its interval."""
    kept = [one for one in judged if not one.fake and not one.still]
    fine = np.array([one.probability(vote) < vote.threshold_fake for one in kept])
    if not len(fine):
        return {"videos": 0}
    names = [one.sample.video for one in kept]
    low, high = interval(lambda places: float(fine[places].mean()), names, 500)
    return {"videos": len(fine), "share": float(fine.mean()), "interval": (low, high)}


def evaluate(evaluation: Evaluation, vote: Vote) -> dict[str, Any]:
    """Everything about one tier: groups, members, lengths, cross-AUC, false alarms, ECE."""
    judged = evaluation.judged()
    moving = [one for one in judged if not one.still]
    live = evaluation.judged(WINDOW, _LIVE_STRIDE)
    report: dict[str, Any] = {
        "groups": {name: group_figures(rows, vote) for name, rows in groups_of(judged).items()},
        "videos": group_figures(moving, vote) if moving else {},
        "unflagged": unflagged(judged, vote),
        "false_alarms": false_alarms(live, vote, _LIVE_STRIDE / 10),
        "cross_auc": cross_auc(judged, vote),
        "members": {},
        "lengths": {},
    }
    for member in evaluation.members:
        report["members"][member.name] = aucs(judged, vote.alone(member.name))
    for length in _LENGTHS:
        report["lengths"][str(length)] = aucs(evaluation.judged(length), vote)
    return report


def aucs(judged: Sequence[Judged], vote: Vote) -> dict[str, float]:
    """AUC by video per group that has both kinds."""
    result: dict[str, float] = {}
    for name, rows in groups_of(judged).items():
        labels = [one.fake for one in rows]
        if any(labels) and not all(labels):
            result[name] = auc(labels, [one.probability(vote) for one in rows])
    return result


def cross_auc(judged: Sequence[Judged], vote: Vote) -> dict[str, dict[str, float]]:
    """Reals of each set (rows) against fakes of each other (columns)."""
    reals: dict[str, list[float]] = {}
    fakes: dict[str, list[float]] = {}
    for one in judged:
        (fakes if one.fake else reals).setdefault(one.sample.dataset, []).append(
            one.probability(vote)
        )
    return {
        real: {
            fake: auc([0] * len(low) + [1] * len(high), low + high) for fake, high in fakes.items()
        }
        for real, low in reals.items()
    }


def arrays(judged: Sequence[Judged], vote: Vote) -> tuple[NDArray[np.bool_], Array]:
    """Labels and probabilities of the videos."""
    moving = [one for one in judged if not one.still] or list(judged)
    labels = np.array([one.fake for one in moving])
    return labels, np.array([one.probability(vote) for one in moving])
