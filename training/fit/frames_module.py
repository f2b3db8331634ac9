"""Training an encoder and its frame logit on single crops, as a Lightning module."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from typing import Any, cast

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.fit.batches import Batch
from training.fit.frame_model import FrameModel
from training.fit.losses import pair_loss
from training.fit.ranks import shared
from training.models.encoder import as_input
from training.models.local import local_loss


class Clock:
    """How far a run is, 0 to 1: by steps or by minutes, whichever ends first.

    ``spent`` seconds carry over from run to run. Processes that train together must go by one
    clock, or their learning rates, and with them their weights, would drift apart.
    """

    def __init__(self, steps: int, minutes: float) -> None:
        self.steps, self.minutes, self.spent = steps, minutes, 0.0
        self._last = time.monotonic()

    def begin(self) -> None:
        """Count from now on."""
        self._last = time.monotonic()

    def tick(self) -> float:
        """The seconds spent so far."""
        now = time.monotonic()
        self.spent += now - self._last
        self._last = now
        return self.spent

    def progress(self, step: int) -> float:
        """How far the run is, 0 to 1, at ``step``."""
        by_time = self.spent / (60 * self.minutes) if self.minutes else 0.0
        by_step = step / self.steps if self.steps else 0.0
        return min(max(by_time, by_step), 1.0)


class FrameModule(L.LightningModule):
    """Binary cross-entropy on single crops, plus an order inside each (real, fake) pair.

    The order term asks that the fake scores above the real beside it, whatever the level of both:
    the level moves with the source, the order should not. The rate warms up over ``warmup`` steps,
    stays for the share ``hold`` of the run, and falls as a cosine to the end of the clock.
    ``local`` weighs the search for the blend's border, for a model that has a head for it.
    ``average`` is the decay of the running mean of the weights, which is what is judged and kept.
    """

    def __init__(
        self, model: FrameModel, clock: Clock, rate: float = 4e-4, new_rate: float = 1.5e-3,
        order: float = 0.3, warmup: int = 80, smoothing: float = 0.02, average: float = 0.998,
        hold: float = 0.0, local: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.model, self.clock = model, clock
        self.averaged = copy.deepcopy(model).requires_grad_(False)
        self.rates = (rate, new_rate)
        self.order, self.warmup, self.smoothing, self.average = order, warmup, smoothing, average
        self.hold, self.local = hold, local

    def configure_optimizers(self) -> torch.optim.Optimizer:
        named = list(self.model.named_parameters())
        fresh = [value for name, value in named if ".net." not in name]
        start = [value for name, value in named if ".net." in name]
        if not start:  # nothing is pretrained, nothing is newer than the rest
            start, fresh = fresh, []
        groups = [{"params": start, "lr": self.rates[0]}, {"params": fresh, "lr": self.rates[1]}]
        return torch.optim.AdamW(groups, weight_decay=0.02)

    def on_fit_start(self) -> None:
        self.clock.begin()

    def training_step(self, batch: Batch, number: int) -> Tensor:
        self.clock.spent = shared(self.clock.tick(), self.device)
        progress = self.clock.progress(self.global_step)
        factor = min((self.global_step + 1) / self.warmup, 1.0)
        fallen = max(progress - self.hold, 0.0) / (1 - self.hold)
        factor *= 0.01 + 0.99 * (1 + math.cos(math.pi * fallen)) / 2
        optimizer = self.optimizers(use_pl_optimizer=False)
        for group, rate in zip(optimizer.param_groups, self.rates, strict=True):  # type: ignore[union-attr]  # one optimizer
            group["lr"] = rate * factor
        if progress >= 1.0:
            self.trainer.should_stop = True
        image, found = as_input(batch["image"]), None
        if self.local:
            score, found = self.model.both(image)
        else:
            score = self.model(image)
        loss, correct, in_order = pair_loss(score, batch["label"], self.order, self.smoothing)
        if found is not None:
            borders = local_loss(found.float(), batch["border"], cast(Any, self.model.encoder).view)
            loss = loss + self.local * borders
            self.log("border", borders.detach())
        if not torch.isfinite(loss):
            raise ValueError(f"the loss is {loss.item()} at step {self.global_step}")
        self.log_dict({"loss": loss.detach(), "accuracy": correct, "order": in_order})
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        step = self.global_step
        decay = min(self.average, (1 + step) / (20 + step))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.model.parameters(), strict=True)
            for mean, value in pairs:
                mean.lerp_(value, 1 - decay)
            for kept, current in zip(self.averaged.buffers(), self.model.buffers(), strict=True):
                if kept.is_floating_point():  # the statistics must be those of the mean weights
                    kept.lerp_(current, 1 - decay)
                else:
                    kept.copy_(current)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["spent"] = self.clock.spent

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.clock.spent = float(checkpoint["spent"])


def scorer(
    model: nn.Module, half: torch.dtype | None = None
) -> Callable[[NDArray[np.uint8]], NDArray[np.float64]]:
    """A function from crops uint8 ``[n, 224, 224, 3]`` to logits ``[n]``."""

    def score(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
        device = next(model.parameters()).device
        image = as_input(torch.from_numpy(crops).to(device))
        with torch.inference_mode(), torch.autocast(device.type, half, enabled=half is not None):
            result: NDArray[np.float64] = model(image).float().cpu().numpy().astype(np.float64)
        return result

    return score
