"""The extract step: videos and pictures to shards of face patches, resumable."""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

from stream_server.atomic import sweep
from training.data.extract import units
from training.data.on_ray import Settings, extractor
from training.data.on_workers import extract_units
from training.data.public_sets import LAYOUTS
from training.run_dir import RunDir


def _tell(run: RunDir, event: str, **values: object) -> None:
    run.log(event, **values)
    text = ", ".join(f"{name} {value}" for name, value in values.items())
    sys.stderr.write(f"\r{event}: {text}\033[K\n")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training extract", description=__doc__)
    parser.add_argument("root", type=Path, help="the data set's folder")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    parser.add_argument("--format", choices=["shards", "video"], default="shards")
    parser.add_argument("--rate", type=float, default=10.0, help="samples per second of video")
    parser.add_argument("--min-face", type=int, default=40, help="smallest face in pixels")
    parser.add_argument("--sharpness", type=float, default=30, help="drop what is blurred more")
    parser.add_argument("--every-track", action="store_true", help="all faces, not the main one")
    parser.add_argument("--workers", type=int, default=1, help="processes, without --ray")
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="a Ray cluster: HOST:PORT, ray://HOST:PORT, auto or local"
    )
    options = parser.parse_args(argv)
    if options.ray is not None:
        # A node has another working directory.
        options.root, options.out = options.root.absolute(), options.out.absolute()
    settings: Settings = (
        options.out,
        options.rate,
        options.min_face,
        options.sharpness,
        options.every_track,
        options.format,
    )
    every = units(list(LAYOUTS[options.layout](options.root)))
    run = RunDir(options.out / "run", vars(options))
    sweep(options.out)
    todo = [unit for unit in every if not extractor(settings).done(unit)]
    started, done, skipped, given_up = time.monotonic(), len(every) - len(todo), 0, 0
    try:
        for name, result, where in extract_units(
            settings, todo, options.workers, options.ray, partial(_tell, run)
        ):
            if result is None:
                given_up += 1
                continue
            run.log("unit", unit=name, samples=result.samples, skipped=result.skipped, **where)
            done += 1
            skipped += len(result.skipped)
            spent = time.monotonic() - started
            sys.stderr.write(
                f"\r{done}/{len(every)} {name}: {result.samples} faces, {spent:.0f} s\033[K"
            )
    except KeyboardInterrupt:
        sys.stderr.write(
            f"\nstopped at {done} of {len(every)} units; another run goes on from here\n"
        )
        return 130
    listing = options.out / "run" / "log.jsonl"
    sys.stderr.write(f"\n{done} units, {skipped} items skipped; {listing} says which and why\n")
    if given_up:
        sys.stderr.write(f"{given_up} units given up; another run tries them again\n")
    return 1 if given_up else 0
