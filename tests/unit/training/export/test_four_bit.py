"""Weights in few bits, and what comes back of them."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from training.export.four_bit import rounded, stored_in_four_bits


def matrix(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, (rows, columns)).astype(np.float32)


def test_rounding_loses_little_and_nothing_the_second_time() -> None:
    values = matrix(384, 192)
    once = rounded(values)
    assert np.abs(once - values).mean() < 0.15 * np.abs(values).mean()
    assert np.array_equal(rounded(once), once)
    assert rounded(np.zeros_like(values)).shape == values.shape, "no scale of nothing"


def test_a_graph_gives_what_its_rounded_weights_give_and_is_an_eighth_as_large() -> None:
    upright, turned = rounded(matrix(384, 1152)), rounded(matrix(384, 1152, 1)).T
    small = matrix(1152, 3, 2)
    nodes = [
        helper.make_node("MatMul", ["x", "upright"], ["wide"]),
        helper.make_node("MatMul", ["wide", "turned"], ["back"]),
        helper.make_node("MatMul", ["back", "upright"], ["again"]),
        helper.make_node("MatMul", ["again", "small"], ["y"]),
    ]
    weights = {"upright": upright, "turned": np.ascontiguousarray(turned), "small": small}
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 384])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    stored = stored_in_four_bits(model)
    x = np.random.default_rng(3).normal(size=(2, 384)).astype(np.float32)
    wanted, found = (
        ort.InferenceSession(one.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            ["y"], {"x": x}
        )[0]
        for one in (model, stored)
    )
    assert np.allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
    assert stored.ByteSize() < model.ByteSize() / 7


def test_filters_keep_eight_bits() -> None:
    filters = np.random.default_rng(4).normal(size=(128, 3, 14, 14)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "filters"], ["y"], strides=[14, 14])],
        "patches",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 28, 28])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 128, 2, 2])],
        [numpy_helper.from_array(filters, "filters")],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    stored = stored_in_four_bits(model)
    x = np.random.default_rng(5).normal(size=(1, 3, 28, 28)).astype(np.float32)
    wanted, found = (
        ort.InferenceSession(one.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            ["y"], {"x": x}
        )[0]
        for one in (model, stored)
    )
    assert np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max()
    assert stored.ByteSize() < model.ByteSize() / 3
