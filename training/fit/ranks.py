"""What the processes of one run must agree on, and a check that they do.

Lightning starts one process per device and averages their gradients (PyTorch's DDP). Whatever else
decides how a step goes, the time spent, when to stop, comes from the first process here.
"""

from __future__ import annotations

import zlib
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from training.fit.batches import Batch, TrainingBatches
from training.run_dir import RunDir


def shared(value: float, device: torch.device) -> float:
    """The first process's ``value``, in all of them; ``value`` itself where there is one alone."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return value
    told = torch.tensor(value, dtype=torch.float64, device=device)
    torch.distributed.broadcast(told, 0)
    return float(told)


class Ranks(Callback):
    """Gives each process batches of its own, and holds them to the same weights.

    The run's log gets an event ``ranks`` with the first step, one figure per process: a checksum
    of its batch, which must differ, and the length of its gradient, which must not; and another
    at the end with the length of all its weights. Does nothing where there is one process alone.
    """

    def __init__(self, batches: TrainingBatches, run: RunDir) -> None:
        self.batches, self.run = batches, run
        self._batch = 0
        self._told = False

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self.batches.share(trainer.global_rank, trainer.world_size)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        if trainer.world_size > 1 and not self._told:
            self._batch = zlib.crc32(batch["image"].cpu().numpy().tobytes())

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Any
    ) -> None:
        if trainer.world_size > 1 and not self._told:
            self._told = True
            given = [value.grad for value in pl_module.parameters() if value.grad is not None]
            self._compare(trainer, "gradient", given, batch=self._batch)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.world_size > 1:
            weights = [value.detach() for value in pl_module.parameters()]
            self._compare(trainer, "weights", weights, step=trainer.global_step)

    def _compare(
        self, trainer: L.Trainer, what: str, tensors: list[torch.Tensor], **more: float
    ) -> None:
        length = torch.stack([value.double().norm() for value in tensors]).norm()
        extra = torch.tensor(list(more.values()), dtype=torch.float64, device=length.device)
        mine = torch.cat((length[None], extra))
        gathered = [torch.empty_like(mine) for _ in range(trainer.world_size)]
        torch.distributed.all_gather(gathered, mine)
        rows = [one.cpu().tolist() for one in gathered]
        figures = {name: [row[place] for row in rows] for place, name in enumerate((what, *more))}
        self.run.log("ranks", **figures)
        lengths = figures[what]
        if max(lengths) - min(lengths) > 1e-6 * max(lengths):
            raise RuntimeError(f"the processes' {what} differ: lengths {lengths}")
