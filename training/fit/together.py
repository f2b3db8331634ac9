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

from training.fit.batches import UNDECIDED, Batch
from training.fit.dev_crops import DevCrops, write_scores
from training.fit.frame_model import FrameModel
from training.fit.losses import pair_loss
from training.judge.devset import group_aucs
from training.models.encoder import as_input
from training.models.local import local_loss
from training.models.weights import State, save_frames

QUESTIONS = ("changed", "generated")  # in the order of their numbers in a batch
ASKS = ("all", "both", *QUESTIONS)
_CAPACITY = 256  # crops judged at once
_BAD_STEPS = 20
_TOLD_EVERY = 20


@dataclass(frozen=True)
class Course:
    """How one net is trained: learning ``rate`` of what is pretrained, ``fresh`` of what is not,
    ``local`` the weight of the borders' search, ``average`` the decay of the mean weights.

    ``asks`` says which pairs it sees: ``changed`` faces, ``generated`` heads, ``both`` with a logit
    of its own for each, or ``all`` with one logit. It takes each ``every``-th step.

    Raises ``ValueError`` for what cannot be meant.
    """

    rate: float = 4e-4
    fresh: float = 1.2e-3
    local: float = 0.0
    average: float = 0.998
    decay: float = 0.02
    order: float = 0.3
    asks: str = "all"
    every: int = 1

    def __post_init__(self) -> None:
        if self.asks not in ASKS:
            raise ValueError(f"asks {self.asks!r}: it must be one of {', '.join(ASKS)}")
        if self.local and self.asks == "both":
            raise ValueError("a net that searches borders has one logit; it cannot ask both")
        if self.every < 1:
            raise ValueError(f"every {self.every}: it must be at least 1")


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
        """One step; a loss that is not finite is left out, and pictures that ask nothing that this
        net answers. Raises ``ValueError`` after many losses that are not finite."""
        course = self.course
        if course.asks in QUESTIONS:
            mine = _asked(batch, QUESTIONS.index(course.asks))
            if not mine.any():
                return
            image, batch = image[mine], {name: value[mine] for name, value in batch.items()}
        rates = (course.rate, course.fresh)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        self.model.train()
        found = None
        with torch.autocast(self.device.type, torch.bfloat16):
            if course.local:
                score, found = self.model.both(image)
                scores = score[:, None]
            else:
                scores = self.model.answers(image)
        loss, told = self._loss(scores, batch)
        if found is not None:
            view = cast(Any, self.model.encoder).view
            border = local_loss(found.float(), batch["border"], view)
            loss = loss + course.local * border
            told["border"] = border.detach()
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
        for name, one in {"loss": loss.detach(), **told}.items():
            self.told[name] = 0.95 * self.told.get(name, float(one)) + 0.05 * float(one)

    def _loss(self, scores: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Of the scores ``[n, questions]``, and what share of each question is right, in order."""
        loss, told = torch.zeros((), device=scores.device), dict[str, Tensor]()
        for number, score in enumerate(scores.unbind(1)):
            label = batch["label"]
            if scores.shape[1] > 1:
                mine = _asked(batch, number)
                score, label = score[mine], label[mine]
            part, right, in_order = pair_loss(score, label, self.course.order)
            loss = loss + part
            suffix = f" {QUESTIONS[number]}" if number else ""
            told |= {f"right{suffix}": right, f"order{suffix}": in_order}
        return loss, told

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

    def second(self) -> State:
        """The mean weights of the logit for generated heads, which no member has."""
        layer = self.averaged.generated
        return {n: v.cpu() for n, v in layer.state_dict().items()} if layer is not None else {}

    def score(self, crops: Tensor) -> NDArray[np.float64]:
        """The logits ``[n, questions]`` of crops uint8 ``[n, 224, 224, 3]``, by the mean ones."""
        made: list[NDArray[np.float64]] = []
        for part in torch.split(crops, _CAPACITY):
            with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16):
                image = as_input(part.to(self.device))
                made.append(self.averaged.answers(image).float().cpu().numpy().astype(np.float64))
        return np.concatenate(made)


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
    weights in 16 bit, those that were trained alone, and ``OUT/NAME-MINUTES.json`` what it gave
    each dev video. Raises ``ValueError`` where a loss stays infinite.
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
            if number % trainee.course.every == 0:
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
        judged = dev.judged(one.score) if dev is not None else []
        figures = [group_aucs(videos) for videos in judged] or [{}]
        path = out / f"{one.name}-{minutes:.1f}.pt"
        save_frames(path, one.kept(), {"dev": figures[0], "generated": one.second()})
        if judged:
            write_scores(path.with_suffix(".json"), judged)
        asked = QUESTIONS if one.course.asks == "both" else [one.course.asks]
        for asks, found in zip(asked, figures, strict=False):
            rounded = {name: round(value, 3) for name, value in found.items()}
            _log(out, "dev", net=one.name, asks=asks, step=step, minutes=minutes, bad=one.bad,
                 figures=rounded)  # fmt: skip


def _asked(batch: Batch, question: int) -> Tensor:
    """Which of the pictures ask ``question``; hidden ones ask every one."""
    return (batch["question"] == question) | (batch["label"] == UNDECIDED)


def _log(out: Path, event: str, **facts: object) -> None:
    line = {key: round(v, 4) if isinstance(v, float) else v for key, v in facts.items()}
    with (out / "log.jsonl").open("a") as handle:
        handle.write(json.dumps({"event": event, **line}) + "\n")
