"""The card step: put the evaluation's figures into the model card, and how often the whole product
was right into the config of the models that it was right with."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.export.repository_writer import set_accuracy
from training.judge.card import accuracy, renew


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training card", description=__doc__)
    parser.add_argument("--card", type=Path, default=Path("docs/model-card.md"))
    parser.add_argument("--report", type=Path, default=Path("docs/evaluation.json"))
    parser.add_argument("--parity", type=Path, help="the export step's report")
    parser.add_argument("--product", type=Path, help="the product step's figures")
    parser.add_argument("--judged", type=Path, help="the judge step's figures")
    parser.add_argument("--repo", type=Path, help="the models that --product is of, to be told so")
    parser.add_argument(
        "--peers", type=Path, nargs="*", default=[],
        help="the judge step's figures of published networks, each named by its file",
    )  # fmt: skip
    parser.add_argument("--lrnet", type=Path, help="the lrnet step's figures")
    parser.add_argument(
        "--pictures", type=Path, help="of the calibrate step, with the vote of single pictures"
    )
    options = parser.parse_args(argv)
    if options.repo and not options.product:
        raise ValueError("--repo is told the figures of --product: name its file")
    renew(
        options.card, options.report, options.parity, options.product, options.judged,
        options.peers, options.lrnet, options.pictures,
    )  # fmt: skip
    if options.repo:
        set_accuracy(options.repo, accuracy(json.loads(options.product.read_text())))
    return 0
