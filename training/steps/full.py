"""The full step: a model repository of the large members, for a GPU, by one command.

The repository has the layout of ``triton_models`` and is chosen with ``fakelight serve --models``.
It is made of trained members with a vote fitted anew on dev. Weights that were never trained are
refused; ``--untrained`` takes them, at random where no files are given, for load tests alone, and
the repository then says so.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from training.export.full import trained, untrained, write_full
from training.judge.calibration import calibrate
from training.judge.vote import Vote
from training.models.member import Member
from training.models.registry import FULL
from training.steps.common import cache_for, load_split


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training full", description=__doc__)
    parser.add_argument("--repo", type=Path, required=True, help="the repository to make")
    parser.add_argument("--members", type=Path, nargs="*", default=[], help="member.pt files")
    parser.add_argument("--calibration", type=Path, help="of the calibrate step; fitted without")
    parser.add_argument("--shards", type=Path, help="folder of the extract step, to fit the vote")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument("--cache", type=Path, default=Path("runs/features"))
    parser.add_argument("--half", action="store_true", help="encode in 16 bit")
    parser.add_argument("--tiers", nargs="+", default=["clean", "web", "hard"])
    parser.add_argument("--untrained", action="store_true", help="for load tests only")
    parser.set_defaults(thin=None)
    parser.add_argument("--models", nargs="+", default=list(FULL), help="names, with --untrained")
    return parser


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    if options.untrained:
        write_full(options.repo, untrained(options.members, options.models), None)
        return 0
    members = trained(options.members)
    write_full(options.repo, members, *_vote(options, members))
    return 0


def _vote(options: argparse.Namespace, members: list[Member]) -> tuple[Vote, dict[str, Any]]:
    if options.calibration:
        return Vote.load(options.calibration), {}
    if not options.shards:
        raise ValueError("neither --shards, to fit the vote on, nor --calibration given")
    split, cache = load_split(options), cache_for(options)
    return calibrate(members, split, cache, options.tiers, options.half)
