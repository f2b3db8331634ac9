"""The average step: one set of frames weights from several runs of one model.

What each run has learnt is often kept in the mean of their weights. Whether it is, is for dev to
say.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.models.weights import averaged, save_frames


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training average", description=__doc__)
    parser.add_argument("weights", nargs="+", type=Path, help="best.pt or last.pt of each run")
    parser.add_argument("--run", type=Path, required=True, help="run directory to write it to")
    options = parser.parse_args(argv)
    target = options.run / "best.pt"
    save_frames(target, averaged(options.weights), {"of": [str(path) for path in options.weights]})
    sys.stdout.write(f"{target}\n")
    return 0
