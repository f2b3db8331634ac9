"""What several steps need from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from training.data.manifest import Manifest, Quality
from training.models.registry import Member, load_member


def add_members(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--members", type=Path, nargs="+", required=True, help="member.pt files of the train step"
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/features"), help="where features are kept"
    )
    parser.add_argument("--half", action="store_true", help="encode in 16 bit")


def load_members(paths: Sequence[Path]) -> list[Member]:
    """The members in ``paths``. Raises ``ValueError`` where a name comes twice."""
    members = [load_member(path) for path in paths]
    names = [member.name for member in members]
    if len(set(names)) != len(names):
        raise ValueError(f"members must have names of their own, got {', '.join(names)}")
    return members


def load_split(options: argparse.Namespace) -> Manifest:
    """The samples of the chosen split. Raises ``ValueError`` where there is none."""
    manifest = Manifest.open(options.shards, Quality(sharpness=options.sharpness))
    part = manifest.where([row for row in manifest.rows if row.sample.split == options.split])
    if not len(part):
        raise ValueError(f"{options.shards}: no sample of split {options.split!r}")
    return part


def cache_for(options: argparse.Namespace) -> Path:
    """The folder for features of the chosen split; each encoder has its own inside it."""
    return Path(options.cache) / str(options.split)
