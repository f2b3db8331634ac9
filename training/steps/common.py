"""What several steps need from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from training.data.manifest import Manifest, Quality
from training.judge.devset import thinned
from training.models.registry import Member, load_member
from training.models.served import served_members


def add_members(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--members", type=Path, nargs="*", default=[], help="member.pt files of the train step"
    )
    parser.add_argument(
        "--models", type=Path, help="a model repository: its members as they are served, but for "
        "those of whose name --members has another",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/features"), help="where features are kept"
    )
    parser.add_argument("--half", action="store_true", help="encode in 16 bit")
    parser.add_argument(
        "--thin", type=int, nargs=3, metavar=("SAMPLES", "VIDEOS", "STILLS"),
        help="look at the first SAMPLES of each video, and at most VIDEOS videos and STILLS "
        "pictures of each data set, label and method",
    )  # fmt: skip


def load_members(paths: Sequence[Path], models: Path | None = None) -> list[Member]:
    """The members of the repository ``models``, replaced and followed by those in ``paths``.

    Raises ``ValueError`` where a name comes twice in ``paths``, or there is no member at all.
    """
    members = [load_member(path) for path in paths]
    names = [member.name for member in members]
    if len(set(names)) != len(names):
        raise ValueError(f"members must have names of their own, got {', '.join(names)}")
    if models is not None:
        given = dict(zip(names, members, strict=True))
        served = [given.pop(one.name, one) for one in served_members(models)]
        members = [*served, *given.values()]
    if not members:
        raise ValueError("neither --members nor --models names a member")
    return members


def load_split(options: argparse.Namespace) -> Manifest:
    """The samples of the chosen split. Raises ``ValueError`` where there is none."""
    manifest = Manifest.open(options.shards, Quality(sharpness=options.sharpness))
    part = manifest.where([row for row in manifest.rows if row.sample.split == options.split])
    if not len(part):
        raise ValueError(f"{options.shards}: no sample of split {options.split!r}")
    return thinned(part, *options.thin) if options.thin else part


def cache_for(options: argparse.Namespace) -> Path:
    """The folder for features of the chosen split; each encoder has its own inside it."""
    return Path(options.cache) / str(options.split)
