"""The splits step: train, dev and test by identity, written as the shards' listing."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from training.data.manifest import Manifest
from training.data.splits import assign, check


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
    manifest = Manifest.scan(options.shards)
    for problem in manifest.broken:
        sys.stderr.write(f"left out: {problem}\n")
    samples = [row.sample for row in manifest.rows]
    chosen = assign(samples, options.shares, options.seed)
    manifest.rows = [
        replace(row, sample=replace(row.sample, split=chosen[row.sample.video]))
        for row in manifest.rows
    ]
    check([row.sample for row in manifest.rows])
    path = manifest.write()
    counts = Counter((row.sample.split, row.sample.label) for row in manifest.rows)
    for (split, label), count in sorted(counts.items()):
        sys.stdout.write(f"{split} {label}: {count} samples\n")
    sys.stdout.write(f"{path}\n")
    return 0
