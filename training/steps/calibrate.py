"""The calibrate step: Platt per member, votes for windows and pictures, and thresholds, on dev."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.judge.calibration import calibrate, calibrate_pictures
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
    parser.add_argument(
        "--pictures", nargs="*", metavar="MEMBER",
        help="fit the vote of single pictures alone, of these members or all that look at one; the "
        "rest stays as --models has it",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="calibration (JSON)")
    options = parser.parse_args(argv)
    alone = options.pictures is not None
    if (options.keep or alone) and options.models is None:
        named = "--pictures" if alone else "--keep"
        raise ValueError(f"{named} keeps what is in a repository's vote: name it with --models")
    members = members_of(options)
    data = load_split(options), cache_for(options), options.tiers, options.half
    if alone:
        served = served_vote(options.models)
        vote, figures = calibrate_pictures(served, members, *data, options.pictures)
    else:
        kept = served_vote(options.models) if options.keep else None
        vote, figures = calibrate(members, *data, options.swaps, kept)
    vote.save(options.out, figures)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0
