"""Several nets trained side by side on the same batches, for a few minutes of a quick GPU.

Making a batch costs a CPU some 6 ms a picture, and a GPU takes a small net through it in less: so
all that are to be trained see each batch, and nothing is made twice.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.data.manifest import Manifest
from training.fit.batches import Batch
from training.fit.frame_model import FrameModel
from training.fit.losses import pair_loss
from training.judge.devset import Scored, group_aucs, score_videos
from training.models.encoder import as_input
from training.models.local import local_loss
from training.models.weights import State, save_frames

_CAPACITY = 256  # crops judged at once
_BAD_STEPS = 20
_TOLD_EVERY = 20


@dataclass(frozen=True)
class Course:
    """How one net is trained: learning ``rate`` of what is pretrained, ``fresh`` of what is not,
    ``local`` the weight of the borders' search, ``average`` the decay of the mean weights."""

    rate: float = 4e-4
    fresh: float = 1.2e-3
    local: float = 0.0
    average: float = 0.998
    decay: float = 0.02
    order: float = 0.3


class Trainee:
    """A net on its way: itself, the running mean of its weights, its optimizer."""

    def __init__(self, name: str, model: FrameModel, course: Course, device: torch.device) -> None:
        self.name, self.course, self.device = name, course, device
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form
        self.averaged = copy.deepcopy(self.model).requires_grad_(False).eval()
        named = [(n, p) for n, p in self.model.named_parameters() if p.requires_grad]
        self.trained = {name for name, _ in named}
        start = [value for name, value in named if ".net." in name]
        fresh = [value for name, value in named if ".net." not in name]
        groups = [{"params": start, "lr": course.rate}, {"params": fresh, "lr": course.fresh}]
        self.optimizer = torch.optim.AdamW(
            groups, weight_decay=course.decay, fused=device.type == "cuda"
        )
        kept, current = self.averaged.state_dict(), self.model.state_dict()
        moving = [name for name in kept if kept[name].is_floating_point()]
        self._means, self._values = ([one[n] for n in moving] for one in (kept, current))
        self.bad = 0
        self.told: dict[str, float] = {}

    def step(self, image: Tensor, batch: Batch, number: int, factor: float) -> None:
        """One step; a loss that is not finite is left out. Raises ``ValueError`` after many."""
        course = self.course
        rates = (course.rate, course.fresh)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        self.model.train()
        found = None
        with torch.autocast(self.device.type, torch.bfloat16):
            if course.local:
                score, found = self.model.both(image)
            else:
                score = self.model(image)
        loss, right, in_order = pair_loss(score, batch["label"], course.order)
        if found is not None:
            view = cast(Any, self.model.encoder).view
            loss = loss + course.local * local_loss(found.float(), batch["border"], view)
        self.optimizer.zero_grad(set_to_none=True)
        value = float(loss.detach())
        if not math.isfinite(value):
            self.bad += 1
            if self.bad > _BAD_STEPS:
                raise ValueError(f"{self.name}: the loss is {value} at step {number}")
            return
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self._average(min(course.average, (1 + number) / (20 + number)))
        for name, now in (("loss", value), ("right", float(right)), ("order", float(in_order))):
            self.told[name] = 0.95 * self.told.get(name, now) + 0.05 * now

    def _average(self, decay: float) -> None:
        with torch.no_grad():
            torch._foreach_lerp_(self._means, self._values, 1 - decay)

    def kept(self) -> State:
        """The mean weights in 16 bit: those that were trained, and the batch norms' statistics."""
        moving = {name for name, _ in self.model.named_buffers()}
        return {
            name: value.half().cpu() if value.is_floating_point() else value.cpu()
            for name, value in self.averaged.kept().items()
            if name in self.trained or name in moving
        }

    def score(self, crops: Tensor) -> NDArray[np.float64]:
        """The logits of crops uint8 ``[n, 224, 224, 3]`` by the mean weights."""
        made: list[NDArray[np.float64]] = []
        for part in torch.split(crops, _CAPACITY):
            with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16):
                image = as_input(part.to(self.device))
                made.append(self.averaged(image).float().cpu().numpy().astype(np.float64))
        return np.concatenate(made)


