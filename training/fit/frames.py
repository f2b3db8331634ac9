"""Training an encoder on single crops: data, model and trainer put together."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from training.augment.rebuild import Rebuild
from training.data.manifest import Manifest
from training.fit.batches import TrainingBatches
from training.fit.dev_figures import DevFigures
from training.fit.frame_model import FrameModel
from training.fit.frames_module import Clock, FrameModule
from training.fit.loggers import close, make_loggers
from training.fit.ranks import Ranks
from training.fit.settings import FrameSettings
from training.models.local import LocalHead
from training.models.registry import Spec, feature_dim, make_encoder
from training.models.weights import read_frames
from training.run_dir import RunDir


def train_frames(
    spec: Spec, run: RunDir, train: Manifest, dev: Manifest, settings: FrameSettings
) -> Path:
    """Train the encoder of ``spec``; returns the file of the best averaged weights.

    Goes on from this run's own last checkpoint where there is one. Raises ``ValueError`` for a run
    that would never end, one class only, and a loss that is not finite.
    """
    if not settings.minutes and not settings.steps:
        raise ValueError("neither --minutes nor --steps given: the run would never end")
    model = _model(spec, settings)
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
        Rebuild.load(settings.autoencoders) if settings.autoencoders else None,
    )
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
            DevFigures(dev, run, settings.dev_minutes, settings.patience),
            ModelCheckpoint(
                checkpoints,
                save_last=True,
                every_n_train_steps=50,
                save_top_k=0,
                enable_version_counter=False,  # or a run taken up again would write beside it
            ),
        ],
        logger=make_loggers(run, settings.wandb),
        default_root_dir=run.path,
        gradient_clip_val=1.0,
        log_every_n_steps=20,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
    )
    loader = DataLoader(batches, batch_size=None, num_workers=settings.workers)
    trainer.fit(module, loader, ckpt_path=str(last) if last.exists() else None, weights_only=False)
    close(trainer.loggers)
    run.log("end", step=trainer.global_step)
    best = run.path / "best.pt"
    if trainer.is_global_zero and not best.exists():
        shutil.copy(run.path / "last.pt", best)  # dev had one class: nothing to choose by
    return best


def _model(spec: Spec, settings: FrameSettings) -> FrameModel:
    encoder = make_encoder(spec, settings.start, settings.download)
    if encoder is None:
        raise ValueError(f"{spec.name} has no encoder to train on single crops")
    local = None
    if settings.local:
        if not hasattr(encoder, "local_widths"):
            raise ValueError(f"--local {settings.local:g}: {spec.name} has no maps to search")
        local = LocalHead(cast(Any, encoder).local_widths)
    model = FrameModel(encoder, feature_dim(encoder), local)
    if settings.begin is not None:
        model.take(read_frames(settings.begin), settings.begin)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch's stub lacks this form


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
