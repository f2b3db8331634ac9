"""The residual net: regions, what it sees, and that it exports."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from training.models.encoder import VIEW, MobileNetV2Encoder, middle
from training.models.residual import ResidualEncoder, regions


@pytest.fixture(scope="module")
def net() -> Any:
    torch.manual_seed(0)
    return ResidualEncoder().eval()


def test_regions_share_out_every_place_once() -> None:
    weights = regions(24, 24, VIEW)
    assert weights.shape == (576, 3)
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)
    assert ((weights > 0).sum(axis=1) == 1).all()


def test_the_face_is_inside_and_the_corners_are_around_it() -> None:
    weights = regions(24, 24, VIEW).reshape(24, 24, 3)
    assert weights[13, 12].argmax() == 0
    assert {int(weights[y, x].argmax()) for y in (0, -1) for x in (0, -1)} == {2}


def test_a_flat_picture_has_no_residual_whatever_its_colour(net: Any) -> None:
    dark, bright = torch.full((1, 3, 224, 224), -0.8), torch.full((1, 3, 224, 224), 0.6)
    with torch.inference_mode():
        for one, two in zip(net.maps(dark), net.maps(bright), strict=True):
            torch.testing.assert_close(one, two)


def test_middle_is_a_whole_number_of_steps() -> None:
    assert middle(torch.zeros(1, 3, 224, 224), VIEW).shape[-1] == 192
    assert middle(torch.zeros(1, 3, 224, 224), 1.0).shape[-1] == 224


def test_what_is_outside_the_view_changes_nothing() -> None:
    encoder = MobileNetV2Encoder().eval()
    image = torch.rand(1, 3, 224, 224)
    framed = image.clone()
    framed[:, :, :16] = 0
    with torch.inference_mode():
        torch.testing.assert_close(encoder(image), encoder(framed))


@pytest.mark.filterwarnings(
    "ignore:.*:DeprecationWarning",
    "ignore:.*:torch.jit.TracerWarning",
    "ignore:Constant folding:UserWarning",
)
def test_onnx_gives_what_pytorch_gives(net: Any, tmp_path: Path) -> None:
    image = torch.rand(2, 3, 224, 224) * 2 - 1
    path = str(tmp_path / "net.onnx")
    torch.onnx.export(net, (image,), path, opset_version=17, dynamo=False, input_names=["image"])
    with torch.inference_mode():
        expected = net(image).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"image": image.numpy()})[0], expected, atol=1e-4)


def test_the_filter_runs_in_fp32_under_autocast(net: ResidualEncoder) -> None:
    pixels = torch.randint(0, 256, (2, 3, 224, 224)).float() / 127.5 - 1
    seen: list[torch.Tensor] = []
    hook = net.mix.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        with torch.inference_mode():
            net(pixels)
            with torch.autocast("cpu", torch.bfloat16):
                net(pixels)
    finally:
        hook.remove()
    assert seen[1].dtype == torch.float32
    torch.testing.assert_close(seen[1], seen[0], atol=0, rtol=0)
