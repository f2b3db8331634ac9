"""The export step: members and the vote into the model repository that both engines serve."""

from __future__ import annotations

import training.torchvision_compat  # noqa: F401  # before all that imports torchvision

# isort: split
import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from training.data.manifest import Manifest
from training.export.graphs import Calibration
from training.export.heat_map import HeatModel, heat_difference, heat_model
from training.export.onnx_export import ExportReport, write_member
from training.export.repository_writer import (
    member_names,
    remove_member,
    write_ensembles,
    write_vote,
)
from training.judge.devset import crop_of, spread
from training.judge.vote import Vote
from training.models.encoder import ServedEncoder
from training.models.registry import Member, load_member

_MAX_HEAT_ERROR = 0.03  # of a map's peak; if 16 bit weights differ by more, 32 bit are kept


def export_members(
    repo: Path,
    members: list[Member],
    vote: Vote,
    notes: str,
    maps: bool = True,
    crops: NDArray[np.uint8] | None = None,
) -> list[ExportReport]:
    """Write ``members`` and a vote that names every member of the repository.

    ``maps`` adds what heat maps are drawn from, a file of two bytes for each weight; ``crops``
    (uint8 ``[n, 224, 224, 3]``) are faces that parity with PyTorch is measured on.

    Raises ``ValueError`` where the vote and the repository do not name the same members.
    """
    reports = [export_member(repo, member, maps, crops) for member in members]
    write_vote_of(repo, vote, notes)
    return reports


def export_member(
    repo: Path, member: Member, maps: bool = False, crops: NDArray[np.uint8] | None = None
) -> ExportReport:
    """Write one member's folders; the vote must be written after it."""
    heat, note = _mapped(member, crops) if maps else (None, "")
    report = write_member(
        repo, member.name, _served(member), member.head, member.dim, heat=heat, crops=crops
    )
    return replace(report, notes=(note,)) if note else report


def _mapped(member: Member, crops: NDArray[np.uint8] | None) -> tuple[HeatModel | None, str]:
    """The member's map model, and how well it agrees with PyTorch or why there is none.

    A member without heat maps is as good a member: nothing here ends an export.
    """
    name = f"{member.name}_map"
    if member.encoder is None:
        return None, f"{name}: none, the member sees no picture"
    found = float("nan")
    for half in (True, False):
        try:
            heat = heat_model(member.encoder, member.head, half)
        except (ValueError, RuntimeError) as error:  # the tracer's own errors are of both kinds
            return None, f"{name}: none, {str(error).splitlines()[0]}"
        found = heat_difference(member, heat, crops)
        if found <= _MAX_HEAT_ERROR:
            return heat, f"{name}: heat maps are at most {found:.2g} of their peak from PyTorch's"
    return None, f"{name}: none, its heat maps are {found:.2g} of their peak from PyTorch's"


def write_vote_of(
    repo: Path, vote: Vote, notes: str, more: Mapping[str, str] | None = None
) -> None:
    """Write the vote and the ensembles for the members that ``vote`` names.

    ``more`` are further parameters of the vote's config.
    """
    present, named = set(member_names(repo)), {one.name for one in vote.members}
    if present != named:
        raise ValueError(
            f"the calibration names {', '.join(sorted(named))}, but {repo} holds "
            f"{', '.join(sorted(present))}: calibrate again with those"
        )
    weights = [Calibration(one.name, one.scale, one.shift, one.weight) for one in vote.members]
    parameters = {
        "threshold_fake": f"{vote.threshold_fake:g}",
        "threshold_real": f"{vote.threshold_real:g}",
        "calibration": notes,
        **(more or {}),
    }
    write_vote(repo, weights, vote.bias, parameters)
    write_ensembles(repo)


def _served(member: Member) -> nn.Module | None:
    if member.encoder is None:
        return None
    return ServedEncoder(member.encoder).eval()


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training export", description=__doc__)
    parser.add_argument("--repo", type=Path, default=Path("triton_models"))
    parser.add_argument("--add", type=Path, nargs="*", default=[], help="member.pt files")
    parser.add_argument("--no-maps", action="store_true", help="leave out the heat maps' models")
    parser.add_argument("--remove", nargs="*", default=[], help="names of members to take out")
    parser.add_argument("--calibration", type=Path, required=True, help="of the calibrate step")
    parser.add_argument(
        "--notes", default="Platt and thresholds on dev videos, see docs/model-card.md"
    )
    parser.add_argument("--shards", type=Path, help="measure parity on faces of these, too")
    parser.add_argument("--crops", type=int, default=48, help="how many of them")
    parser.add_argument("--report", type=Path, help="write parity and file sizes here (JSON)")
    options = parser.parse_args(argv)
    if not options.add and not options.remove:
        raise ValueError("neither --add nor --remove given")
    vote = Vote.load(options.calibration)
    for name in options.remove:
        if not remove_member(options.repo, name):
            raise ValueError(f"{options.repo} holds no member {name!r}")
    members = [load_member(path) for path in options.add]
    crops = None
    if options.shards:
        manifest = Manifest.open(options.shards)
        chosen = spread(manifest.rows, options.crops)
        crops = np.stack([crop_of(manifest, row) for row in chosen])
    reports = export_members(options.repo, members, vote, options.notes, not options.no_maps, crops)
    for report in reports:
        sys.stdout.write("\n".join(report.lines()) + "\n")
    if options.report:
        facts = [asdict(report) for report in reports]
        options.report.write_text(json.dumps(facts, indent=2, default=dict) + "\n")
    return 0
