"""Convolutions with their batch norm frozen and folded in.

With its statistics frozen, batch norm is a scale and a shift per channel. Applying them to the
convolution's weights gives the same function and the same gradients, and saves two passes over
the largest tensors in training.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional


class FrozenConv(nn.Module):
    """A convolution without bias followed by batch norm in evaluation mode.

    Weight, scale and shift are trained; the norm's statistics are constants.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        if conv.bias is not None:
            raise ValueError("the convolution has a bias of its own; batch norm should have it")
        deviation = torch.sqrt(_given(norm.running_var) + norm.eps)
        self.weight = nn.Parameter(conv.weight.detach().clone())
        self.scale = nn.Parameter((norm.weight / deviation).detach().clone())
        mean = _given(norm.running_mean)
        self.shift = nn.Parameter((norm.bias - mean * norm.weight / deviation).detach().clone())
        self.stride, self.dilation, self.groups = conv.stride, conv.dilation, conv.groups
        self.padding = conv.padding
        self.folded = False
        # timm's Conv2dSame pads by itself, unevenly and depending on the input's size.
        self.same = type(conv).__name__ == "Conv2dSame"

    def forward(self, image: Tensor) -> Tensor:
        weight = self.weight if self.folded else self.weight * self.scale[:, None, None, None]
        padding: tuple[int, ...] | str = self.padding
        if self.same:
            image, padding = self._padded(image), (0, 0)
        return functional.conv2d(
            image, weight, self.shift, self.stride, padding, self.dilation, self.groups
        )

    def _padded(self, image: Tensor) -> Tensor:
        edges: list[int] = []
        for axis in (1, 0):
            length, kernel = int(image.shape[2 + axis]), int(self.weight.shape[2 + axis])
            step, reach = self.stride[axis], (kernel - 1) * self.dilation[axis] + 1
            missing = max((-(-length // step) - 1) * step + reach - length, 0)
            edges += [missing // 2, missing - missing // 2]
        return functional.pad(image, edges) if any(edges) else image


def freeze_norms(module: nn.Module) -> nn.Module:
    """Fold each batch norm of a timm network into the convolution defined just before it."""
    for parent in list(module.modules()):
        before: str | None = None
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d) and before is not None:
                conv = getattr(parent, before)
                setattr(parent, before, FrozenConv(conv, child))
                setattr(parent, name, getattr(child, "act", None) or nn.Identity())
            before = name if isinstance(child, nn.Conv2d) else before
    left = [name for name, child in module.named_modules() if isinstance(child, nn.BatchNorm2d)]
    if left:
        raise ValueError(f"batch norms without a convolution before them: {left}")
    return module


def _given(tensor: Tensor | None) -> Tensor:
    if tensor is None:
        raise ValueError("the batch norm keeps no statistics")
    return tensor


def fold(module: nn.Module) -> nn.Module:
    """A copy of ``module`` whose frozen norms are part of the weights, for export."""
    module = copy.deepcopy(module)
    for child in module.modules():
        if isinstance(child, FrozenConv):
            with torch.no_grad():
                child.weight.mul_(child.scale[:, None, None, None])
                child.scale.fill_(1.0)
            child.folded = True
    return module
