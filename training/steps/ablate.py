"""The ablate step: the head against the mean of its frames, members against the vote, and with
``--without``, members that were trained without self-blending."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from training.judge.evaluation import Evaluation, aucs
from training.judge.vote import Vote, Voter
from training.models.heads import SequenceHead
from training.models.registry import Member, load_member
from training.steps.common import add_data, add_members, cache_for, load_members, load_split


def mean_of_frames(member: Member) -> Member:
    """``member`` with a head that is the mean of its frame logits."""
    if not isinstance(member.head, SequenceHead):
        raise ValueError(f"{member.name} has no frame logit to take the mean of")
    head = SequenceHead(member.dim, "mean")
    head.frame.load_state_dict(member.head.frame.state_dict())
    return Member(member.name, member.encoder, head.eval(), member.dim)


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
    members, vote = load_members(options.members, options.models), Vote.load(options.calibration)
    manifest, cache = load_split(options), cache_for(options)
    evaluation = Evaluation(members, manifest, cache, options.tier, options.half, options.stills)
    judged = evaluation.judged()
    figures: dict[str, Any] = {"vote": aucs(judged, vote)}
    for number, member in enumerate(members):
        figures[member.name] = aucs(judged, vote.alone(member.name))
        if isinstance(member.head, SequenceHead):
            evaluation.members[number] = mean_of_frames(member)
            plain = aucs(evaluation.judged(), vote.alone(member.name))
            figures[f"{member.name}, mean of frames"] = plain
            evaluation.members[number] = member
    if options.without is not None:
        other = load_member(options.without)
        folder = cache / "without"
        single = Evaluation([other], manifest, folder, options.tier, options.half, options.stills)
        plain_vote = Vote((Voter(other.name),))
        figures[f"{other.name}, no self-blending"] = aucs(single.judged(), plain_vote)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0
