"""Depthwise convolutions with a stride or of 5x5, trained on a CPU in reasonable time.

oneDNN has no quick kernel for the gradient of such a convolution by its input in bfloat16 and
falls back to a plain loop: in a MobileNetV2 four layers of 52 then take a third of a step. With
zeros put between its places the same gradient is a convolution without a stride, and for that
there is one. Nor has it a quick one for the gradient by the weight of a kernel of 5x5 (it takes
some ten times as long as of 3x3): that is put together from kernels of 3x3, whose places together
are those of the large one.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from torch import Tensor, nn
from torch.nn import functional

_WIDE, _PIECE = 5, 3


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
            by_weight = _by_weight(gradient, image, weight, stride)
        return by_image, by_weight, None


def _by_image(gradient: Tensor, weight: Tensor, stride: int, shape: torch.Size) -> Tensor:
    count, channels, height, width = shape
    edge = weight.shape[-1] - 1
    if stride == 1:
        return functional.conv2d(gradient, weight.flip(2, 3), None, 1, edge, 1, channels)
    # As large as a convolution without a stride must find it to give back ``shape``.
    spread = gradient.new_zeros(count, channels, height - edge, width - edge)
    spread = spread.contiguous(memory_format=torch.channels_last)
    down, across = gradient.shape[-2:]
    spread[:, :, : down * stride : stride, : across * stride : stride] = gradient
    return functional.conv2d(spread, weight.flip(2, 3), None, 1, edge, 1, channels)


def _by_weight(gradient: Tensor, image: Tensor, weight: Tensor, stride: int) -> Tensor:
    """The gradient by ``weight`` ``[C, 1, K, K]``; of 5x5 in four overlapping pieces of 3x3."""
    side = weight.shape[-1]
    if side != _WIDE:
        return _direct(gradient, image, weight, stride)
    result = torch.empty_like(weight)
    piece = weight[:, :, :_PIECE, :_PIECE].contiguous()
    down, across = ((int(count) - 1) * stride + _PIECE for count in gradient.shape[-2:])
    for top in (0, side - _PIECE):
        for left in (0, side - _PIECE):
            seen = image[:, :, top : top + down, left : left + across]
            seen = seen.contiguous(memory_format=torch.channels_last)
            found = _direct(gradient, seen, piece, stride)
            result[:, :, top : top + _PIECE, left : left + _PIECE] = found
    return result


def _direct(gradient: Tensor, image: Tensor, weight: Tensor, stride: int) -> Tensor:
    found: Tensor = torch.ops.aten.convolution_backward(
        gradient, image, weight, None, [stride] * 2, [0, 0], [1, 1], False, [0, 0],
        len(weight), (False, True, False),
    )[1]  # fmt: skip
    return found


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


class WideDepthwise(nn.Conv2d):
    """A depthwise convolution of 5x5 without a stride, whose gradient on a CPU is put together."""

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and torch.is_grad_enabled() and x.device.type == "cpu"):
            return super().forward(x)
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            half = torch.get_autocast_dtype("cpu")
            x, weight = x.to(half), weight.to(half)
        down, across = (int(edge) for edge in self.padding)
        x = functional.pad(x, (across, across, down, down))
        return cast(Tensor, _Strided.apply(x, weight, 1))  # type: ignore[no-untyped-call]  # torch's own


def quicken(net: nn.Module) -> None:
    """Give every layer of ``net`` that can have one its quick gradient, weights and names kept.

    Those are depthwise layers without a bias: ``Conv2dSame`` with a stride (``StridedDepthwise``)
    and ``Conv2d`` of 5x5 without one (``WideDepthwise``).
    """
    for part in net.modules():
        if not isinstance(part, nn.Conv2d) or part.bias is not None:
            continue
        if not part.groups == part.in_channels == part.out_channels:
            continue
        down, across = part.stride
        if isinstance(part, Conv2dSame):
            if down == across > 1:
                part.__class__ = StridedDepthwise
        elif (
            type(part) is nn.Conv2d
            and part.kernel_size == (_WIDE, _WIDE)
            and part.stride == part.dilation == (1, 1)
            and not isinstance(part.padding, str)
            and part.padding_mode == "zeros"
        ):
            part.__class__ = WideDepthwise
