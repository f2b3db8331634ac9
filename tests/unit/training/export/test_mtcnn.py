"""The detector's shipped nets: what facenet-pytorch's own compute, without the slow activations."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from stream_server.vision.detect import WEIGHTS


@pytest.mark.parametrize(
    ("name", "net", "shape"),
    [
        ("pnet", PNet, (1, 3, 61, 97)),
        ("rnet", RNet, (7, 3, 24, 24)),
        ("onet", ONet, (7, 3, 48, 48)),
    ],
)
def test_the_shipped_nets_say_what_the_published_ones_do(
    name: str, net: type[torch.nn.Module], shape: tuple[int, ...]
) -> None:
    path = WEIGHTS / f"{name}.onnx"
    assert "PRelu" not in {node.op_type for node in onnx.load(str(path)).graph.node}
    values = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        wanted = net().eval()(torch.from_numpy(values))
    for mine, theirs in zip(session.run(None, {"image": values}), wanted, strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-5)
