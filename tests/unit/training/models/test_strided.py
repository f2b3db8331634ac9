"""The quick gradient of strided depthwise convolutions is the gradient."""

import copy
import json
import subprocess
import sys
from typing import Any

import pytest
import torch
from timm.layers.conv2d_same import Conv2dSame

from training.models.encoder import MobileNetV2Encoder
from training.models.lite import EfficientNetLiteEncoder
from training.models.residual import ResidualEncoder
from training.models.strided import StridedDepthwise, WideDepthwise, quicken


def plain(layer: StridedDepthwise) -> Conv2dSame:
    other = copy.deepcopy(layer)
    other.__class__ = Conv2dSame
    return other


@pytest.mark.parametrize(
    ("side", "kernel", "stride"), [(96, 3, 2), (13, 3, 2), (14, 5, 2), (16, 3, 3)]
)
def test_output_and_both_gradients_are_those_of_the_plain_layer(
    side: int, kernel: int, stride: int
) -> None:
    torch.manual_seed(side)
    layer = StridedDepthwise(8, 8, kernel, stride, groups=8, bias=False).train()
    image = torch.randn(2, 8, side, side + 1, requires_grad=True)
    got = []
    for one in (layer, plain(layer)):
        image.grad = None
        out = one(image)
        (out * torch.arange(out.numel()).reshape(out.shape).sin()).sum().backward()
        assert image.grad is not None and one.weight.grad is not None
        got.append((out.detach(), image.grad.clone(), one.weight.grad.clone()))
    for quick, slow in zip(*got, strict=True):
        torch.testing.assert_close(quick, slow, atol=1e-5, rtol=1e-5)


def test_under_autocast_it_computes_in_bfloat16_and_gives_gradients_in_fp32() -> None:
    layer = StridedDepthwise(4, 4, 3, 2, groups=4, bias=False).train()
    image = torch.randn(1, 4, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(image)
    assert out.dtype == torch.bfloat16
    out.float().sum().backward()
    assert layer.weight.grad is not None and layer.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("side", [6, 13])
def test_a_wide_kernel_gives_the_gradients_of_the_plain_layer(side: int) -> None:
    torch.manual_seed(side)
    layer = torch.nn.Conv2d(8, 8, 5, 1, 2, groups=8, bias=False).train()
    net = torch.nn.Sequential(copy.deepcopy(layer))
    quicken(net)
    assert type(net[0]) is WideDepthwise
    image = torch.randn(3, 8, side, side + 1, requires_grad=True)
    got = []
    for one in (net[0], layer):
        out = one(image)
        loss = (out * torch.arange(out.numel()).reshape(out.shape).sin()).sum()
        got.append((out.detach(), *torch.autograd.grad(loss, (image, *one.parameters()))))
    for quick, slow in zip(*got, strict=True):
        torch.testing.assert_close(quick, slow, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "count"),
    [(EfficientNetLiteEncoder, 4), (MobileNetV2Encoder, 4), (ResidualEncoder, 3)],
)
def test_the_encoders_use_it_and_keep_their_weights_names(make: Any, count: int) -> None:
    encoder = make()
    layers = [part for part in encoder.modules() if isinstance(part, StridedDepthwise)]
    assert len(layers) == count
    assert all(part.stride == (2, 2) for part in layers)


def test_layers_that_are_not_depthwise_stay() -> None:
    net = torch.nn.Sequential(
        Conv2dSame(4, 4, 3, 2, bias=False),
        Conv2dSame(4, 4, 3, 1, groups=4, bias=False),
        Conv2dSame(4, 4, 3, 2, groups=4, bias=True),
        Conv2dSame(4, 4, 3, 2, groups=4, bias=False),
    )
    quicken(net)
    assert [type(part) for part in net] == [Conv2dSame] * 3 + [StridedDepthwise]


@pytest.mark.slow
def test_its_benchmark_measures_each_variant() -> None:
    command = [sys.executable, "-m", "benchmarks.train_step", "--steps", "1", "--batch", "2"]
    for variant in ("neither", "both"):
        answer = subprocess.run(
            [*command, "--variant", variant], check=True, capture_output=True, text=True
        )
        assert json.loads(answer.stdout) > 0
