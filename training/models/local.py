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


class LocalHead(nn.Module):
    """Logits of a border ``[N, 1, H, W]`` from an early map of an encoder and, where it has one, a
    late map that is coarser. ``widths`` are their channels."""

    def __init__(self, widths: tuple[int, ...], width: int = 64) -> None:
        super().__init__()
        early, *late = widths
        self.early = nn.Conv2d(early, width, 1)
        self.late = nn.Conv2d(late[0], width, 1) if late else None
        self.act = nn.SiLU()
        self.logit = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, early: Tensor, *late: Tensor) -> Tensor:
        found = self.early(early)
        if self.late is not None:
            wide = self.late(late[0])
            found = found + functional.interpolate(wide, size=found.shape[-2:], mode="bilinear")
        return cast(Tensor, self.logit(self.act(found)))


def local_loss(logits: Tensor, wanted: Tensor, view: float) -> Tensor:
    """Binary cross-entropy over the cells that are known.

    ``logits`` are ``[N, 1, H, W]`` on the part ``view`` of the crop, ``wanted`` ``[N, 14, 14]`` on
    the whole of it as ``augment.border`` gives it, below 0 where unknown. Nothing known costs
    nothing.
    """
    target = _seen(wanted[:, None], view, logits.shape[-2:])
    known = target >= 0
    if not bool(known.any()):
        return logits.sum() * 0
    each = functional.binary_cross_entropy_with_logits(
        logits, target.clamp(min=0), reduction="none"
    )
    return torch.where(known, each, torch.zeros_like(each)).sum() / known.sum()


def _seen(cells: Tensor, view: float, size: tuple[int, ...]) -> Tensor:
    """``cells`` ``[N, 1, 14, 14]`` of the crop at ``size`` places over its middle, ``view`` wide.

    A patch of 14 pixels has no cell of its own, so what lies between four is their mean by
    distance; nothing of a picture is unknown, or all of it.
    """
    scale = torch.tensor([[view, 0.0, 0.0], [0.0, view, 0.0]], device=cells.device)
    places = functional.affine_grid(
        scale.expand(len(cells), 2, 3), [len(cells), 1, *size], align_corners=False
    )
    return functional.grid_sample(cells, places, padding_mode="border", align_corners=False)
