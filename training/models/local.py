"""Where in a crop the border of a blend runs: a task beside the verdict, in training alone.

Li et al., "Face X-ray for More General Face Forgery Detection", CVPR 2020, let a net draw the
border along which two pictures were blended, ``4 m (1 - m)`` for a mask ``m``, so that it must find
the evidence and not the clip. Nguyen et al., "LAA-Net", CVPR 2024, show what such a second task
gives to nets that are trained on self-blended faces. Its layers are not part of a member.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.encoder import middle


class LocalHead(nn.Module):
    """Logits of a border ``[N, 1, H, W]`` from an early and a late map of an encoder."""

    def __init__(self, widths: tuple[int, int], width: int = 64) -> None:
        super().__init__()
        self.early = nn.Conv2d(widths[0], width, 1)
        self.late = nn.Conv2d(widths[1], width, 1)
        self.act = nn.SiLU()
        self.logit = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, early: Tensor, late: Tensor) -> Tensor:
        wide = functional.interpolate(self.late(late), size=early.shape[-2:], mode="bilinear")
        return cast(Tensor, self.logit(self.act(self.early(early) + wide)))


def local_loss(logits: Tensor, wanted: Tensor, view: float) -> Tensor:
    """Binary cross-entropy over the cells that are known.

    ``logits`` are ``[N, 1, H, W]`` on the part ``view`` of the crop, ``wanted`` ``[N, 14, 14]`` on
    the whole of it as ``augment.border`` gives it, below 0 where unknown. Nothing known costs
    nothing.
    """
    target = middle(wanted[:, None], view)
    if target.shape[-1] != logits.shape[-1]:  # the first steps of a run see smaller crops
        target = functional.interpolate(target, size=logits.shape[-2:], mode="nearest")
    known = target >= 0
    if not bool(known.any()):
        return logits.sum() * 0
    each = functional.binary_cross_entropy_with_logits(
        logits, target.clamp(min=0), reduction="none"
    )
    return torch.where(known, each, torch.zeros_like(each)).sum() / known.sum()
