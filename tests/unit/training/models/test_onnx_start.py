"""A tower's weights out of an ONNX graph, which gives them names and shapes of its own."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from training.models.dino import DinoEncoder
from training.models.onnx_start import tower_in

_LAYER = "encoder.layer.0.attention.attention.query"


def graph(path: Path, part: str = "backbone", width: int = 4) -> dict[str, np.ndarray]:
    """A graph as the exporter writes one: a product, its bias, and the embeddings of places."""
    rng = np.random.default_rng(0)
    made = {
        f"{part}.{_LAYER}.bias": rng.normal(size=4),
        f"{part}.embeddings.cls_token": rng.normal(size=(1, 1, 4)),
        "onnx::MatMul_7": rng.normal(size=(4, 6)),
        "onnx::Concat_8": rng.normal(size=(1, 1, 4)),
        "onnx::Reshape_9": rng.normal(size=(1, 9, width)),
        "shape": np.array([1, 3, 3, width]),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "onnx::MatMul_7"], ["a"],
                         f"/{part}/{_LAYER.replace('.', '/')}/MatMul"),
        helper.make_node("Reshape", ["onnx::Reshape_9", "shape"], ["b"],
                         f"/{part}/embeddings/Reshape_1"),
        helper.make_node("Concat", ["onnx::Concat_8", "b"], ["c"],
                         f"/{part}/embeddings/Concat_6", axis=1),
    ]  # fmt: skip
    values = {
        name: value if value.dtype == np.int64 else value.astype(np.float32)
        for name, value in made.items()
    }
    onnx.save(
        helper.make_model(helper.make_graph(
            nodes, "tower", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
            [helper.make_tensor_value_info("a", TensorProto.FLOAT, ["N", 6])],
            [numpy_helper.from_array(value, name) for name, value in values.items()],
        )),
        path,
    )  # fmt: skip
    return values


def test_matrices_are_turned_back_and_places_put_together(tmp_path: Path) -> None:
    made = graph(tmp_path / "tower.onnx")
    found = {name: value.numpy() for name, value in tower_in(tmp_path / "tower.onnx").items()}
    assert set(found) == {
        f"{_LAYER}.bias", f"{_LAYER}.weight",
        "embeddings.cls_token", "embeddings.position_embeddings",
    }  # fmt: skip
    np.testing.assert_array_equal(found[f"{_LAYER}.weight"], made["onnx::MatMul_7"].T)
    places = found["embeddings.position_embeddings"]
    np.testing.assert_array_equal(places[:, :1], made["onnx::Concat_8"])
    np.testing.assert_array_equal(places[:, 1:], made["onnx::Reshape_9"])


def test_what_holds_no_tower_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.onnx is missing"):
        DinoEncoder(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(ValueError, match=r"text\.onnx is no ONNX file"):
        DinoEncoder(tmp_path / "text.onnx")
    graph(tmp_path / "other.onnx", part="head")
    with pytest.raises(ValueError, match="holds no 'backbone'"):
        DinoEncoder(tmp_path / "other.onnx")
    graph(tmp_path / "odd.onnx", width=5)
    with pytest.raises(ValueError, match="holds no 'backbone' with embeddings"):
        DinoEncoder(tmp_path / "odd.onnx")
    torch.save({"net.weight": torch.zeros(1)}, tmp_path / "renamed.onnx")
    with pytest.raises(ValueError, match=r"renamed\.onnx is no ONNX file"):
        DinoEncoder(tmp_path / "renamed.onnx")
