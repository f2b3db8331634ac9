"""The train step: an encoder on single crops, then a head on windows of its features."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import lightning as L

from training.data.manifest import Manifest, Quality
from training.fit.batches import Mix
from training.fit.frames import FrameSettings, train_frames
from training.fit.head import train_head
from training.fit.memory import keep_freed_memory
from training.fit.quiet import quiet
from training.fit.run import RunDir, first_process
from training.models.registry import parse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training train", description=__doc__)
    parser.add_argument("--model", default="mobilenetv2_lstm", help="a name of the models step")
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--run", type=Path, required=True, help="run directory; resumes there")
    parser.add_argument("--stage", choices=["all", "frames", "head"], default="all")
    parser.add_argument("--start", type=Path, help="a file of ImageNet weights")
    parser.add_argument("--begin", type=Path, help="best.pt of an earlier run to go on from")
    parser.add_argument("--download", action="store_true", help="let timm fetch ImageNet weights")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0: never")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many; 0: never")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--warm-steps", type=int, default=0, help="first batches at --warm-size")
    parser.add_argument("--warm-size", type=int, default=160)
    parser.add_argument("--mix", type=json.loads, default={}, help="JSON: pairs a batch by stream")
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
    keep_freed_memory()
    with quiet():
        return _train(options)


def _train(options: argparse.Namespace) -> int:
    spec = parse(options.model)
    manifest = Manifest.open(options.shards, Quality(sharpness=options.sharpness))
    parts = {
        split: manifest.where([row for row in manifest.rows if row.sample.split == split])
        for split in ("train", "dev")
    }
    for split, part in parts.items():
        if not len(part):
            raise ValueError(f"{options.shards}: no sample of split {split}; run the splits step")
    L.seed_everything(options.seed, verbose=False)
    run = RunDir(options.run, vars(options))
    for problem in manifest.broken:
        run.log("broken shard", problem=problem)
    best = options.run / "best.pt"
    if spec.backbone and options.stage in ("all", "frames"):
        settings = FrameSettings(
            minutes=options.minutes,
            steps=options.steps,
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
        best = train_frames(
            spec,
            run,
            parts["train"],
            parts["dev"],
            settings,
            options.start,
            options.download,
            options.begin,
        )
    if options.take == "last":
        best = best.with_name("last.pt")
    if options.stage in ("all", "head") and first_process():
        train_head(
            spec,
            run,
            parts["train"],
            parts["dev"],
            best if spec.backbone else None,
            options.passes,
            options.stills,
            options.head_steps,
            seed=options.seed,
            half="bf16" in options.precision,
            accelerator=options.accelerator,
        )
    return 0