class DevCrops:
    """The crops of a development set, cut once and judged often.

    Its pieces may be brought to ``folder`` later: there is nothing to judge on until they are.
    """

    def __init__(self, folder: Path, per_video: int = 8) -> None:
        self.folder, self.per_video = folder, per_video
        self._videos: list[Scored] = []
        self.crops = torch.zeros(0, 224, 224, 3, dtype=torch.uint8)

    def _cut(self) -> None:
        if self._videos or not any(self.folder.glob("*.tar")):
            return
        kept: list[NDArray[np.uint8]] = []

        def keep(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
            kept.append(crops)
            return np.zeros(len(crops))

        self._videos = score_videos(Manifest.scan(self.folder), keep, self.per_video)
        self.crops = torch.from_numpy(np.concatenate(kept))

    def judged(self, trainee: Trainee) -> list[Scored]:
        """Every video with its scores."""
        self._cut()
        if not self._videos:
            return []
        scores, place = trainee.score(self.crops), 0
        result: list[Scored] = []
        for video in self._videos:
            end = place + len(video.scores)
            result.append(Scored(video.sample, scores[place:end]))
            place = end
        return result


class Minutes:
    """How far the run is. ``OUT/minutes`` may be written anew while it goes on: its end moves."""

    def __init__(self, out: Path, minutes: float) -> None:
        self.file, self.minutes = out / "minutes", minutes
        self.file.write_text(f"{minutes:g}\n")
        self._began = time.monotonic()

    @property
    def spent(self) -> float:
        """Minutes since the first step."""
        return (time.monotonic() - self._began) / 60

    def read(self) -> None:
        """Take what the file says now; what is no number changes nothing."""
        try:
            self.minutes = max(float(self.file.read_text()), 0.1)
        except (OSError, ValueError):
            return

    def factor(self, number: int, warmup: int, hold: float) -> float:
        """Of the learning rate: up over ``warmup`` steps, held, then a cosine to a hundredth."""
        fallen = max(self.spent / self.minutes - hold, 0.0) / (1 - hold)
        curve = (1 + math.cos(math.pi * min(fallen, 1.0))) / 2
        return min((number + 1) / warmup, 1.0) * (0.01 + 0.99 * curve)


def train_together(
    trainees: Sequence[Trainee],
    batches: Iterable[Batch],
    out: Path,
    dev: DevCrops | None,
    minutes: float,
    group: int = 1,
    keep_minutes: float = 2.5,
    warmup: int = 100,
    hold: float = 0.3,
) -> None:
    """Train for ``minutes`` on ``group`` batches a step; judge and keep every ``keep_minutes``.

    ``OUT/log.jsonl`` gets the speed and each net's figures, ``OUT/NAME-MINUTES.pt`` its mean
    weights in 16 bit, those that were trained alone. Raises ``ValueError`` where a loss stays
    infinite.
    """
    out.mkdir(parents=True, exist_ok=True)
    device = trainees[0].device
    stream = _grouped(iter(batches), group, device)
    first = next(stream)  # the clock begins with the first batch at hand
    clock = Minutes(out, minutes)
    due, number, seen, waited = keep_minutes, 0, 0, 0.0
    while clock.spent < clock.minutes:
        batch = first if number == 0 else None
        if batch is None:
            before = time.monotonic()
            batch = next(stream)
            waited += time.monotonic() - before
        image = as_input(batch["image"]).contiguous(memory_format=torch.channels_last)
        factor = clock.factor(number, warmup, hold)
        for trainee in trainees:
            trainee.step(image, batch, number, factor)
        number += 1
        seen += len(image)
        if number % _TOLD_EVERY == 0:
            clock.read()
            told = {one.name: {k: round(v, 4) for k, v in one.told.items()} for one in trainees}
            _log(out, "step", step=number, minutes=clock.spent, pictures=seen, rate=factor,
                 waited=waited / 60, **told)  # fmt: skip
        if clock.spent >= due:
            _keep(trainees, out, dev, clock.spent, number)
            due += keep_minutes
    _keep(trainees, out, dev, clock.spent, number)
    _log(out, "end", step=number, minutes=clock.spent, pictures=seen)


def _grouped(batches: Iterator[Batch], group: int, device: torch.device) -> Iterator[Batch]:
    while True:
        some = [next(batches) for _ in range(group)]
        moved = [
            {name: value.to(device, non_blocking=True) for name, value in one.items()}
            for one in some
        ]
        yield {name: torch.cat([one[name] for one in moved]) for name in moved[0]}


def _keep(
    trainees: Sequence[Trainee], out: Path, dev: DevCrops | None, minutes: float, step: int
) -> None:
    for one in trainees:
        figures = group_aucs(dev.judged(one)) if dev is not None else {}
        save_frames(out / f"{one.name}-{minutes:.1f}.pt", one.kept(), {"dev": figures})
        rounded = {name: round(value, 3) for name, value in figures.items()}
        _log(out, "dev", net=one.name, step=step, minutes=minutes, bad=one.bad, figures=rounded)


def _log(out: Path, event: str, **facts: object) -> None:
    line = {key: round(v, 4) if isinstance(v, float) else v for key, v in facts.items()}
    with (out / "log.jsonl").open("a") as handle:
        handle.write(json.dumps({"event": event, **line}) + "\n")
