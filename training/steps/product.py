"""The product step: labelled videos through the whole product, from file to verdict."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from stream_server.atomic import write_text
from training.data.public_sets import LAYOUTS
from training.judge.product import figures
from training.judge.product_run import judge_all


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training product", description=__doc__)
    parser.add_argument("root", type=Path, help="the data set's folder")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), required=True)
    parser.add_argument("--split", default="dev", help="which part; empty: all of it")
    parser.add_argument("--models", type=Path, default=Path("triton_models"))
    parser.add_argument("--out", type=Path, required=True, help="figures (JSON); resumes from it")
    options = parser.parse_args(argv)
    items = [item for item in LAYOUTS[options.layout](options.root) if item.kind == "video"]
    items = [item for item in items if not options.split or item.split == options.split]
    if not items:
        raise ValueError(f"{options.root} holds no video of split {options.split!r}")
    rows = asyncio.run(judge_all(options.models, items, options.out.with_suffix(".rows.jsonl")))
    text = json.dumps(figures(rows), indent=2) + "\n"
    write_text(options.out, text)
    sys.stdout.write(text)
    return 0
