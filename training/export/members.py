"""Trained members into a model repository: their models, their heat maps, and their vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from stream_server.engine.check import file_stamp
from stream_server.engine.members import EITHER, KIND, LOOKS_AT
from training.export.ensembles import write_ensembles
from training.export.heat_map import HeatModel, heat_difference, heat_model, map_difference
from training.export.member_rate import set_rate
from training.export.onnx_export import ExportReport, write_member
from training.export.path_map import path_map
from training.export.repository_writer import (
    check_removable,
    member_names,
    place_map,
    write_vote,
)
from training.judge.vote import Vote
from training.models.encoder import ServedEncoder
from training.models.member import Member
from training.models.residual import ResidualEncoder
from training.models.served_dino import served_encoder, served_mean

_MAX_HEAT_ERROR = 0.03  # of a map's peak; if 16 bit weights differ by more, 32 bit are kept


def export_members(
    repo: Path,
    members: Sequence[Member],
    vote: Vote,
    notes: str,
    maps: bool = True,
    crops: NDArray[np.uint8] | None = None,
    rates: Mapping[str, float | None] | None = None,
    fp16: bool = True,
) -> list[ExportReport]:
    """Write ``members``, a vote that names every member of the repository, and the ensembles.

    ``maps`` adds what heat maps are drawn from, a file of two bytes for each weight; ``crops``
    (uint8 ``[n, 224, 224, 3]``) are faces that parity with PyTorch is measured on. ``rates`` are
    looks a second of members, of these or others, None for every sample. ``fp16`` adds each model
    with 16-bit arithmetic, for a V100.

    Raises ``ValueError`` where the vote and the repository do not name the same members.
    """
    reports = [export_member(repo, member, maps, crops, fp16) for member in members]
    for name, rate in (rates or {}).items():
        set_rate(repo, name, rate)
    write_joint(repo, vote, notes)
    return reports


def export_member(
    repo: Path,
    member: Member,
    maps: bool = False,
    crops: NDArray[np.uint8] | None = None,
    fp16: bool = True,
) -> ExportReport:
    """Write one member's folders; the vote must be written after it."""
    heat, note = _mapped(member, crops) if maps else (None, "")
    report = write_member(
        repo, member.name, _served(member), member.head, member.reads or member.dim,
        heat=heat, crops=crops, fp16=fp16, parameters=_fitted_on(repo, member),
    )  # fmt: skip
    return replace(report, notes=(note,)) if note else report


def _mapped(member: Member, crops: NDArray[np.uint8] | None) -> tuple[HeatModel | None, str]:
    """The member's map model, and how well it agrees with PyTorch or why there is none.

    A member without heat maps is as good a member: nothing here ends an export.
    """
    name = f"{member.name}_map"
    if member.encoder is None:
        return None, f"{name}: none, the member has no encoder of its own"
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


def place_path_map(repo: Path, name: str, reals: NDArray[np.uint8]) -> str:
    """Write the map model of a DINOv2 member that ``repo`` serves; how well it does, in words.

    ``reals`` are crops of real faces, uint8 ``[n, 224, 224, 3]``. Raises ``ValueError`` for another
    kind of member, and where the map is too far from PyTorch's on them.
    """
    files = [repo / f"{name}_{part}" / "1" / "model.onnx" for part in ("encoder", "sequence")]
    if not all(file.is_file() for file in files):
        raise ValueError(f"{name} has no encoder in {repo}")
    heat, wanted = path_map(served_encoder(files[0]), served_mean(files[1]), reals)
    found = map_difference(heat, reals, wanted.of_crops(reals[:4]))
    if found > _MAX_HEAT_ERROR:
        raise ValueError(f"{name}_map: its heat maps are {found:.2g} of their peak from PyTorch's")
    place_map(repo, name, heat.model, heat.shape, heat.view)
    return (
        f"{name}_map: heat maps are at most {found:.2g} of their peak from PyTorch's; real faces "
        f"reach {wanted.level:.3g} logits"
    )


def _fitted_on(repo: Path, member: Member) -> dict[str, str]:
    """The encoders that a member without one was fitted on, how it joins the vote and what it
    looks at, for its config.

    Raises ``ValueError`` where those in the repository are others: their features would be, too.
    """
    stamps = member.facts.get("fitted_on")
    known = stamps if isinstance(stamps, dict) else {}
    for name in member.reads:
        path = repo / f"{name}_encoder" / "1" / "model.onnx"
        if not path.is_file() or file_stamp(path) != known.get(name):
            raise ValueError(
                f"{member.name} was not fitted on the encoder of {name} that lies in {repo}: "
                "run the probe step again with this repository"
            )
    found = {f"fitted_on_{name}": str(known[name]) for name in member.reads}
    if member.kind == EITHER:
        found[KIND] = member.kind
    return found | ({LOOKS_AT: sense} if (sense := sense_of(member)) else {})


def sense_of(member: Member) -> str:
    """What the member looks at, where that is more than its config shows by itself."""
    if member.kind == EITHER or member.encoder is None:
        return ""
    return "noise" if isinstance(member.encoder, ResidualEncoder) else "texture"


def write_joint(repo: Path, vote: Vote, notes: str, more: Mapping[str, str] | None = None) -> None:
    """Write what joins the members that ``vote`` names: the vote and the ensembles.

    ``notes`` say in the vote's config how it was fitted; ``more`` are further parameters of it.
    Raises ``ValueError`` where the vote and the repository do not name the same members.
    """
    check_names(repo, vote)
    write_vote(repo, vote, {"calibration": notes, **(more or {})})
    write_ensembles(repo)


def check_names(
    repo: Path, vote: Vote, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> None:
    """Whether ``vote`` is for the members of ``repo`` with ``add`` and without ``remove``.

    To be asked before anything is changed. Raises ``ValueError`` where it is not, or where what
    is to be removed is read by a member that stays.
    """
    for name in remove:
        check_removable(repo, name, remove)
    members = {*member_names(repo), *add} - {*remove}
    if members != set(vote.names):
        raise ValueError(
            f"the calibration names {', '.join(sorted(vote.names))}, but {repo} holds "
            f"{', '.join(sorted(members))}: calibrate again with those"
        )


def _served(member: Member) -> nn.Module | None:
    if member.encoder is None:
        return None
    return ServedEncoder(member.encoder).eval()
