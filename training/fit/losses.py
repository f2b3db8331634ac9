"""What a frame's score is to be: right, and above that of the real face beside it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.fit.batches import UNDECIDED


def pair_loss(
    score: Tensor, label: Tensor, order: float = 0.3, smoothing: float = 0.02
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss of scores ``[n]`` (real, fake, real…), and what share is right and in order.

    Binary cross-entropy, plus ``order`` times a loss inside each pair that is not hidden: the fake
    should score above the real beside it, whatever the level of both. The level moves with the
    source, the order should not.
    """
    score = score.float()
    target = label * (1 - 2 * smoothing) + smoothing
    real, fake = score[0::2], score[1::2]
    told = label[1::2] != UNDECIDED
    # Where nothing is told, as in a batch of hidden pairs alone, there is no order to keep; where
    # nothing is asked at all, there is nothing to be wrong about.
    ordered = functional.softplus(real - fake)[told].sum() / told.sum().clamp(min=1)
    wrong = functional.binary_cross_entropy_with_logits(score, target, reduction="sum")
    loss = wrong / max(len(score), 1) + order * ordered
    with torch.no_grad():
        count = told.sum().clamp(min=1)
        right = ((score > 0) == (label > UNDECIDED))[label != UNDECIDED].sum() / (2 * count)
        in_order = (fake > real)[told].sum() / count
    return loss, right, in_order
