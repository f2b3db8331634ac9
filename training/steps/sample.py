"""The sample step: the clip that the live page shows, a portrait whose middle third is fake."""

from __future__ import annotations

import argparse
from pathlib import Path

from stream_server import resources
from training.augment.sample_clip import frames, write

DEFAULT = resources.sample_clip()


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training sample", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT)
    parser.add_argument("--seconds", type=float, default=27.0)
    parser.add_argument("--crf", type=int, default=25, help="H.264 quality; lower is larger")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    write(options.out, frames(options.seconds, options.seed), options.crf)
    return 0
