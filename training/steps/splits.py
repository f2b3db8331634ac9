"""The splits step: train, dev and test by identity, written as the shards' listing."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from training.data.manifest import LISTING
from training.data.splits import split


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training splits", description=__doc__)
    parser.add_argument("shards", type=Path, help="folder of the extract step")
    parser.add_argument(
        "--shares",
        type=json.loads,
        default={"train": 0.8, "dev": 0.1, "test": 0.1},
        help='JSON: parts of what has no official split, e.g. {"train": 0.8, "dev": 0.2}',
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    manifest = split(options.shards, options.shares, options.seed)
    for problem in manifest.broken:
        sys.stderr.write(f"left out: {problem}\n")
    counts = Counter((row.sample.split, row.sample.label) for row in manifest.rows)
    for (part, label), count in sorted(counts.items()):
        sys.stdout.write(f"{part} {label}: {count} samples\n")
    sys.stdout.write(f"{options.shards / LISTING}\n")
    return 0
