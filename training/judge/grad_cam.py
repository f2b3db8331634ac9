"""Grad-CAM (Selvaraju et al., ICCV 2017) on any member that has an encoder.

Written here and not taken from pytorch-grad-cam: that package asks for ``opencv-python``, which
brings a second OpenCV with windows beside the headless one that everything here uses. A test
compares the two where pytorch-grad-cam is installed.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stream_server.explain.heat import weighed
from stream_server.vision.types import Floats, Image
from training.arrays import as_floats
from training.models.encoder import as_input
from training.models.explainable import parts_of
from training.models.member import Member


def grad_cam(member: Member, crops: Image | NDArray[Any]) -> tuple[Floats, Floats]:
    """Where each crop speaks for manipulation, to this member, and where against it.

    Takes crops uint8 ``[n, 224, 224, 3]``; each counts as a still picture, a window of length 1.
    Returns the relevance of each place of the last map, float32 ``[n, h, w]``, below zero where it
    speaks against manipulation (the paper's ReLU is left to ``heat.joined``), and the logits
    ``[n]``. Raises ``ValueError`` for a member without an encoder or
    with one that cannot be taken apart.
    """
    if member.encoder is None:
        raise ValueError(f"{member.name} sees landmarks only: no place in a picture to point at")
    parts = parts_of(member.encoder)
    with torch.enable_grad():
        maps, *rest = (part.detach() for part in parts.last_map(as_input(torch.from_numpy(crops))))
        maps.requires_grad_(True)
        logits = still_logit(member.head, parts.from_map(maps, *rest))
        (gradient,) = torch.autograd.grad(logits.sum(), maps)
    weights = as_floats(gradient.mean((2, 3)).numpy())
    found = weighed(as_floats(maps.detach().numpy()), weights)
    return found, as_floats(logits.detach().flatten().numpy())


def still_logit(head: nn.Module, features: Tensor) -> Tensor:
    """What ``head`` says of single pictures: features ``[N, D]`` to logits ``[N, 1]``."""
    length = torch.ones((features.shape[0], 1), dtype=torch.int32)
    logits: Tensor = head(features.unsqueeze(1), length)
    return logits
