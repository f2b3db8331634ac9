"""The evaluation over delivery tiers: its figures, curves and worst mistakes; JSON and HTML."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_server.atomic import write_text
from training.data.manifest import Manifest
from training.judge.devset import crop_of
from training.judge.evaluation import Evaluation, Judged, arrays, evaluate
from training.judge.metrics import calibration_figures
from training.judge.report_html import curves, html_page
from training.judge.vote import Array, Vote
from training.judge.vote_fit import risk_coverage
from training.models.member import Member, rates_of
from training.run_dir import versions

PROTOCOL = (
    "A video's score is the sigmoid of the mean vote over its windows of 20 samples at 10 per "
    "second, half overlapping; single pictures are windows of one. Intervals are bootstrapped over "
    "source videos (95 %)."
)


@dataclass(frozen=True)
class Report:
    """``figures`` are what ``evaluation.json`` holds; ``plots`` are PNGs, one a tier."""

    figures: dict[str, Any]
    plots: list[bytes]
    mistakes: list[dict[str, Any]]

    def write(self, folder: Path) -> Path:
        """Write ``evaluation.json`` and ``evaluation.html``; returns the second."""
        write_text(folder / "evaluation.json", json.dumps(self.figures, indent=1) + "\n")
        page = folder / "evaluation.html"
        write_text(page, html_page(self.figures, self.plots, self.mistakes))
        return page


def report(
    members: Sequence[Member],
    vote: Vote,
    manifest: Manifest,
    cache: Path,
    tiers: Sequence[str],
    half: bool = False,
    stills: int = 2500,
    mistakes: int = 24,
) -> Report:
    """Judge ``members`` and their vote on one split under each of ``tiers``.

    Features are kept below ``cache``; ``half`` encodes in 16 bit. At most ``stills`` single
    pictures count. The ``mistakes`` are of the first tier. Raises ``ValueError`` where the vote is
    not one of these members.
    """
    vote.check_members(member.name for member in members)
    figures: dict[str, Any] = {
        "protocol": PROTOCOL,
        "split": manifest.rows[0].sample.split,
        "members": vote.names,
        "sample_hz": rates_of(members),
        "thresholds": {"fake": vote.threshold_fake, "real": vote.threshold_real},
        "versions": versions(),
        "tiers": {},
    }
    made = Report(figures, [], [])
    everything: list[tuple[NDArray[np.bool_], Array]] = []
    for tier in tiers:
        sys.stderr.write(f"{tier}: features and scores\n")
        evaluation = Evaluation(members, manifest, cache, tier, half, stills)
        judged = evaluation.judged()
        labels, values = arrays(judged, vote)
        figures["tiers"][tier] = evaluate(evaluation, vote)
        figures["tiers"][tier]["risk_coverage"] = risk_coverage(values, labels)
        made.plots.append(curves(labels, values, tier))
        everything.append((labels, values))
        if tier == tiers[0]:
            moving = [one for one in judged if not one.still] or judged
            made.mistakes.extend(worst(moving, vote, manifest, mistakes))
    kinds, probabilities = (np.concatenate(parts) for parts in zip(*everything, strict=True))
    figures["calibration"] = calibration_figures(kinds, probabilities)
    return made


def worst(
    judged: Sequence[Judged], vote: Vote, manifest: Manifest, count: int
) -> list[dict[str, Any]]:
    """The most confident mistakes, with the middle crop of each video."""
    rows = manifest.videos()
    ranked = sorted(
        judged,
        key=lambda one: one.probability(vote) if one.fake else 1 - one.probability(vote),
    )
    result: list[dict[str, Any]] = []
    for one in ranked[:count]:
        row = rows[one.sample.video][len(rows[one.sample.video]) // 2]
        text = f"{one.sample.label} {one.sample.method}: {one.probability(vote):.0%} fake"
        image = crop_of(manifest, row)
        result.append({"video": one.sample.video, "text": text, "image": image})
    return result
