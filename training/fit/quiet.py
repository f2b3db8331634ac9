"""Lightning without its notices about things that are meant to be so."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Each is a notice of the library to itself or to a newcomer, not about this project's data.
_NOTICES = (
    r".*isinstance\(treespec, LeafSpec\)",  # Lightning calls a form that PyTorch gave up
    r".*does not have many workers",  # blending runs beside training, or the machine is small
    r".*Checkpoint directory .* exists and is not empty",  # the run is being taken up again
    r".*checkpoint .* mid-epoch",  # endless data has no epochs
    r".*you defined a `validation_step`",
    r".*Trying to infer the `batch_size`",
    r".*The `.*logger` is already",
    r".*`tensorboardX` has been removed",
    r".*in eval mode at the start of training",  # the running mean is never trained
)


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, Lightning's notices are not shown; its errors and other warnings are."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for notice in _NOTICES:
            warnings.filterwarnings("ignore", message=notice)
        try:
            yield
        finally:
            logger.setLevel(level)
