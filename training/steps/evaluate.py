"""The evaluate step: figures per data set, method and delivery tier; JSON and HTML."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.judge.report import report
from training.judge.vote import Vote
from training.steps.common import add_data, add_members, cache_for, load_split, members_of


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
    made = report(
        members_of(options),
        Vote.load(options.calibration),
        load_split(options),
        cache_for(options),
        options.tiers,
        options.half,
        options.stills,
        options.mistakes,
    )
    sys.stdout.write(f"{made.write(options.out)}\n")
    return 0
