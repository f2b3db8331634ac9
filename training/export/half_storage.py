"""Weights kept in 16 bit on disk and brought back to 32 where a graph is opened.

The arithmetic stays that of 32 bit; a weight is off by at most a part in 2048, which is less than
the last steps of training moved it, and the file is half as large.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

_LEAST = 1024  # weights: below, the node that brings them back takes as much
_LARGEST = float(np.finfo(np.float16).max)


def stored_in_half(model: ModelProto) -> ModelProto:
    """``model`` with its large fp32 weights as fp16, each followed by a ``Cast``.

    ONNX Runtime folds the casts when it opens the graph. Weights beyond what fp16 can hold stay.
    """
    made = ModelProto()
    made.CopyFrom(model)
    casts = []
    for weight in made.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _LEAST:
            continue
        if float(np.abs(values).max()) > _LARGEST:
            continue
        name, stored = weight.name, f"{weight.name}_half"
        casts.append(
            helper.make_node("Cast", [stored], [name], f"{name}_cast", to=TensorProto.FLOAT)
        )
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
    nodes = list(made.graph.node)
    del made.graph.node[:]
    made.graph.node.extend([*casts, *nodes])
    checker.check_model(made, full_check=True)
    return made


def brought_back(model: ModelProto) -> ModelProto:
    """``model`` with the weights that ``stored_in_half`` made small as fp32, without casts."""
    made = ModelProto()
    made.CopyFrom(model)
    stored = {
        weight.name: weight
        for weight in made.graph.initializer
        if weight.data_type == TensorProto.FLOAT16
    }
    kept = []
    for node in made.graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            weight = stored[node.input[0]]
            values = numpy_helper.to_array(weight).astype(np.float32)
            weight.CopyFrom(numpy_helper.from_array(values, node.output[0]))
        else:
            kept.append(node)
    del made.graph.node[:]
    made.graph.node.extend(kept)
    checker.check_model(made, full_check=True)
    return made
