"""A model repository of the large members, for a GPU.

It has the layout of ``triton_models``. It is made of trained members and their vote, or, for load
tests alone, of weights that were never trained, and then says so.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from stream_server.atomic import replacing_folder, sweep, write_text
from stream_server.engine.check import check_repository
from stream_server.resources import models_dir
from training.export.full_card import LICENCE_OF_RANDOM_WEIGHTS, full_card
from training.export.members import export_member, write_joint
from training.export.onnx_export import ExportReport
from training.judge.vote import Vote, Voter
from training.models.member import Member, load_member, load_members
from training.models.registry import feature_dim, make_encoder, make_head, parse

UNTRAINED = "random weights, never trained: for load tests only, every verdict is meaningless"


def write_full(
    path: Path,
    members: Iterable[Member],
    vote: Vote | None,
    figures: Mapping[str, object] | None = None,
) -> None:
    """Write the repository to ``path``, in the place of what is there when it passes its check.

    ``members`` are taken one at a time: the largest has 1.2 GB of weights. ``vote`` is None for
    weights that were never trained: every face then stays unsure, and the repository says so.
    ``figures`` are those that the vote was fitted by.

    Raises ``ValueError`` for a repository that does not pass its check, a vote that is for other
    members, and a ``path`` that holds something else than a repository.
    """
    if path.exists() and not (path / "vote").is_dir():
        raise ValueError(f"{path} is there and is no model repository; it is left alone")
    sweep(path.parent)
    with replacing_folder(path) as repo:
        reports: list[ExportReport] = []
        reached: dict[str, object] = {}
        for member in members:
            reports.append(export_member(repo, member))
            reached[member.name] = member.facts.get("dev", {})
            sys.stdout.write("\n".join(reports[-1].lines()) + "\n")
        facts: dict[str, object] = {"members": reached}
        facts |= {"calibration": figures} if figures else {}
        _join(repo, reports, vote, facts)
        findings = check_repository(repo)
        if findings:
            raise ValueError("; ".join(str(finding) for finding in findings))


def _join(
    repo: Path, reports: Sequence[ExportReport], vote: Vote | None, facts: Mapping[str, object]
) -> None:
    untrained = vote is None
    vote = vote or undecided([report.member for report in reports])
    more = {"untrained": UNTRAINED} if untrained else {}
    write_joint(repo, vote, "Platt and thresholds on dev videos, see MODEL_CARD.md", more)
    card = full_card(vote, reports, {} if untrained else facts, UNTRAINED if untrained else "")
    write_text(repo / "MODEL_CARD.md", card)
    parity = [asdict(report) for report in reports]
    write_text(repo / "parity.json", json.dumps(parity, indent=2, default=dict) + "\n")
    if untrained:
        write_text(repo / "LICENSE", LICENCE_OF_RANDOM_WEIGHTS)
    else:
        # The terms of the data that the shipped weights saw: the careful choice for others too.
        shutil.copy(models_dir() / "LICENSE", repo / "LICENSE")


def undecided(names: Sequence[str]) -> Vote:
    """A vote for random weights: logits of a few hundred would be needed to leave the middle."""
    voters = tuple(Voter(name, scale=0.01, weight=1 / len(names)) for name in names)
    return Vote(voters, 0.0, threshold_fake=0.999, threshold_real=0.001)


def trained(paths: Sequence[Path]) -> list[Member]:
    """The members in ``paths``.

    Raises ``ValueError`` where there is none, a name comes twice, or a file says nothing of its
    training: ``train`` writes what the member reached on dev, and random weights have no such
    figure.
    """
    if not paths:
        raise ValueError("--members names no file; --untrained makes random weights for load tests")
    members = load_members(paths)
    for path, member in zip(paths, members, strict=True):
        if not member.facts.get("dev"):
            raise ValueError(
                f"{path}: {member.name} has no figures on dev, so nothing says that it was "
                "trained; --untrained takes it for load tests"
            )
    return members


def untrained(paths: Sequence[Path], names: Sequence[str]) -> Iterator[Member]:
    """The members in ``paths``; where there are none, random weights for each of ``names``."""
    for path in paths:
        yield load_member(path)
    for name in () if paths else names:
        spec = parse(name)
        encoder = make_encoder(spec)
        dim = feature_dim(encoder)
        yield Member(spec.name, encoder, make_head(spec, dim), dim).eval()
