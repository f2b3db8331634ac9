"""The evaluate step: figures per data set, method and delivery tier; JSON and HTML."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.manifest import Manifest
from training.fit.run import versions
from training.judge.devset import crop_of
from training.judge.evaluation import LENGTHS, Evaluation, Judged, arrays, evaluate
from training.judge.metrics import calibration_figures
from training.judge.report_html import curves, write_html
from training.judge.vote import Array, Vote
from training.judge.vote_fit import risk_coverage
from training.steps.common import add_data, add_members, cache_for, load_members, load_split

PROTOCOL = (
    "A video's score is the sigmoid of the mean vote over its windows of 20 samples at 10 per "
    "second, half overlapping; single pictures are windows of one. Intervals are bootstrapped over "
    "source videos (95 %)."
)


def worst(judged: list[Judged], vote: Vote, manifest: Manifest, count: int) -> list[dict[str, Any]]:
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


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training evaluate", description=__doc__)
    add_members(parser)
    add_data(parser)
    parser.add_argument("--calibration", type=Path, required=True, help="of the calibrate step")
    parser.add_argument("--tiers", nargs="+", default=["clean", "web", "hard"])
    parser.add_argument("--stills", type=int, default=2500, help="single pictures at most")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    parser.add_argument("--mistakes", type=int, default=24, help="pictures of mistakes")
    options = parser.parse_args(argv)
    members, vote = load_members(options.members, options.models), Vote.load(options.calibration)
    names = [member.name for member in members]
    if names != vote.names:
        raise ValueError(f"{options.calibration} is for {vote.names}, not {names}")
    manifest = load_split(options)
    report: dict[str, Any] = {
        "protocol": PROTOCOL,
        "split": options.split,
        "members": names,
        "thresholds": {"fake": vote.threshold_fake, "real": vote.threshold_real},
        "versions": versions(),
        "tiers": {},
    }
    plots: list[bytes] = []
    mistakes: list[dict[str, Any]] = []
    everything: list[tuple[NDArray[np.bool_], Array]] = []
    for tier in options.tiers:
        sys.stderr.write(f"{tier}: features and scores\n")
        evaluation = Evaluation(
            members, manifest, cache_for(options), tier, options.half, options.stills
        )
        report["tiers"][tier] = evaluate(evaluation, vote, LENGTHS)
        judged = evaluation.judged()
        labels, values = arrays(judged, vote)
        report["tiers"][tier]["risk_coverage"] = risk_coverage(values, labels)
        plots.append(curves(labels, values, tier))
        everything.append((labels, values))
        if tier == options.tiers[0]:
            moving = [one for one in judged if not one.still] or judged
            mistakes = worst(moving, vote, manifest, options.mistakes)
    kinds, probabilities = (np.concatenate(parts) for parts in zip(*everything, strict=True))
    report["calibration"] = calibration_figures(kinds, probabilities)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    write_html(options.out / "evaluation.html", report, plots, mistakes)
    sys.stdout.write(f"{options.out / 'evaluation.html'}\n")
    return 0
