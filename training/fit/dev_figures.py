"""Judging a frames run on dev while it goes on, and keeping the best of its weights."""

from __future__ import annotations

from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from training.data.manifest import Manifest
from training.fit.frames_module import FrameModule, scorer
from training.fit.ranks import shared
from training.judge.devset import group_aucs, score_videos
from training.models.weights import save_frames
from training.run_dir import RunDir


class DevFigures(Callback):
    """Judges the averaged weights on dev every ``minutes``; keeps the best and the last.

    Data sets of single pictures are left out of the choice where there are videos: DFDC's crops
    reward a net that learnt its makers' fingerprint and fails elsewhere. ``patience`` ends the run
    after so many judgings without a new best; 0 is never.
    """

    def __init__(self, dev: Manifest, run: RunDir, minutes: float, patience: int) -> None:
        self.dev, self.run, self.minutes, self.patience = dev, run, minutes, patience
        self.best = float("-inf")
        self.since_best = 0
        self._due: float | None = None

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        # By the run's own clock, which all processes share: they must judge and stop together.
        spent = cast(FrameModule, pl_module).clock.spent
        if self._due is None:
            self._due = spent + 60 * self.minutes
        if spent >= self._due:
            self.judge(trainer, pl_module)
            self._due = None
            waited = shared(self.since_best, pl_module.device)
            trainer.should_stop = trainer.should_stop or 0 < self.patience <= waited

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.judge(trainer, pl_module)

    def judge(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Log the figures of the averaged weights and write them; in the first process alone."""
        if not isinstance(module, FrameModule) or not trainer.is_global_zero:
            return
        model = module.averaged.eval()
        half = torch.bfloat16 if "bf16" in str(trainer.precision) else None
        scored = score_videos(self.dev, scorer(model, half), per_video=8)
        figures = group_aucs(scored)
        moving = {one.sample.dataset for one in scored if len(one.scores) > 1}
        chosen = [figures[name] for name in moving or figures if name in figures]
        value = sum(chosen) / len(chosen) if chosen else float("nan")
        self.run.log(
            "dev",
            step=trainer.global_step,
            minutes=module.clock.spent / 60,
            choice=value,
            figures=figures,
            **{name: float(figure) for name, figure in trainer.callback_metrics.items()},
        )
        if trainer.logger is not None:
            trainer.logger.log_metrics(
                {f"dev/{name}": figure for name, figure in figures.items()}, trainer.global_step
            )
        save_frames(self.run.path / "last.pt", model.kept(), {"dev": figures})
        self.since_best += 1
        if value > self.best:
            self.best, self.since_best = value, 0
            save_frames(self.run.path / "best.pt", model.kept(), {"dev": figures})

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "since_best": self.since_best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]
        self.since_best = state_dict.get("since_best", 0)
