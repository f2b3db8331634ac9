"""The quantise step: an encoder's file in 8 bit, for the embedded engine alone.

Triton and every comparison of the engines go on with fp32. What it costs is for dev to say:
``judge --models REPO --embedded`` judges the files that the embedded engine opens.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training quantise", description=__doc__)
    parser.add_argument("members", nargs="+", metavar="MEMBER")
    parser.add_argument("--repo", type=Path, default=Path("triton_models"))
    options = parser.parse_args(argv)
    from training.export.quantised import quantise

    for name, size in quantise(options.repo, options.members).items():
        sys.stdout.write(f"{name}: {size / 1e6:.2f} MB\n")
    return 0
