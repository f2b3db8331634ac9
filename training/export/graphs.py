"""The two small ONNX graphs that need no training framework: the vote and the packing.

Opset 17 and IR 8: old enough for ONNX Runtime 1.19.2, which Triton 24.10 carries (it reads
opset 21 and IR 10 at most).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from training.judge.vote import Vote

OPSET = 17
IR_VERSION = 8


def vote_graph(vote: Vote) -> ModelProto:
    """The calibrated vote.

    Inputs ``LOGIT_<member>`` float32 ``[N, 1]`` each; outputs ``MEMBER_PROBABILITY`` float32
    ``[N, M]`` and ``PROBABILITY`` float32 ``[N, 1]``: p = sigmoid(bias + sum of weight times
    calibrated logit), and 1 - (1 - p)(1 - q) for each q of a member of kind ``either``.
    """
    names = vote.names
    numbers = np.array([[one.scale, one.shift, one.weight] for one in vote.members], np.float32)
    either = [number for number, one in enumerate(vote.members) if one.kind == "either"]
    numbers[either, 2] = 0
    inputs = [f"LOGIT_{name}" for name in names]
    nodes = [
        helper.make_node("Concat", inputs, ["logits"], axis=1),
        helper.make_node("Mul", ["logits", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["calibrated"]),
        helper.make_node("Sigmoid", ["calibrated"], ["MEMBER_PROBABILITY"]),
        helper.make_node("MatMul", ["calibrated", "weight"], ["voted"]),
        helper.make_node("Add", ["voted", "bias"], ["logit"]),
    ]
    constants = {
        "scale": numbers[:, 0],
        "shift": numbers[:, 1],
        "weight": numbers[:, 2:3],
        "bias": np.array([vote.bias], np.float32),
    }
    if either:
        # The sigmoid of the negative and not 1 - p, which rounds to 0 where p is next to 1.
        nodes += [
            helper.make_node("Gather", ["calibrated", "either"], ["others"], axis=1),
            helper.make_node("Concat", ["logit", "others"], ["questions"], axis=1),
            helper.make_node("Neg", ["questions"], ["denied"]),
            helper.make_node("Sigmoid", ["denied"], ["not_so"]),
            helper.make_node("ReduceProd", ["not_so"], ["neither"], axes=[1], keepdims=1),
            helper.make_node("Sub", ["one", "neither"], ["PROBABILITY"]),
        ]
        constants |= {"either": np.array(either, np.int64), "one": np.array([1], np.float32)}
    else:
        nodes.append(helper.make_node("Sigmoid", ["logit"], ["PROBABILITY"]))
    return make_model(
        "vote",
        nodes,
        {name: (TensorProto.FLOAT, ["N", 1]) for name in inputs},
        {
            "PROBABILITY": (TensorProto.FLOAT, ["N", 1]),
            "MEMBER_PROBABILITY": (TensorProto.FLOAT, ["N", len(names)]),
        },
        constants,
    )


def pack_graph(length: int) -> ModelProto:
    """Pads one window to the fixed length.

    ``FEATURES`` float32 ``[n, D]``, 1 <= n <= length, becomes ``PACKED`` float32
    ``[1, length, D]`` with zeros at the end, and ``LENGTH`` int32 ``[1, 1]`` = n. A longer
    window makes a negative shape inside, which ONNX Runtime refuses: nothing is cut silently.
    """
    nodes = [
        helper.make_node("Shape", ["FEATURES"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["n"], axis=0),
        helper.make_node("Gather", ["shape", "one"], ["d"], axis=0),
        helper.make_node("Sub", ["length", "n"], ["missing"]),
        helper.make_node("Concat", ["missing", "d"], ["padding_shape"], axis=0),
        helper.make_node("ConstantOfShape", ["padding_shape"], ["padding"]),
        helper.make_node("Concat", ["FEATURES", "padding"], ["padded"], axis=0),
        helper.make_node("Unsqueeze", ["padded", "zero"], ["PACKED"]),
        helper.make_node("Cast", ["n"], ["n32"], to=TensorProto.INT32),
        helper.make_node("Unsqueeze", ["n32", "zero"], ["LENGTH"]),
    ]
    constants = {
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "length": np.array([length], np.int64),
    }
    return make_model(
        "pack",
        nodes,
        {"FEATURES": (TensorProto.FLOAT, ["n", "D"])},
        {
            "PACKED": (TensorProto.FLOAT, [1, length, "D"]),
            "LENGTH": (TensorProto.INT32, [1, 1]),
        },
        constants,
    )


def make_model(
    name: str,
    nodes: Sequence[NodeProto],
    inputs: dict[str, tuple[int, Sequence[int | str]]],
    outputs: dict[str, tuple[int, Sequence[int | str]]],
    constants: dict[str, np.ndarray],
) -> ModelProto:
    """A checked ONNX model; tensors are given as name to element type and shape."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(n, t, s) for n, (t, s) in inputs.items()],
        [helper.make_tensor_value_info(n, t, s) for n, (t, s) in outputs.items()],
        [numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in constants.items()],
    )
    model = helper.make_model(
        graph,
        producer_name="fakelight",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    checker.check_model(model, full_check=True)
    return model
