"""Depthwise convolutions with a stride, trained on a CPU in reasonable time.

oneDNN has no quick kernel for the gradient of such a convolution by its input in bfloat16 and
falls back to a plain loop: in a MobileNetV2 four layers of 52 then take a third of a step. With
zeros put between its places the same gradient is a convolution without a stride, and for that
there is one.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from torch import Tensor, nn
from torch.nn import functional


class _Strided(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(image, weight)
        ctx.stride = stride
        return functional.conv2d(image, weight, None, stride, 0, 1, len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (image, weight), stride = ctx.saved_tensors, ctx.stride
        gradient = gradients[0].to(image.dtype)
        by_image = by_weight = None
        if ctx.needs_input_grad[0]:
            by_image = _by_image(gradient, weight, stride, image.shape)
        if ctx.needs_input_grad[1]:
            by_weight = torch.ops.aten.convolution_backward(
                gradient, image, weight, None, [stride] * 2, [0, 0], [1, 1], False, [0, 0],
                len(weight), (False, True, False),
            )[1]  # fmt: skip
        return by_image, by_weight, None


def _by_image(gradient: Tensor, weight: Tensor, stride: int, shape: torch.Size) -> Tensor:
    count, channels, height, width = shape
    edge = weight.shape[-1] - 1
    # As large as a convolution without a stride must find it to give back ``shape``.
    spread = gradient.new_zeros(count, channels, height - edge, width - edge)
    spread = spread.contiguous(memory_format=torch.channels_last)
    down, across = gradient.shape[-2:]
    spread[:, :, : down * stride : stride, : across * stride : stride] = gradient
    return functional.conv2d(spread, weight.flip(2, 3), None, 1, edge, 1, channels)


class StridedDepthwise(Conv2dSame):
    """A depthwise ``Conv2dSame`` whose gradient on a CPU is computed without the stride."""

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and torch.is_grad_enabled() and x.device.type == "cpu"):
            return cast(Tensor, super().forward(x))  # type: ignore[no-untyped-call]  # timm's
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            half = torch.get_autocast_dtype("cpu")
            x, weight = x.to(half), weight.to(half)
        x = pad_same(x, list(weight.shape[-2:]), list(self.stride))
        return cast(Tensor, _Strided.apply(x, weight, self.stride[0]))  # type: ignore[no-untyped-call]  # torch's own


def quicken(net: nn.Module) -> None:
    """Make every layer of ``net`` that can be one a ``StridedDepthwise``, weights and all."""
    for part in net.modules():
        if not isinstance(part, Conv2dSame) or part.bias is not None:
            continue
        down, across = part.stride
        if part.groups == part.in_channels == part.out_channels and down == across > 1:
            part.__class__ = StridedDepthwise
