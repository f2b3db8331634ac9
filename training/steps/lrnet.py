"""The lrnet step: labelled videos through LRNet's published weights, as the product step's figures.

It runs the authors' own code out of CLONE, a clone of github.com/frederickszk/LRNet; PREDICTOR is
dlib's shape_predictor_68_face_landmarks.dat. dlib itself comes with the ``peers`` extra.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from stream_server.atomic import write_text
from training.data.public_sets import LAYOUTS
from training.judge.lrnet import LRNet
from training.judge.product import figures
from training.judge.product_run import Kept


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training lrnet", description=__doc__)
    parser.add_argument("root", type=Path, help="the data set's folder")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), required=True)
    parser.add_argument("--split", default="dev", help="which part; empty: all of it")
    parser.add_argument("--clone", type=Path, required=True)
    parser.add_argument("--predictor", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="figures (JSON); resumes from it")
    options = parser.parse_args(argv)
    items = [item for item in LAYOUTS[options.layout](options.root) if item.kind == "video"]
    items = [item for item in items if not options.split or item.split == options.split]
    if not items:
        raise ValueError(f"{options.root} holds no video of split {options.split!r}")
    peer = LRNet(options.clone, options.predictor)
    kept = Kept(options.out.with_suffix(".rows.jsonl"), peer.stamp)
    judge = peer.open()
    for number, item in enumerate(items, start=1):
        if item.name not in kept.rows:
            kept.add(judge.judge(item))
        sys.stderr.write(f"\r{number}/{len(items)} {item.name}\033[K")
    sys.stderr.write("\n")
    rows = [kept.rows[item.name] for item in items]
    text = json.dumps(figures(rows), indent=2) + "\n"
    write_text(options.out, text)
    sys.stdout.write(text)
    return 0
