"""The judge step: members and their joint votes by folds over people; cross-AUC and worst group."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path
from typing import Any

from stream_server.atomic import write_text
from training.judge.devset import few_of_each, some_stills
from training.judge.evaluation import Evaluation
from training.judge.fold_figures import figures
from training.judge.folds import by_folds, cases_of
from training.models.member import rates_of
from training.steps.common import add_data, add_members, add_vote, cache_for, load_split, members_of


def combinations(names: list[str], either: list[str]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Every set of the members ``names``, by themselves and joined by ``either``."""
    return [
        (chosen, joined)
        for count in range(1, len(names) + 1)
        for chosen in itertools.combinations(names, count)
        for joined in ([[], either] if either else [[]])
    ]


def line(name: str, tier: str, found: dict[str, Any]) -> str:
    """One row of the table on the terminal."""
    text = f"{name:50} {tier:5}"
    for kind, one in found.items():
        sets = ", ".join(f"{key[:12]} {value:.3f}" for key, value in one["sets"].items())
        called = one["called"]
        text += (
            f" | {kind}: mean {one['mean']:.3f} worst {one['worst']['auc']:.2f}; {sets};"
            f" caught {one['caught']:.2f}, decided {called['decided']:.2f}, called real"
            f" {called['fakes_called_real']:.2f}, flagged {called['reals_flagged']:.3f},"
            f" ece {one['ece']:.3f}"
        )
    return text


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training judge", description=__doc__)
    add_members(parser)
    add_data(parser)
    add_vote(parser)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--per-person", type=int, default=3, help="videos of one person at most")
    parser.add_argument("--samples", type=int, default=60, help="of each video at most")
    parser.add_argument("--stills", type=int, default=300, help="pictures a set and label at most")
    parser.add_argument("--out", type=Path, required=True, help="figures (JSON)")
    options = parser.parse_args(argv)
    members = members_of(options)
    names = [member.name for member in members]
    either = [member.name for member in members if member.kind == "either"]
    dev = few_of_each(load_split(options), options.per_person, options.samples)
    dev = some_stills(dev, options.stills)
    judged = {}
    for tier in options.tiers:
        sys.stderr.write(f"{tier}: features and scores of {len(dev)} crops\n")
        evaluation = Evaluation(
            members, dev, cache_for(options), tier, options.half, stills=len(dev)
        )
        judged[tier] = evaluation.judged()
    cases = cases_of(judged)
    report: dict[str, Any] = {
        "members": names, "sample_hz": rates_of(members), "folds": options.folds, "votes": {},
    }  # fmt: skip
    for chosen, joined in combinations([one for one in names if one not in either], either):
        verdicts = by_folds(names, cases, chosen, joined, options.swaps, options.folds)
        name = " or ".join([" + ".join(chosen), *joined])
        report["votes"][name] = {tier: figures(verdicts, tier) for tier in options.tiers}
        for tier in options.tiers:
            sys.stdout.write(line(name, tier, report["votes"][name][tier]) + "\n")
    write_text(options.out, json.dumps(report, indent=1) + "\n")
    return 0
