"""The probe step: a member without an encoder, on the features that served ones give.

It asks another question than they do: not whether a face was swapped, but whether the whole head
was generated or driven by sound. So it joins the vote as one-or-the-other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from training.data.manifest import Manifest, Quality
from training.fit.probe import Rows, auc_by_maker, fit_probe, joined, rows_of, scores_of
from training.fit.run import RunDir
from training.judge.devset import SWAPS, thinned
from training.judge.scoring import Followed, encode_with, follow, stamp
from training.models.registry import Member, save_member
from training.models.served import served_members

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


def views(
    members: Sequence[Member], manifest: Manifest, cache: Path, tier: str
) -> Iterator[dict[str, Followed]]:
    """Each track as every member's encoder sees it."""
    encoders = [
        (encode_with(one.encoder), cache / f"{one.name}-{stamp(one.encoder)}") for one in members
    ]
    for found in follow(manifest, encoders, tier, stills=len(manifest)):
        yield dict(zip((one.name for one in members), found, strict=True))


def chosen_members(repo: Path, names: Sequence[str]) -> list[Member]:
    """The members ``names`` of the repository, or all that have an encoder.

    Raises ``ValueError`` for one that has none.
    """
    known = {one.name: one for one in served_members(repo) if one.encoder is not None}
    lacking = [name for name in names if name not in known]
    if lacking:
        raise ValueError(f"{', '.join(lacking)} has no encoder in {repo}; {', '.join(known)} have")
    return [known[name] for name in names or known]


def part_of(options: argparse.Namespace, split: str, thin: Sequence[int]) -> Manifest:
    """The faces of ``split`` to look at, without the fakes that are not asked for."""
    manifest = Manifest.open(options.shards, Quality(sharpness=options.sharpness))
    rows = [
        row
        for row in manifest.rows
        if row.sample.split == split
        and (
            split == "dev" or row.sample.label == "real" or row.sample.dataset not in options.apart
        )
    ]
    samples, videos, stills = thin
    return thinned(manifest.where(rows), samples, videos, stills)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training probe", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("triton_models"))
    parser.add_argument("--reads", nargs="*", default=[], help="members; all with an encoder")
    parser.add_argument("--name", default="generated_heads", help="the new member's name")
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--run", type=Path, required=True, help="where member.pt goes")
    parser.add_argument("--cache", type=Path, default=Path("runs/features"))
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument("--tiers", nargs="+", default=["clean", "web", "hard"])
    parser.add_argument(
        "--apart", nargs="*", default=list(SWAPS), help="data sets whose fakes are left out"
    )
    numbers = ("SAMPLES", "VIDEOS", "STILLS")
    parser.add_argument(
        "--thin", type=int, nargs=3, default=(10, 120, 500), metavar=numbers,
        help="of each video, and of each set, label and maker, at most",
    )  # fmt: skip
    parser.add_argument(
        "--thin-dev", type=int, nargs=3, default=(20, 100, 400), metavar=numbers
    )  # fmt: skip
    options = parser.parse_args(argv)
    members = chosen_members(options.models, options.reads)
    dims = {one.name: one.dim for one in members}
    run = RunDir(options.run, vars(options))
    rows: dict[str, dict[str, Rows]] = {}
    for split, thin in (("train", options.thin), ("dev", options.thin_dev)):
        part = part_of(options, split, thin)
        for tier in options.tiers:
            sys.stderr.write(f"{split}, {tier}: {len(part)} faces\n")
            tracks = views(members, part, options.cache / split, tier)
            rows.setdefault(split, {})[tier] = rows_of(tracks, options.apart)
    train = joined(list(rows["train"].values()))
    best, figures, highest = None, {}, -1.0
    for penalty in PENALTIES:
        probe = fit_probe(train, list(dims.values()), penalty)
        per_tier = {
            tier: auc_by_maker(part, scores_of(probe, part)) for tier, part in rows["dev"].items()
        }
        mean = float(np.mean([value for one in per_tier.values() for value in one.values()]))
        run.log("penalty", penalty=penalty, mean=mean, dev=per_tier)
        sys.stderr.write(f"penalty {penalty:g}: mean over dev's makers {mean:.3f}\n")
        if mean > highest:
            best, highest = probe, mean
            figures = {"penalty": penalty, "mean": mean, **per_tier}
    assert best is not None
    facts: dict[str, object] = {
        "dev": figures,
        "fitted_on": {one.name: stamp(one.encoder) for one in members},
        "kind": "either",
    }
    width = sum(dims.values())
    save_member(
        options.run / "member.pt", Member(options.name, None, best, width, facts, dims), facts
    )
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0
