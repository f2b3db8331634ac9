"""Training batches from a folder that pieces of the data are still being brought to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import IterableDataset

from training.data.manifest import Manifest
from training.fit.batches import Batch, TrainingBatches
from training.fit.pairs import Mix

_LOOK_EVERY = 10  # batches
_WAIT = 0.5  # seconds, for the first piece


class GrowingBatches(IterableDataset[Batch]):
    """``TrainingBatches`` of what lies under ``folder`` now; looks there again now and then.

    A shard counts once it stands there under its own name, which is when it is whole.
    """

    def __init__(self, folder: Path, mix: Mix, size: int = 224, seed: int = 0) -> None:
        self.folder, self.mix, self.size, self.seed = folder, mix, size, seed

    def __iter__(self) -> Iterator[Batch]:
        import cv2

        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        number, step = (worker.id, worker.num_workers) if worker else (0, 1)
        known: list[Path] = []
        count = number
        batches: TrainingBatches | None = None
        while True:
            if count // step % _LOOK_EVERY == 0 or batches is None:
                while not (found := sorted(self.folder.glob("*.tar"))):
                    time.sleep(_WAIT)
                if found != known or batches is None:
                    known = found
                    train = Manifest.scan(self.folder).split("train")
                    batches = TrainingBatches(train, self.mix, self.size, self.seed)
            rng = np.random.default_rng((self.seed, count))
            yield batches.batch(rng)
            count += step
