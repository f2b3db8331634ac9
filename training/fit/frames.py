"""Training an encoder on single crops: data, trainer, and the judging on dev."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch.utils.data import DataLoader

from stream_server.atomic import replacing
from training.data.manifest import Manifest
from training.fit.batches import Mix, TrainingBatches
from training.fit.frames_module import Clock, FrameModel, FrameModule, scorer
from training.fit.ranks import Ranks, shared
from training.fit.run import RunDir
from training.judge.devset import group_aucs, score_videos
from training.models.local import LocalHead
from training.models.registry import Spec, make_encoder


@dataclass(frozen=True)
class FrameSettings:
    """How to train. ``minutes`` or ``steps`` ends the run, whichever comes first; 0 is none.

    The first ``warm_steps`` batches are ``warm_size`` pixels wide, which is cheaper. ``rate`` is
    the learning rate of the pretrained layers. ``precision`` is Lightning's: bf16-mixed on a CPU,
    16-mixed (with loss scaling) on a GPU such as the V100 that has no bf16. ``accelerator`` and
    ``strategy`` are Lightning's too; with more than one of ``devices`` times ``nodes`` it is DDP,
    each process on batches of its own. ``patience`` ends a
    run after so many judgings on dev without a new best; 0 is never. ``choose`` names the data
    sets whose dev AUCs the best weights are chosen by; empty: all that have videos of both kinds.
    """

    minutes: float = 0
    steps: int = 0
    size: int = 224
    warm_steps: int = 0
    warm_size: int = 160
    rate: float = 4e-4
    new_rate: float = 1.5e-3
    order: float = 0.3
    average: float = 0.998
    hold: float = 0.0
    local: float = 0.0
    warmup: int = 80
    precision: str = "bf16-mixed"
    accumulate: int = 1
    workers: int = 0
    devices: int = 1
    nodes: int = 1
    accelerator: str = "auto"
    strategy: str = "auto"
    dev_minutes: float = 10
    patience: int = 0
    seed: int = 0
    wandb: str = ""
    mix: Mix = field(default_factory=Mix)
    choose: tuple[str, ...] = ()


class DevFigures(Callback):
    """Judges the averaged weights on dev every so many minutes; keeps the best and the last.

    Data sets of single pictures are left out of the choice where there are videos: DFDC's crops
    reward a net that learnt its makers' fingerprint and fails elsewhere.
    """

    def __init__(self, dev: Manifest, run: RunDir, settings: FrameSettings) -> None:
        self.dev, self.run, self.settings = dev, run, settings
        self.best = float("-inf")
        self.since_best = 0
        self._due: float | None = None

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        # By the run's own clock, which all processes share: they must judge and stop together.
        spent = cast(FrameModule, pl_module).clock.spent
        if self._due is None:
            self._due = spent + 60 * self.settings.dev_minutes
        if spent >= self._due:
            self.judge(trainer, pl_module)
            self._due = None
            patience, waited = self.settings.patience, shared(self.since_best, pl_module.device)
            trainer.should_stop = trainer.should_stop or 0 < patience <= waited

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.judge(trainer, pl_module)

    def judge(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if not isinstance(module, FrameModule) or not trainer.is_global_zero:
            return
        model = module.averaged.eval()
        half = torch.bfloat16 if "bf16" in str(trainer.precision) else None
        scored = score_videos(self.dev, scorer(model, half), per_video=8)
        figures = group_aucs(scored)
        moving = {one.sample.dataset for one in scored if len(one.scores) > 1}
        names = self.settings.choose or tuple(moving) or tuple(figures)
        chosen = [figures[name] for name in names if name in figures]
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
        _save(self.run.path / "last.pt", model, figures)
        self.since_best += 1
        if value > self.best:
            self.best, self.since_best = value, 0
            _save(self.run.path / "best.pt", model, figures)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "since_best": self.since_best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]
        self.since_best = state_dict.get("since_best", 0)


def train_frames(
    spec: Spec,
    run: RunDir,
    train: Manifest,
    dev: Manifest,
    settings: FrameSettings,
    start: Path | None = None,
    download: bool = False,
    begin: Path | None = None,
) -> Path:
    """Train the encoder of ``spec``; returns the file of the best averaged weights.

    ``begin`` is a ``best.pt`` of an earlier run to start from. Goes on from this run's own last
    checkpoint where there is one. Raises ``ValueError`` for a run
    that would never end, one class only, and a loss that is not finite.
    """
    if not settings.minutes and not settings.steps:
        raise ValueError("neither --minutes nor --steps given: the run would never end")
    encoder = make_encoder(spec, start, download)
    if encoder is None:
        raise ValueError(f"{spec.name} has no encoder to train on single crops")
    checkpoints = run.path / "checkpoints"
    last = checkpoints / "last.ckpt"
    done = int(torch.load(last, weights_only=False)["global_step"]) if last.exists() else 0
    batches = TrainingBatches(
        train,
        settings.mix,
        settings.size,
        settings.seed,
        settings.warm_steps,
        settings.warm_size,
        done * settings.accumulate,
    )
    local = None
    if settings.local:
        if not hasattr(encoder, "local_widths"):
            raise ValueError(f"--local {settings.local:g}: {spec.name} has no maps to search")
        local = LocalHead(cast(Any, encoder).local_widths)
    model = FrameModel(encoder, int(getattr(encoder, "dim", 0)), local)
    if begin is not None:
        model.take(torch.load(begin, map_location="cpu", weights_only=True)["state"])
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form
    module = FrameModule(
        model,
        Clock(settings.steps, settings.minutes),
        settings.rate,
        settings.new_rate,
        settings.order,
        settings.warmup,
        average=settings.average,
        hold=settings.hold,
        local=settings.local,
    )
    trainer = L.Trainer(
        max_epochs=-1,
        max_steps=settings.steps or -1,
        precision=settings.precision,  # type: ignore[arg-type]  # a string from the command line
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=_strategy(settings),
        accumulate_grad_batches=settings.accumulate,
        callbacks=[
            Ranks(batches, run),
            DevFigures(dev, run, settings),
            ModelCheckpoint(
                checkpoints,
                save_last=True,
                every_n_train_steps=50,
                save_top_k=0,
                enable_version_counter=False,  # or a run taken up again would write beside it
            ),
        ],
        logger=_loggers(run, settings),
        default_root_dir=run.path,
        gradient_clip_val=1.0,
        log_every_n_steps=20,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
    )
    loader = DataLoader(batches, batch_size=None, num_workers=settings.workers)
    trainer.fit(module, loader, ckpt_path=str(last) if last.exists() else None, weights_only=False)
    _close(trainer.loggers)
    run.log("end", step=trainer.global_step)
    best = run.path / "best.pt"
    if trainer.is_global_zero and not best.exists():
        shutil.copy(run.path / "last.pt", best)  # dev had one class: nothing to choose by
    return best


def _strategy(settings: FrameSettings) -> str:
    """Lightning's name for it. Raises ``ValueError`` for what this machine lacks."""
    found = torch.accelerator.is_available()
    if settings.accelerator == "gpu" and not found:
        raise ValueError("accelerator gpu: PyTorch finds no GPU here; cpu or auto train without")
    if settings.precision == "16-mixed" and (settings.accelerator == "cpu" or not found):
        # Lightning would go over to bf16-mixed with a warning: what ran is not what was asked.
        raise ValueError(
            "precision 16-mixed needs a GPU; a CPU takes bf16-mixed or 32-true, not 16-mixed"
        )
    several = settings.devices * settings.nodes > 1
    return "ddp" if settings.strategy == "auto" and several else settings.strategy


