"""The extract step: videos and pictures to shards of face patches, resumable."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2

from training.data.extract import Extractor, units
from training.data.layouts import LAYOUTS
from training.run import RunDir


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training extract", description=__doc__)
    parser.add_argument("root", type=Path, help="the data set's folder")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    parser.add_argument("--rate", type=float, default=10.0, help="samples per second of video")
    parser.add_argument("--min-face", type=int, default=40, help="smallest face in pixels")
    parser.add_argument("--part", default="1/1", help="K/N: every Nth unit from the Kth on")
    options = parser.parse_args(argv)
    cv2.setNumThreads(1)
    number, parts = (int(value) for value in options.part.split("/"))
    todo = units(list(LAYOUTS[options.layout](options.root)))[number - 1 :: parts]
    run = RunDir(options.out / "run", vars(options))
    extractor = Extractor(options.out, options.rate, options.min_face)
    started = time.monotonic()
    for place, unit in enumerate(todo, start=1):
        if extractor.done(unit):
            continue
        count, skipped = extractor.run(unit)
        run.log("unit", unit=unit.name, samples=count, skipped=skipped)
        spent = time.monotonic() - started
        sys.stderr.write(f"\r{place}/{len(todo)} {unit.name}: {count} faces, {spent:.0f} s\033[K")
    sys.stderr.write("\n")
    return 0
