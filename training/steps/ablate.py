"""The ablate step: the head against the mean of its frames, members against the vote, and with
``--without``, members that were trained without self-blending."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from stream_server.atomic import write_text
from training.judge.ablation import ablate, uncalibrated
from training.judge.evaluation import Evaluation
from training.judge.vote import Vote
from training.models.member import load_member
from training.steps.common import add_data, add_members, cache_for, load_split, members_of


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training ablate", description=__doc__)
    add_members(parser)
    add_data(parser)
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--without", type=Path, help="member.pt trained with no self-blending")
    parser.add_argument("--tier", default="clean")
    parser.add_argument("--stills", type=int, default=600)
    parser.add_argument("--out", type=Path, required=True, help="figures (JSON)")
    options = parser.parse_args(argv)
    members, vote = members_of(options), Vote.load(options.calibration)
    manifest, cache = load_split(options), cache_for(options)
    conditions = options.tier, options.half, options.stills
    figures = ablate(Evaluation(members, manifest, cache, *conditions), vote)
    if options.without is not None:
        other = load_member(options.without)
        alone = Evaluation([other], manifest, cache / "without", *conditions)
        figures[f"{other.name}, no self-blending"] = uncalibrated(alone)
    text = json.dumps(figures, indent=1) + "\n"
    write_text(options.out, text)
    sys.stdout.write(text)
    return 0
