"""The train step."""

from __future__ import annotations

import training.torchvision_compat  # noqa: F401  # before all that imports torchvision

# isort: split

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

from training.data.batches import Mix, TrainingBatches
from training.data.manifest import Manifest, Quality
from training.devset import group_aucs, score_videos
from training.frames_module import Clock, FrameModel, FrameModule, scorer
from training.models.encoder import MobileNetV2Encoder
from training.run import RunDir


class DevFigures(Callback):
    """Judges the averaged weights on dev every ``minutes`` and keeps the best and the last.

    The best has the highest mean of the AUCs of ``choose``; DFDC is not among them, since a net
    that learnt its fingerprint leads there and fails elsewhere.
    """

    def __init__(self, dev: Manifest, run: RunDir, minutes: float, choose: tuple[str, ...]) -> None:
        self.dev, self.run, self.minutes, self.choose = dev, run, minutes, choose
        self.best = float("-inf")
        self._due = time.monotonic() + 60 * minutes

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        if time.monotonic() >= self._due:
            self.judge(trainer, pl_module)
            self._due = time.monotonic() + 60 * self.minutes

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.judge(trainer, pl_module)

    def judge(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        assert isinstance(module, FrameModule)
        model = module.averaged.eval()
        half = torch.bfloat16 if "bf16" in str(trainer.precision) else None
        figures = group_aucs(score_videos(self.dev, scorer(model, half), per_video=8))
        chosen = [figures[name] for name in self.choose if name in figures]
        value = sum(chosen) / len(chosen) if chosen else float("nan")
        self.run.log(
            "dev", step=trainer.global_step, minutes=module.clock.spent / 60, choice=value,
            figures=figures, **{name: float(v) for name, v in trainer.callback_metrics.items()},
        )  # fmt: skip
        save(self.run.path / "last.pt", model, figures)
        if value > self.best:
            self.best = value
            save(self.run.path / "best.pt", model, figures)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]


def save(path: Path, model: FrameModel, figures: dict[str, float]) -> None:
    """Write the weights and what they reach on dev; whole or not at all."""
    unfinished = path.with_suffix(".part")
    torch.save({"state": model.state_dict(), "dev": figures}, unfinished)
    unfinished.rename(path)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training train", description=__doc__)
    parser.add_argument("--shards", type=Path, required=True, help="folder of the extract step")
    parser.add_argument("--run", type=Path, required=True, help="run directory; resumes there")
    parser.add_argument("--start", type=Path, help="ImageNet weights (safetensors)")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0: never")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many; 0: never")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--warm-steps", type=int, default=0, help="first batches at --warm-size")
    parser.add_argument("--warm-size", type=int, default=160)
    parser.add_argument("--mix", type=json.loads, default={}, help="JSON: pairs a batch by stream")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--precision", default="bf16-mixed")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--dev-minutes", type=float, default=10)
    parser.add_argument("--sharpness", type=float, default=12, help="variance of the Laplacian")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    if not options.minutes and not options.steps:
        raise ValueError("neither --minutes nor --steps given: the run would never end")
    L.seed_everything(options.seed)
    run = RunDir(options.run, vars(options))
    manifest = Manifest.scan(options.shards, Quality(sharpness=options.sharpness))
    train = manifest.where([row for row in manifest.rows if row.sample.split == "train"])
    dev = manifest.where([row for row in manifest.rows if row.sample.split == "dev"])
    last = run.path / "checkpoints" / "last.ckpt"
    done = torch.load(last, weights_only=False)["global_step"] if last.exists() else 0
    batches = TrainingBatches(
        train, Mix(**options.mix), options.size, options.seed, options.warm_steps,
        options.warm_size, done,
    )  # fmt: skip
    loader = DataLoader(batches, batch_size=None, num_workers=options.workers)
    encoder = MobileNetV2Encoder(options.start)
    model = FrameModel(encoder, encoder.dim).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub
    module = FrameModule(model, Clock(options.steps, options.minutes), options.rate)
    figures = DevFigures(
        dev, run, options.dev_minutes, ("FaceForensics++ c23", "DeepFaceLive demo")
    )
    keeper = ModelCheckpoint(
        run.path / "checkpoints", save_last=True, every_n_train_steps=100, save_top_k=0
    )
    trainer = L.Trainer(
        max_epochs=1, max_steps=options.steps or -1, precision=options.precision,
        accelerator="auto", devices=options.devices, callbacks=[figures, keeper],
        default_root_dir=run.path, gradient_clip_val=1.0, log_every_n_steps=20,
        enable_progress_bar=sys.stderr.isatty(), enable_model_summary=False, limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(module, loader, ckpt_path=str(last) if last.exists() else None)
    run.log("end", step=trainer.global_step, best=figures.best)
    if not (run.path / "best.pt").exists():
        shutil.copy(run.path / "last.pt", run.path / "best.pt")
    return 0
