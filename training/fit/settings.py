"""How to train: the settings of a frames run and of the head after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from training.fit.pairs import Mix


@dataclass(frozen=True)
class FrameSettings:
    """How to train an encoder. ``minutes`` or ``steps`` ends the run, whichever comes first.

    0 is no such end. The encoder begins with ``start``, a file of pretrained weights, with what
    timm downloads, or at random; ``begin`` is a ``best.pt`` of an earlier run to go on from.
    ``autoencoders`` is the folder of that step, which a mix with rebuilt faces needs.

    The first ``warm_steps`` batches are ``warm_size`` pixels wide, which is cheaper. ``rate`` is
    the learning rate of the pretrained layers. ``precision`` is Lightning's: bf16-mixed on a CPU,
    16-mixed (with loss scaling) on a GPU such as the V100 that has no bf16. ``accelerator`` and
    ``strategy`` are Lightning's too; with more than one of ``devices`` times ``nodes`` it is DDP,
    each process on batches of its own. ``patience`` ends a run after so many judgings on dev
    without a new best; 0 is never.
    """

    minutes: float = 0
    steps: int = 0
    start: Path | None = None
    download: bool = False
    begin: Path | None = None
    autoencoders: Path | None = None
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


@dataclass(frozen=True)
class HeadSettings:
    """How to train a head: ``passes`` augmented passes over each clip, ``stills`` single pictures,
    ``steps`` of ``batch`` windows. ``half`` encodes in 16 bit."""

    passes: int = 3
    stills: int = 3000
    steps: int = 1500
    batch: int = 64
    seed: int = 0
    half: bool = False
    accelerator: str = "cpu"
