"""Fitting the vote and its thresholds on dev, over delivery tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from training.data.manifest import Manifest
from training.data.shards import SWAPS
from training.judge.evaluation import Evaluation, Judged, arrays, unflagged
from training.judge.metrics import ece
from training.judge.picture_vote import lacking, with_pictures
from training.judge.vote import Vote
from training.judge.vote_fit import by_groups, fit_vote, join_either, risk_coverage, thresholds
from training.models.member import Member


def calibrate(
    members: Sequence[Member],
    dev: Manifest,
    cache: Path,
    tiers: Sequence[str] = ("clean", "web", "hard"),
    half: bool = False,
    swaps: Sequence[str] = SWAPS,
    kept: Vote | None = None,
) -> tuple[Vote, dict[str, Any]]:
    """The vote of ``members``, and the figures that it was chosen by.

    Every video counts under every tier, so that a threshold holds on recompressed video too.
    Single pictures help to weigh the members; the thresholds are for windows. Where there are
    enough pictures of both kinds, they have a vote of their own, of the members that look at a
    picture; else the figures say what is lacking.
    Where a member joins as one-or-the-other, the others are weighed on the fakes of the data sets
    ``swaps`` alone, and the joint level is fitted on all. ``kept`` is a vote whose weights of the
    weighed members are taken as they are.
    Raises ``ValueError`` for one class only.
    """
    judged: dict[str, list[Judged]] = {}
    for tier in tiers:
        judged[tier] = Evaluation(members, dev, cache, tier, half).judged()
    per_tier = {tier: [one for one in rows if not one.still] for tier, rows in judged.items()}
    if not any(per_tier.values()):
        raise ValueError("no video to calibrate on")
    vote = _fitted(members, judged, swaps, kept)
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
    if missing := lacking(looking(members), judged):
        figures["pictures"] = {"not_fitted": missing}
    else:
        vote, figures["pictures"] = with_pictures(vote, looking(members), judged)
    return vote, figures


def calibrate_pictures(
    vote: Vote,
    members: Sequence[Member],
    dev: Manifest,
    cache: Path,
    tiers: Sequence[str],
    half: bool = False,
    names: Sequence[str] = (),
) -> tuple[Vote, dict[str, Any]]:
    """``vote`` with a vote for the single pictures of ``dev``, and its figures; the rest stays.

    It asks the members ``names``, or all that look at a picture. Raises ``ValueError`` for an
    unknown name and for too few pictures of a kind.
    """
    vote.check_members(one.name for one in members)
    judged = {
        tier: Evaluation(members, dev, cache, tier, half, stills=len(dev)).judged()
        for tier in tiers
    }
    vote, figures = with_pictures(vote, names or looking(members), judged)
    return vote, {"tiers": list(tiers), "pictures": figures}


def looking(members: Sequence[Member]) -> list[str]:
    """The members that look at a picture themselves: landmarks alone show no movement in one."""
    return [one.name for one in members if one.encoder is not None]


def _fitted(
    members: Sequence[Member],
    judged: Mapping[str, Sequence[Judged]],
    swaps: Sequence[str],
    kept: Vote | None,
) -> Vote:
    weighed = [place for place, one in enumerate(members) if one.kind == "weight"]
    either = [place for place, one in enumerate(members) if one.kind == "either"]
    if not weighed:
        raise ValueError("no member to weigh: all of them join as one-or-the-other")
    names = [members[place].name for place in weighed]
    if kept is not None:
        known = {one.name: one for one in kept.members if one.kind == "weight"}
        if set(known) != set(names):
            raise ValueError(f"the vote to keep weighs {', '.join(known)}, not {', '.join(names)}")
        vote = replace(kept, members=tuple(known[name] for name in names))
    else:
        vote = _weighed(names, weighed, judged, swaps if either else None)
    if not either:
        return vote
    moving = [one for found in judged.values() for one in found if not one.still]
    fake = np.array([one.fake for one in moving])
    groups = [one.sample.method if one.fake else one.sample.dataset for one in moving]
    joined = join_either(
        vote,
        [members[place].name for place in either],
        np.stack([one.logits.mean(axis=1)[weighed + either] for one in moving], axis=1),
        fake,
        by_groups(fake, groups, [one.sample.video for one in moving]),
    )
    voters = {one.name: one for one in joined.members}
    return replace(joined, members=tuple(voters[one.name] for one in members))


def _weighed(
    names: Sequence[str],
    places: Sequence[int],
    judged: Mapping[str, Sequence[Judged]],
    swaps: Sequence[str] | None,
) -> Vote:
    """The vote of the members ``names``, in the rows ``places`` of the logits; of fakes on those of
    the data sets ``swaps`` alone, where given."""
    # A video under another tier is a video of its own here, or its tiers would average out.
    rows = [
        (one, f"{one.sample.video} {tier}")
        for tier, found in judged.items()
        for one in found
        if swaps is None or not one.fake or one.sample.dataset in swaps
    ]
    columns = [(one, video) for one, video in rows for _ in range(one.logits.shape[1])]
    return fit_vote(
        names,
        np.concatenate([one.logits[places] for one, _ in rows], axis=1),
        np.array([one.fake for one, _ in columns]),
        [video for _, video in columns],
        [one.sample.dataset for one, _ in columns],
        np.array([one.still for one, _ in columns]),
    )


def _thinned(curve: list[tuple[float, float]]) -> list[tuple[float, float]]:
    places = np.linspace(0, len(curve) - 1, min(11, len(curve))).round().astype(int)
    return [(round(curve[place][0], 4), round(curve[place][1], 4)) for place in places]
