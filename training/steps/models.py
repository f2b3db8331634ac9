"""The models step: the registry, one name a line."""

from __future__ import annotations

import argparse
import sys


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training models", description=__doc__)
    parser.parse_args(argv)
    from training.models.registry import NAMES

    sys.stdout.write("\n".join(NAMES) + "\n")
    return 0
