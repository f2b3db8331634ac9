"""Weights kept in 16 bit: half the file, the same graph but for rounding."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from training.export.graphs import IR_VERSION, OPSET
from training.export.half_storage import stored_in_half


def product(scale: float = 1.0) -> ModelProto:
    random = np.random.default_rng(0)
    weight = (scale * random.normal(size=(64, 64))).astype(np.float32)
    bias = random.normal(size=64).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["X", "W"], ["XW"]),
            helper.make_node("Add", ["XW", "B"], ["Y"]),
        ],
        "product",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 64])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 64])],
        [numpy_helper.from_array(weight, "W"), numpy_helper.from_array(bias, "B")],
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)


def answer(model: ModelProto, given: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["Y"], {"X": given})[0])


def test_the_file_is_half_as_large_and_the_answer_the_same_but_for_rounding() -> None:
    model, given = product(), np.random.default_rng(1).normal(size=(5, 64)).astype(np.float32)
    stored = stored_in_half(model)
    assert len(stored.SerializeToString()) < 0.6 * len(model.SerializeToString())
    assert {weight.name for weight in stored.graph.initializer} == {"W_half", "B"}
    before, after = answer(model, given), answer(stored, given)
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(after, before, atol=2e-3 * float(np.abs(before).max()))


def test_what_16_bit_already_hold_loses_nothing() -> None:
    model, given = product(), np.random.default_rng(1).normal(size=(5, 64)).astype(np.float32)
    weight = model.graph.initializer[0]
    exact = numpy_helper.to_array(weight).astype(np.float16).astype(np.float32)
    weight.CopyFrom(numpy_helper.from_array(exact, "W"))
    assert np.array_equal(answer(model, given), answer(stored_in_half(model), given))


@pytest.mark.filterwarnings("error")
def test_weights_that_16_bit_cannot_hold_stay() -> None:
    model = product(scale=1e6)
    assert stored_in_half(model) == model
