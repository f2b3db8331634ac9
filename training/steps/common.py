"""What several steps need from the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.data.manifest import Manifest, Quality
from training.data.shards import SWAPS
from training.export.member_rate import parse_setting
from training.judge.devset import thinned
from training.models.member import Member
from training.models.served import chosen_members


def add_members(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--members", type=Path, nargs="*", default=[], help="member.pt files of the train step"
    )
    parser.add_argument(
        "--models", type=Path, help="a model repository: its members as they are served, but for "
        "those of whose name --members has another",
    )  # fmt: skip
    parser.add_argument(
        "--embedded", action="store_true",
        help="judge the members of --models by the files that the embedded engine opens",
    )  # fmt: skip
    parser.add_argument(
        "--rate", nargs="*", default=[], metavar="MEMBER=HZ",
        help="judge members on fewer looks a second than --models says or than all; MEMBER=every",
    )  # fmt: skip


def members_of(options: argparse.Namespace) -> list[Member]:
    """The members that the command line names. Raises ``ValueError``."""
    rates = dict(parse_setting(one) for one in options.rate)
    return chosen_members(options.members, options.models, rates, options.embedded)


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


def load_split(options: argparse.Namespace) -> Manifest:
    """The samples of the chosen split. Raises ``ValueError`` where there is none."""
    manifest = Manifest.open(options.shards, Quality(sharpness=options.sharpness))
    part = manifest.split(options.split)
    return thinned(part, *options.thin) if options.thin else part


def add_vote(parser: argparse.ArgumentParser) -> None:
    """The options of every step that fits a vote."""
    parser.add_argument("--tiers", nargs="+", default=["clean", "web", "hard"])
    parser.add_argument(
        "--swaps", nargs="*", default=list(SWAPS),
        help="data sets whose fakes weigh the members, where one joins as one-or-the-other",
    )  # fmt: skip


def cache_for(options: argparse.Namespace) -> Path:
    """The folder for features of the chosen split; each encoder has its own inside it."""
    return Path(options.cache) / str(options.split)
