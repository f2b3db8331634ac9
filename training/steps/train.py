"""The train step: an encoder on single crops, then a head on windows of its features."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.data.manifest import Manifest, Quality
from training.fit.member import train_member
from training.fit.pairs import Mix
from training.fit.settings import FrameSettings, HeadSettings
from training.models.registry import parse
from training.run_dir import RunDir


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training train", description=__doc__)
    parser.add_argument("--model", default="mobilenetv2_lstm", help="a name of the models step")
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--run", type=Path, required=True, help="run directory; resumes there")
    parser.add_argument(
        "--stage", choices=["all", "frames", "head", "mean"], default="all",
        help="mean: no training, the mean of the frames for a head",
    )  # fmt: skip
    parser.add_argument("--start", type=Path, help="a file of ImageNet weights")
    parser.add_argument("--begin", type=Path, help="best.pt of an earlier run to go on from")
    parser.add_argument("--download", action="store_true", help="let timm fetch ImageNet weights")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0: never")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many; 0: never")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--warm-steps", type=int, default=0, help="first batches at --warm-size")
    parser.add_argument("--warm-size", type=int, default=160)
    parser.add_argument("--mix", type=json.loads, default={}, help="JSON: pairs a batch by stream")
    parser.add_argument("--autoencoders", type=Path, help="their folder, for rebuilt faces")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--hold", type=float, default=0, help="share of the run at full rate")
    parser.add_argument("--local", type=float, default=0, help="weight of the borders' search")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the mean weights")
    parser.add_argument("--precision", default="bf16-mixed", help="16-mixed on a V100")
    parser.add_argument("--accumulate", type=int, default=1, help="batches per step")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--devices", type=int, default=1, help="of each node; DDP from two on")
    parser.add_argument("--num-nodes", type=int, default=1, help="machines that train together")
    parser.add_argument("--accelerator", choices=["auto", "cpu", "gpu"], default="auto")
    parser.add_argument("--strategy", choices=["auto", "ddp"], default="auto")
    parser.add_argument("--dev-minutes", type=float, default=10, help="between judgings on dev")
    parser.add_argument("--patience", type=int, default=0, help="judgings without a new best")
    parser.add_argument("--wandb", default="", help="Weights & Biases project, beside TensorBoard")
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument("--passes", type=int, default=3, help="augmented passes a clip, for heads")
    parser.add_argument("--stills", type=int, default=3000, help="single pictures, for heads")
    parser.add_argument("--head-steps", type=int, default=1500)
    parser.add_argument(
        "--take", choices=("best", "last"), default="best",
        help="frames weights that the head is put on: best on dev, or the last",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    return parser


def processes(argv: list[str]) -> int:
    """How many processes train with these arguments."""
    options = _parser().parse_args(argv)
    return int(options.devices * options.num_nodes)


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    frames = FrameSettings(
        minutes=options.minutes,
        steps=options.steps,
        start=options.start,
        download=options.download,
        begin=options.begin,
        autoencoders=options.autoencoders,
        size=options.size,
        warm_steps=options.warm_steps,
        warm_size=options.warm_size,
        rate=options.rate,
        new_rate=3 * options.rate,
        hold=options.hold,
        local=options.local,
        average=options.average,
        precision=options.precision,
        accumulate=options.accumulate,
        workers=options.workers,
        devices=options.devices,
        nodes=options.num_nodes,
        accelerator=options.accelerator,
        strategy=options.strategy,
        dev_minutes=options.dev_minutes,
        patience=options.patience,
        seed=options.seed,
        wandb=options.wandb,
        mix=Mix(**options.mix),
    )
    head = HeadSettings(
        passes=options.passes,
        stills=options.stills,
        steps=options.head_steps,
        seed=options.seed,
        half="bf16" in options.precision,
        accelerator=options.accelerator,
    )
    spec = parse(options.model)
    manifest = Manifest.open(options.shards, Quality(sharpness=options.sharpness))
    train, dev = manifest.split("train"), manifest.split("dev")
    run = RunDir(options.run, vars(options))
    train_member(spec, run, train, dev, frames, head, options.stage, options.take)
    return 0
