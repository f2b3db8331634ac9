"""Training a head on windows of frozen features, as a Lightning module."""

from __future__ import annotations

import copy
import math
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.fit.batches import Batch


class HeadModule(L.LightningModule):
    """Binary cross-entropy on windows; ``averaged`` is the running mean of the weights."""

    def __init__(
        self, head: nn.Module, steps: int, rate: float = 1e-3, average: float = 0.99
    ) -> None:
        super().__init__()
        self.head = head
        self.averaged = copy.deepcopy(head).requires_grad_(False)
        self.steps, self.rate, self.average = steps, rate, average

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.head.parameters(), lr=self.rate, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: 0.01 + (1 + math.cos(math.pi * min(step / self.steps, 1))) / 2
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Batch, number: int) -> Tensor:
        logit = self.head(batch["features"], batch["length"]).float()
        target = batch["label"] * 0.96 + 0.02
        loss = functional.binary_cross_entropy_with_logits(logit, target)
        if not torch.isfinite(loss):
            raise ValueError(f"the loss is {loss.item()} at step {self.global_step}")
        self.log("loss", loss.detach())
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        decay = min(self.average, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.head.parameters(), strict=True)
            for mean, value in pairs:
                mean.lerp_(value, 1 - decay)
