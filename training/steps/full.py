"""The full step: a model repository of the large members, for a GPU, by one command.

The repository has the layout of ``triton_models`` and is chosen with ``fakelight serve --models``.
It is made of trained members with a vote fitted anew on dev. Weights that were never trained are
refused; ``--untrained`` takes them, at random where no files are given, for load tests alone, and
the repository then says so.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from stream_server.atomic import replacing_folder
from stream_server.engine.check import check_repository
from stream_server.resources import models_dir
from training.export.full_card import LICENCE_OF_RANDOM_WEIGHTS, full_card
from training.export.members import export_member, write_joint
from training.export.onnx_export import ExportReport
from training.judge.calibration import calibrate
from training.judge.vote import Vote, Voter
from training.models.registry import FULL, Member, load_member, make_encoder, make_head, parse
from training.steps.common import cache_for, load_split

UNTRAINED = "random weights, never trained: for load tests only, every verdict is meaningless"


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
    if options.repo.exists() and not (options.repo / "vote").is_dir():
        raise ValueError(f"{options.repo} is there and is no model repository; it is left alone")
    # In its place only when it is whole and passes its check.
    with replacing_folder(options.repo) as unfinished:
        build(options, unfinished)
    return 0


def build(options: argparse.Namespace, repo: Path) -> None:
    """Write the repository. Raises ``ValueError`` for weights that cannot be shipped."""
    if options.untrained:
        reports = []
        for member in _untrained(options):
            reports.append(_exported(repo, member))
        names = [report.member for report in reports]
        # Logits of a few hundred would be needed to leave the middle: every face stays unsure.
        parts = tuple(Voter(name, scale=0.01, weight=1 / len(names)) for name in names)
        vote = Vote(parts, 0.0, threshold_fake=0.999, threshold_real=0.001)
        facts: dict[str, object] = {}
        more = {"untrained": UNTRAINED}
    else:
        members = trained(options.members)
        vote, facts = _vote(options, members)
        reports = [_exported(repo, member) for member in members]
        facts["members"] = {member.name: member.facts["dev"] for member in members}
        more = {}
    write_joint(repo, vote, "Platt and thresholds on dev videos, see MODEL_CARD.md", more)
    card = full_card(vote, reports, facts, UNTRAINED if options.untrained else "")
    (repo / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    (repo / "parity.json").write_text(
        json.dumps([asdict(report) for report in reports], indent=2, default=dict) + "\n"
    )
    if options.untrained:
        (repo / "LICENSE").write_text(LICENCE_OF_RANDOM_WEIGHTS, encoding="utf-8")
    else:
        # The terms of the data that the shipped weights saw: the careful choice for others too.
        shutil.copy(models_dir() / "LICENSE", repo / "LICENSE")
    findings = check_repository(repo)
    if findings:
        raise ValueError("; ".join(str(finding) for finding in findings))


def trained(paths: Sequence[Path]) -> list[Member]:
    """The members in ``paths``.

    Raises ``ValueError`` where there is none, a name comes twice, or a file says nothing of its
    training: ``train`` writes what the member reached on dev, and random weights have no such
    figure.
    """
    if not paths:
        raise ValueError("--members names no file; --untrained makes random weights for load tests")
    members = [load_member(path) for path in paths]
    for path, member in zip(paths, members, strict=True):
        if not member.facts.get("dev"):
            raise ValueError(
                f"{path}: {member.name} has no figures on dev, so nothing says that it was "
                "trained; --untrained takes it for load tests"
            )
    names = [member.name for member in members]
    if len(set(names)) != len(names):
        raise ValueError(f"members must have names of their own, got {', '.join(names)}")
    return members


def _vote(options: argparse.Namespace, members: list[Member]) -> tuple[Vote, dict[str, object]]:
    if options.calibration:
        return Vote.load(options.calibration), {}
    if not options.shards:
        raise ValueError("neither --shards, to fit the vote on, nor --calibration given")
    fitted, figures = calibrate(
        members, load_split(options), cache_for(options), options.tiers, options.half
    )
    return fitted, {"calibration": figures}


def _untrained(options: argparse.Namespace) -> Iterator[Member]:
    """One at a time: the largest has 1.2 GB of weights."""
    for path in options.members:
        yield load_member(path)
    for name in () if options.members else options.models:
        spec = parse(name)
        encoder = make_encoder(spec)
        dim = int(getattr(encoder, "dim", 10))
        yield Member(spec.name, encoder, make_head(spec, dim), dim).eval()


def _exported(repo: Path, member: Member) -> ExportReport:
    report = export_member(repo, member)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return report
