"""Where in a crop the border of a blend runs: a task beside the verdict, in training alone.

Li et al., "Face X-ray for More General Face Forgery Detection", CVPR 2020, let a net draw the
border along which two pictures were blended, ``4 m (1 - m)`` for a mask ``m``, so that it must find
the evidence and not the clip. Nguyen et al., "LAA-Net", CVPR 2024, show what such a second task
gives to nets that are trained on self-blended faces. Its layers are not part of a member.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from stream_server.vision.types import Floats
from training.arrays import as_floats, as_image
from training.augment.margin import Cut
from training.models.encoder import middle

CELLS = 14  # across a crop of 224 pixels: a stride of 16
UNKNOWN = -1.0
_FINE = 4  # places a cell is averaged over


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


def border(mask: Floats, landmarks: Floats, cut: Cut) -> Floats:
    """The border of ``mask`` (``[H, W]``, any scale) in the cells of a crop, ``[14, 14]``, 0 to 1.

    ``landmarks`` are those of the picture that the mask lies on, ``cut`` the one that its crop is
    cut by.
    """
    share = mask / max(float(mask.max()), 1e-3)
    edge = as_image(255 * 4 * share * (1 - share))
    crop = cut.apply(as_image(cv2.cvtColor(edge, cv2.COLOR_GRAY2RGB)), landmarks, CELLS * _FINE)
    cells = cv2.resize(crop[:, :, 0], (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return as_floats(np.clip(cells.astype(np.float32) / 255 * 2, 0, 1))


def nowhere() -> Floats:
    """What ``border`` is for a real face."""
    return np.zeros((CELLS, CELLS), np.float32)


def unknown() -> Floats:
    """What ``border`` is for a fake that somebody else made: nobody says where."""
    return np.full((CELLS, CELLS), UNKNOWN, np.float32)


def local_loss(logits: Tensor, wanted: Tensor, view: float) -> Tensor:
    """Binary cross-entropy over the cells that are known.

    ``logits`` are ``[N, 1, H, W]`` on the part ``view`` of the crop, ``wanted`` ``[N, 14, 14]`` on
    the whole of it. Nothing known costs nothing.
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
