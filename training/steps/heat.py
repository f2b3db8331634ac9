"""The heat step: the map model of DINOv2 members, made of the files that they are served from.

A heat map tells what a picture has that real faces lack, so it needs real faces: those of
``--shards``, of split train where they are split, of every data set alike.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from training.data.manifest import Manifest, spread
from training.data.shards import Stored
from training.export.members import place_path_map
from training.judge.devset import crop_of


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training heat", description=__doc__)
    parser.add_argument("members", nargs="+", metavar="MEMBER")
    parser.add_argument("--repo", type=Path, default=Path("triton_models"))
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--crops", type=int, default=24, help="how many of each data set")
    options = parser.parse_args(argv)
    manifest = Manifest.open(options.shards)
    sets: dict[str, list[Stored]] = {}
    for row in manifest.rows:
        if row.sample.label == "real" and row.sample.split in ("train", ""):
            sets.setdefault(row.sample.dataset, []).append(row)
    if not sets:
        raise ValueError(f"{options.shards} holds no real face to train on")
    rows = [row for one in sets.values() for row in spread(one, options.crops)]
    reals = np.stack([crop_of(manifest, row) for row in rows])
    for name in options.members:
        note = place_path_map(options.repo, name, reals)
        sys.stdout.write(f"{note}, by {len(reals)} real faces of {len(sets)} sets\n")
    return 0
