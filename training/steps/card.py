"""The card step: put the evaluation's figures into the model card."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.judge.card import renew


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training card", description=__doc__)
    parser.add_argument("--card", type=Path, default=Path("docs/model-card.md"))
    parser.add_argument("--report", type=Path, default=Path("docs/evaluation.json"))
    parser.add_argument("--parity", type=Path, help="the export step's report")
    parser.add_argument("--product", type=Path, help="the product step's figures")
    parser.add_argument("--judged", type=Path, help="the judge step's figures")
    options = parser.parse_args(argv)
    renew(options.card, options.report, options.parity, options.product, options.judged)
    return 0
