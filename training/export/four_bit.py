"""Matrices kept in 4 bit on disk, other large weights in 8, all brought back where it runs.

For heat maps alone: they need no more, and their file holds the weights of an encoder once more.
Each column is cut into groups of rows with a scale of their own; the sixteen values are the odd
halves from -7.5 to 7.5, so that none is lost on zero. Plain operations bring them back, so that no
engine has to know of it: on opening where constants are folded, else at each run.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from stream_server.vision.types import Floats
from training.arrays import as_floats

GROUP = 192  # rows
_LEAST = 65536  # weights: smaller matrices stay as they are
# Where in a group's range the outermost of the sixteen values lies: whole, or some of it cut off.
_CUTS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
_TOPS = (7.5, 6.5, 5.5, 4.5, 3.5, 2.5, 1.5, 0.5)


def fits(values: Floats) -> bool:
    """Whether ``values`` is a matrix that is worth it, in whole groups of rows."""
    return values.ndim == 2 and values.size >= _LEAST and values.shape[0] % GROUP == 0


def rounded(values: Floats) -> Floats:
    """What is left of a matrix ``[K, N]`` in 4 bit. Rounding that again changes nothing."""
    codes, scales = _coded(values)
    return as_floats(((codes - 7.5) * scales[:, None].astype(np.float32)).reshape(values.shape))


def stored_in_four_bits(model: ModelProto) -> ModelProto:
    """``model`` with its large fp32 weights in few bits, each followed by what brings it back."""
    made = ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    wide = {
        one.name: as_floats(values)
        for one in graph.initializer
        if one.data_type == TensorProto.FLOAT and fits(values := numpy_helper.to_array(one))
    }
    nodes: list[NodeProto] = []
    kept: list[TensorProto] = []
    for one in graph.initializer:
        values = numpy_helper.to_array(one)
        if one.data_type == TensorProto.FLOAT and values.ndim > 2 and values.size >= _LEAST:
            stored, back = _in_eight_bits(one.name, as_floats(values))
            kept += stored
            nodes += back
        elif one.name not in wide:
            kept.append(one)
    for name, values in wide.items():
        # Whichever way round loses less, which is nothing for what was ``rounded`` that way.
        turned = as_floats(values.T)
        if fits(turned) and _loss(turned) < _loss(values):
            stored, back = _stored(f"{name}_turned", turned)
            back.append(helper.make_node("Transpose", [f"{name}_turned"], [name], perm=[1, 0]))
        else:
            stored, back = _stored(name, values)
        kept += stored
        nodes += back
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    checker.check_model(made, full_check=True)
    return made


def _in_eight_bits(name: str, values: Floats) -> tuple[list[TensorProto], list[NodeProto]]:
    """Filters and the like, with a scale for each along the last axis or, of filters, the first."""
    axes = (1, 2, 3) if values.ndim == 4 else tuple(range(values.ndim - 1))
    scale = np.maximum(np.abs(values).max(axes, keepdims=True) / 127, 1e-30)
    codes = np.round(values / scale).astype(np.int8)
    tensors = [
        numpy_helper.from_array(codes, f"{name}_codes"),
        numpy_helper.from_array(scale.astype(np.float32), f"{name}_scales"),
    ]
    nodes = [
        helper.make_node("Cast", [f"{name}_codes"], [f"{name}_wide"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_wide", f"{name}_scales"], [name]),
    ]
    return tensors, nodes


def _loss(values: Floats) -> float:
    return float(((rounded(values) - values) ** 2).sum())


def _coded(values: Floats) -> tuple[Floats, Floats]:
    """Codes 0 to 15 ``[G, GROUP, N]`` and scales fp16 ``[G, N]`` of the least squared error."""
    parts = values.reshape(-1, GROUP, values.shape[1])
    peak = np.abs(parts).max(1)
    best = np.full(peak.shape, np.inf, np.float32)
    codes, scales = np.zeros_like(parts), np.ones(peak.shape, np.float16)
    steps = [cut / _TOPS[0] for cut in _CUTS] + [1 / top for top in _TOPS[1:]]
    for step in steps:
        scale = np.maximum(peak * np.float32(step), 1e-7).astype(np.float16)
        wide = scale[:, None].astype(np.float32)
        found = np.clip(np.round(parts / wide + 7.5), 0, 15)
        error = (((found - 7.5) * wide - parts) ** 2).sum(1)
        better = error < best
        best = np.where(better, error, best)
        scales = np.where(better, scale, scales)
        codes = np.where(better[:, None], found, codes)
    return as_floats(codes.astype(np.float32)), scales


def _stored(name: str, values: Floats) -> tuple[list[TensorProto], list[NodeProto]]:
    codes, scales = _coded(values)
    halves = codes.reshape(2, -1, values.shape[1]).astype(np.uint8)
    constants = {
        "pairs": halves[0] * np.uint8(16) + halves[1],
        "scales": scales[:, None],
        "sixteen": np.float32(16),
        "middle": np.float32(7.5),
        "groups": np.array([-1, GROUP, values.shape[1]], np.int64),
        "shape": np.array(values.shape, np.int64),
    }
    steps = (
        ("Cast", ("pairs",), "wide"),
        ("Div", ("wide", "sixteen"), "shifted"),
        ("Floor", ("shifted",), "upper"),
        ("Mul", ("upper", "sixteen"), "lifted"),
        ("Sub", ("wide", "lifted"), "lower"),
        ("Concat", ("upper", "lower"), "codes"),
        ("Sub", ("codes", "middle"), "centred"),
        ("Reshape", ("centred", "groups"), "grouped"),
        ("Cast", ("scales",), "factors"),
        ("Mul", ("grouped", "factors"), "scaled"),
        ("Reshape", ("scaled", "shape"), ""),
    )
    nodes = []
    for op, taken, given in steps:
        made = f"{name}_{given}" if given else name
        node = helper.make_node(op, [f"{name}_{one}" for one in taken], [made])
        if op in ("Cast", "Concat"):
            key, number = ("to", int(TensorProto.FLOAT)) if op == "Cast" else ("axis", 0)
            node.attribute.append(helper.make_attribute(key, number))
        nodes.append(node)
    tensors = [numpy_helper.from_array(np.asarray(v), f"{name}_{k}") for k, v in constants.items()]
    return tensors, nodes
