"""A whole training: an encoder on single crops, then the head on it, as one member."""

from __future__ import annotations

from typing import Literal

import lightning as L

from training.data.manifest import Manifest
from training.fit.frames import train_frames
from training.fit.head import mean_member, train_head
from training.fit.memory import keep_freed_memory
from training.fit.quiet import quiet
from training.fit.settings import FrameSettings, HeadSettings
from training.judge.devset import few_of_each
from training.models.registry import Spec
from training.run_dir import RunDir, first_process

Stage = Literal["all", "frames", "head", "mean"]
Take = Literal["best", "last"]


def train_member(
    spec: Spec,
    run: RunDir,
    train: Manifest,
    dev: Manifest,
    frames: FrameSettings,
    head: HeadSettings,
    stage: Stage = "all",
    take: Take = "best",
) -> None:
    """Train ``spec`` on ``train``, judged on ``dev``; the run directory gets the files.

    ``stage`` frames writes ``best.pt`` and ``last.pt``, head puts a head on one of them (``take``)
    and writes ``member.pt``; mean does so without training, by the mean of the frames' logits.
    Where several processes train together, the first one alone trains the head. Of dev's videos
    of one person a few are looked at. Raises what ``train_frames`` and ``train_head`` raise.
    """
    dev = few_of_each(dev)
    for problem in train.broken:
        run.log("broken shard", problem=problem)
    keep_freed_memory()
    with quiet():
        L.seed_everything(frames.seed, verbose=False)
        if spec.backbone and stage in ("all", "frames"):
            train_frames(spec, run, train, dev, frames)
        weights = run.path / f"{take}.pt"
        if stage == "mean":
            mean_member(spec, weights, run.path / "member.pt")
        elif stage in ("all", "head") and first_process():
            train_head(spec, run, train, dev, weights if spec.backbone else None, head)
