"""What evaluation measures, of a member's file and of a repository, is what is served."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from stream_server.engine.repository import read_config
from tests.support.training_sets import portrait
from training.export.onnx_export import write_member
from training.models.encoder import ServedEncoder
from training.models.encoding import encode_with, stamp
from training.models.member import Member
from training.models.registry import make_encoder, make_head, parse
from training.models.served import OnnxEncoder, OnnxHead

NAMES = ("mobilenetv2_mean", "residual_mean", "efficientnet_lite0_mean")


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.stack([portrait(seed, size=(224, 224)) for seed in range(3)])


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_measures_what_is_served(name: str, crops: np.ndarray, tmp_path: Path) -> None:
    torch.manual_seed(1)
    spec = parse(name)
    encoder = make_encoder(spec)
    assert encoder is not None
    made = Member(name, encoder, make_head(spec, 256), 256).eval()
    write_member(tmp_path, name, ServedEncoder(encoder), made.head, 256, fp16=False)
    path = tmp_path / f"{name}_encoder" / "1" / "model.onnx"
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = session.run(["FEATURES"], {"FRAMES": crops})[0]
    served = OnnxEncoder(read_config(tmp_path / f"{name}_encoder" / "config.pbtxt"))
    # The weights of what is served lie in 16 bit; what is judged as it is served has the same.
    for one, most in ((encoder, 1e-2), (served, 1e-5)):
        encode = encode_with(one)
        assert encode is not None
        np.testing.assert_allclose(encode(crops), wanted, atol=most * np.abs(wanted).max())
    assert stamp(served) != stamp(encoder)
    head = OnnxHead(tmp_path / f"{name}_sequence" / "1" / "model.onnx", ["FEATURES"], 100)
    series, length = torch.randn(2, 20, 256), torch.tensor([[20], [7]], dtype=torch.int32)
    with torch.inference_mode():
        torch.testing.assert_close(
            head(series, length), made.head(series, length), atol=1e-4, rtol=1e-4
        )
