"""The pack step: less of the shards, in pieces small enough to be carried to another machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.data.manifest import Manifest, Quality
from training.data.pack import chosen, pack


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training pack", description=__doc__)
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--piece-mb", type=float, default=60)
    parser.add_argument("--per-video", type=int, default=16, help="samples, evenly over its time")
    parser.add_argument("--stills", type=int, default=20000, help="pictures of each set and label")
    parser.add_argument(
        "--others", type=json.loads, default={},
        help='JSON: otherwise for some, {"DATASET/LABEL": samples}; DATASET/pair for moments',
    )  # fmt: skip
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    part = Manifest.open(options.shards, Quality(sharpness=options.sharpness)).split(options.split)
    groups = chosen(part, options.per_video, options.stills, options.others)
    options.out.mkdir(parents=True, exist_ok=True)
    for path, count in pack(part, groups, options.out, int(options.piece_mb * 1e6), options.seed):
        sys.stdout.write(f"{path}: {count} samples, {path.stat().st_size / 1e6:.1f} MB\n")
    return 0
