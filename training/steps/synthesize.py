"""The synthesize step: self-blended fakes of the real faces in a folder of shards, as shards.

--gan swaps two people's faces with an autoencoder GAN of our own instead: it trains on both
people's clips (a killed run goes on from its last checkpoint) and writes their swapped videos with
an index. --grid draws a grid of faces from a trained run. "synthesize --gan --help" tells of both.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from stream_server.atomic import sweep
from training.run_dir import RunDir

# What needs PyTorch is imported where it is used: blending needs none.


def main(argv: list[str]) -> int:
    if "--gan" in argv or "--grid" in argv:
        return _gan_or_grid(_gan_parser().parse_args(argv))
    parser = argparse.ArgumentParser(prog="python -m training synthesize", description=__doc__)
    parser.add_argument("shards", type=Path, help="folder of the extract step")
    parser.add_argument("--out", type=Path, required=True, help="folder for the new shards")
    parser.add_argument("--limit", type=int, default=0, help="videos at most; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    return _blended(parser.parse_args(argv))


def _blended(options: argparse.Namespace) -> int:
    from training.augment.blended_videos import real_videos, write_blended
    from training.data.manifest import Manifest

    manifest = Manifest.open(options.shards)
    real = real_videos(manifest)
    run = RunDir(options.out / "run", vars(options))
    sweep(options.out)
    names = list(real)[: options.limit or None]
    for number, name in enumerate(names, start=1):
        count = write_blended(manifest, real[name], options.out, options.seed)
        if count:
            run.log("video", video=name, samples=count)
            sys.stderr.write(f"\r{number}/{len(names)} {name}: {count} faces\033[K")
    sys.stderr.write("\n")
    return 0


def _gan_parser() -> argparse.ArgumentParser:
    from training.gan.trainer import PRECISIONS

    made = argparse.ArgumentParser(prog="python -m training synthesize", description=__doc__)
    kind = made.add_mutually_exclusive_group(required=True)
    kind.add_argument("--gan", action="store_true", help="train, then write swapped videos")
    kind.add_argument("--grid", action="store_true", help="draw a grid of generated faces (PNG)")
    made.add_argument("--run", type=Path, required=True, help="folder of the run")
    made.add_argument("--a", type=Path, nargs="+", default=[], help="clips of the first person")
    made.add_argument("--b", type=Path, nargs="+", default=[], help="clips of the second person")
    made.add_argument("--out", type=Path, required=True, help="folder for the videos, or the PNG")
    made.add_argument("--iterations", type=int, default=20_000)
    made.add_argument("--minutes", type=float, help="stop training after so long, over all starts")
    made.add_argument("--size", type=int, default=64, help="side of the pictures in pixels")
    made.add_argument("--width", type=int, default=24, help="channels of the first layer")
    made.add_argument("--code", type=int, default=192, help="numbers from encoder to decoder")
    made.add_argument("--batch", type=int, default=4, help="pictures of each person")
    made.add_argument("--rate", type=float, default=3e-4, help="learning rate")
    made.add_argument("--precision", choices=PRECISIONS, default="32")
    made.add_argument("--device", default="cpu", help="cpu or cuda")
    made.add_argument("--threads", type=int, default=1)
    made.add_argument("--held", type=float, default=0.2, help="last part of each clip kept out")
    made.add_argument("--grid-every", type=int, default=2000, help="iterations between two grids")
    made.add_argument(
        "--checkpoint-seconds", type=float, default=60, help="between two checkpoints"
    )
    made.add_argument("--columns", type=int, default=8, help="faces in a row of --grid")
    made.add_argument("--crf", type=int, default=16, help="H.264 quality of the videos")
    made.add_argument("--judge", type=Path, help="model repository to judge the videos with")
    made.add_argument("--reals", type=Path, nargs="*", default=[], help="more real videos for it")
    made.add_argument("--seed", type=int, default=0)
    return made


def _gan_or_grid(options: argparse.Namespace) -> int:
    if options.threads < 1:
        raise ValueError(f"threads is {options.threads}, it must be at least 1")
    import torch

    torch.set_num_threads(options.threads)
    return _grid(options) if options.grid else _gan(options)


def _grid(options: argparse.Namespace) -> int:
    from training.gan.faces import load
    from training.gan.grid import grid, write_grid
    from training.gan.run import CHECKPOINT, FACES
    from training.gan.trainer import load_maker

    maker, iteration = load_maker(options.run / CHECKPOINT)
    write_grid(options.out, grid(maker, load(options.run / FACES), options.columns))
    sys.stdout.write(f"{options.out}: after {iteration} iterations\n")
    return 0


def _gan(options: argparse.Namespace) -> int:
    from training.gan.detector_scores import judge
    from training.gan.make_clips import make_clips
    from training.gan.nets import PEOPLE, Shape
    from training.gan.run import CHECKPOINT, Pace, finish_report, people_of, train
    from training.gan.trainer import Plan, load_maker

    clips = {"a": options.a, "b": options.b}
    for person in PEOPLE:
        if not clips[person]:
            raise ValueError(f"--gan needs clips of two people; --{person} is missing")
    shape = Shape(options.size, options.width, options.code)
    plan = Plan(
        iterations=options.iterations,
        batch=options.batch,
        rate=options.rate,
        precision=options.precision,
        seed=options.seed,
        device=options.device,
    )
    pace = Pace(options.minutes, options.checkpoint_seconds, options.grid_every)
    people = people_of(options.run, clips, options.size, options.held)
    train(options.run, people, shape, plan, pace)
    maker, _ = load_maker(options.run / CHECKPOINT)
    made = make_clips(maker, people, clips, options.out, crf=options.crf)
    judged = None
    if options.judge:
        shown = {options.out / one.file: one.label == "fake" for one in made}
        judged = judge(options.judge, shown, options.reals, options.threads)
    report = finish_report(options.run, made, judged)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 0
