"""Padding that PyTorch works out at every call goes into the convolutions, to the same bits."""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from onnx import ModelProto
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn

from training.export.onnx_export import export_module
from training.export.static_padding import padding_in_convolutions


class Padded(nn.Module):
    """TensorFlow's padding, as the EfficientNets have it: two strided convolutions in a row."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Conv2dSame(3, 4, 3, stride=2)
        self.second = Conv2dSame(4, 4, 5, stride=2, groups=4)

    def forward(self, frames: Tensor) -> Tensor:
        pictures = frames.permute(0, 3, 1, 2).float() / 255
        made: Tensor = self.second(torch.relu(self.first(pictures))).mean((2, 3))
        return made


class ReadTwice(nn.Module):
    """A padded picture that goes into a convolution and elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)

    def forward(self, frames: Tensor) -> Tensor:
        padded = nn.functional.pad(frames.permute(0, 3, 1, 2).float(), (0, 1, 0, 1))
        made: Tensor = self.convolution(padded).mean((2, 3)) + padded.mean((1, 2, 3))[:, None]
        return made


class OtherFiller(nn.Module):
    """Padded with what a convolution does not pad with."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)

    def forward(self, frames: Tensor) -> Tensor:
        padded = nn.functional.pad(frames.permute(0, 3, 1, 2).float(), (0, 1, 0, 1), value=9.0)
        made: Tensor = self.convolution(padded).mean((2, 3))
        return made


def pictures(rows: int) -> np.ndarray:
    return np.random.default_rng(rows).integers(0, 256, (rows, 33, 32, 3), dtype=np.uint8)


def answer(model: ModelProto, given: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["FEATURES"], {"FRAMES": given})[0])


def kinds(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def exported(module: nn.Module) -> ModelProto:
    return export_module(module, {"FRAMES": pictures(2)}, "FEATURES")


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_the_convolutions_pad_for_themselves_and_give_the_same(rows: int) -> None:
    torch.manual_seed(0)
    module = Padded()
    model = exported(module)
    assert "Pad" not in kinds(model)
    assert kinds(model).count("Conv") == 2
    assert not {"Slice", "Reshape", "Concat"} & set(kinds(model)), "the arithmetic is left over"
    given = pictures(rows)
    with torch.inference_mode():
        wanted = module.eval()(torch.from_numpy(given)).numpy()
    np.testing.assert_allclose(answer(model, given), wanted, atol=1e-6)


@pytest.mark.parametrize("kind", [ReadTwice, OtherFiller])
def test_padding_that_is_no_convolution_s_own_stays(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    module = kind()
    model = exported(module)
    assert "Pad" in kinds(model)
    given = pictures(3)
    with torch.inference_mode():
        wanted = module.eval()(torch.from_numpy(given)).numpy()
    # Sums of bytes: what is left of them may be near 0.
    np.testing.assert_allclose(answer(model, given), wanted, rtol=1e-4, atol=1e-3)


def test_a_model_without_padding_is_left_as_it_is() -> None:
    model = exported(Padded())
    assert padding_in_convolutions(model) == model
