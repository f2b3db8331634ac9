"""Fitting the vote and its thresholds on dev, over delivery tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from training.data.manifest import Manifest
from training.judge.evaluation import Evaluation, Judged, arrays, unflagged
from training.judge.metrics import ece
from training.judge.vote import Vote
from training.judge.vote_fit import fit_vote, risk_coverage, thresholds
from training.models.registry import Member


def calibrate(
    members: Sequence[Member],
    dev: Manifest,
    cache: Path,
    tiers: Sequence[str] = ("clean", "web", "hard"),
    half: bool = False,
) -> tuple[Vote, dict[str, Any]]:
    """The vote of ``members``, and the figures that it was chosen by.

    Every video counts under every tier, so that a threshold holds on recompressed video too.
    Single pictures help to weigh the members and nothing else: the thresholds are for windows.
    Raises ``ValueError`` for one class only.
    """
    judged: dict[str, list[Judged]] = {}
    for tier in tiers:
        judged[tier] = Evaluation(members, dev, cache, tier, half).judged()
    per_tier = {tier: [one for one in rows if not one.still] for tier, rows in judged.items()}
    if not any(per_tier.values()):
        raise ValueError("no video to calibrate on")
    # A video under another tier is a video of its own here, or its tiers would average out.
    columns = [
        (one, f"{one.sample.video} {tier}")
        for tier, rows in judged.items()
        for one in rows
        for _ in range(one.logits.shape[1])
    ]
    vote = fit_vote(
        [member.name for member in members],
        np.concatenate([one.logits for rows in judged.values() for one in rows], axis=1),
        np.array([one.fake for one, _ in columns]),
        [video for _, video in columns],
        [one.sample.dataset for one, _ in columns],
        np.array([one.still for one, _ in columns]),
    )
    truth, values = arrays([one for rows in per_tier.values() for one in rows], vote)
    high, low = thresholds(values, truth)
    vote = replace(vote, threshold_fake=high, threshold_real=low)
    figures: dict[str, Any] = {"tiers": list(tiers), "videos": len(per_tier[tiers[0]])}
    for tier, rows in per_tier.items():
        kind, probability = arrays(rows, vote)
        caught = probability[kind] >= high
        figures[tier] = {
            "ece": ece(kind, probability),
            "unflagged": unflagged(rows, vote),
            "fakes_flagged": float(caught.mean()) if len(caught) else None,
            "fakes_called_real": float((probability[kind] <= low).mean()) if len(caught) else None,
            "risk_coverage": _thinned(risk_coverage(probability, kind)),
        }
    return vote, figures


def _thinned(curve: list[tuple[float, float]], points: int = 11) -> list[tuple[float, float]]:
    places = np.linspace(0, len(curve) - 1, min(points, len(curve))).round().astype(int)
    return [(round(curve[place][0], 4), round(curve[place][1], 4)) for place in places]
