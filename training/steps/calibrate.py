"""The calibrate step: Platt per member, a logistic vote, and thresholds, all on dev."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.judge.calibration import calibrate
from training.judge.served_vote import served_vote
from training.steps.common import add_data, add_members, add_vote, cache_for, load_split, members_of


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training calibrate", description=__doc__)
    add_members(parser)
    add_data(parser)
    add_vote(parser)
    parser.add_argument(
        "--keep", action="store_true",
        help="take the weights of --models' own vote as they are, and fit only what joins it",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="calibration (JSON)")
    options = parser.parse_args(argv)
    if options.keep and options.models is None:
        raise ValueError("--keep takes the weights of a repository's vote: name it with --models")
    members = members_of(options)
    vote, figures = calibrate(
        members,
        load_split(options),
        cache_for(options),
        options.tiers,
        options.half,
        options.swaps,
        served_vote(options.models) if options.keep else None,
    )
    vote.save(options.out, figures)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0