def _loggers(run: RunDir, settings: FrameSettings) -> list[Logger]:
    loggers: list[Logger] = [TensorBoardLogger(run.path, name="tensorboard", version="")]
    if settings.wandb:
        loggers.append(_wandb(run, settings.wandb))
    return loggers


def _wandb(run: RunDir, project: str) -> Logger:
    """Weights & Biases; a run that is taken up again goes on in the same one there."""
    try:
        import wandb  # noqa: F401  # Lightning's own message names no extra of this project
    except ImportError as error:
        raise ValueError("--wandb needs a package more: pip install 'fakelight[wandb]'") from error
    from lightning.pytorch.loggers import WandbLogger

    known = run.path / "wandb_id.txt"
    if not known.exists() and not run.silent:
        known.write_text(secrets.token_hex(4) + "\n")
    name = known.read_text().strip() if known.exists() else None
    return WandbLogger(
        project=project, save_dir=run.path, name=run.path.name, version=name, resume="allow"
    )


def _close(loggers: Sequence[Logger]) -> None:
    """End the Weights & Biases run, which would else stay open as long as the process."""
    if len(loggers) > 1:
        import wandb

        wandb.finish()


def _save(path: Path, model: FrameModel, figures: dict[str, float]) -> None:
    with replacing(path) as part:
        torch.save({"state": model.kept(), "dev": figures}, part)
