"""``<member>_map``: the last feature map and the logit's gradient at it, in one ONNX graph.

ONNX Runtime cannot differentiate, so the gradient is part of the graph: the way from the last map
to the logit is short, and its derivative is written out as ordinary operations.
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from stream_server.explain.heat import weighed
from stream_server.vision.types import Floats
from training.export.graphs import IR_VERSION, OPSET
from training.export.layout import CROP_SHAPE
from training.export.written_out import written_out
from training.judge.grad_cam import grad_cam, still_logit
from training.models.encoder import as_input
from training.models.explainable import Parts, parts_of
from training.models.member import Member

# Numbers: tensors up to this size stay as they are. They are a small part of a file, and those of
# the first layers matter most.
_SMALL = 16384
_TRACER_WARNING: type[Warning] = vars(torch.jit)["TracerWarning"]  # public, but not in __all__


@dataclass(frozen=True, slots=True)
class HeatModel:
    """Takes ``FRAMES`` uint8 ``[N, 224, 224, 3]``; gives ``MAP`` ``[N, C, h, w]`` and ``GRADIENT``
    ``[N, C]``.

    ``GRADIENT`` is the mean over places of d logit / d MAP, the channel weights of Grad-CAM, for
    each frame as a still picture. ``shape`` is the map's without the batch axis; ``view`` is the
    part of each side of the crop that it covers, around the middle.
    """

    model: ModelProto
    shape: tuple[int, int, int]
    view: float


class _Traced(nn.Module):
    def __init__(self, parts: Parts, gradient: nn.Module) -> None:
        super().__init__()
        self.parts, self.gradient = parts, gradient

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        maps, *rest = self.parts.last_map(as_input(frames))
        return maps, self.gradient(maps, *rest).mean((2, 3))


def heat_model(encoder: nn.Module, head: nn.Module, half: bool = True) -> HeatModel:
    """The map model of a member; ``encoder`` takes float ``[N, 3, 224, 224]``.

    ``half`` stores the weights in 16 bit, for the file's size; they are widened when the model is
    loaded, and all arithmetic is in 32 bit.

    Raises ``ValueError`` for an encoder that cannot be taken apart (``models.explainable``).
    """
    encoder, head = (copy.deepcopy(part).eval().requires_grad_(False) for part in (encoder, head))
    parts = parts_of(encoder)
    random = np.random.default_rng(0)
    frames = torch.from_numpy(random.integers(0, 256, (1, *CROP_SHAPE), np.uint8))
    given = parts.last_map(as_input(frames))
    gradient = written_out(lambda *moved: still_logit(head, parts.from_map(*moved)), given)
    traced = _Traced(parts, gradient)
    # So that the weights of both are found, named, and moved to evaluation with it.
    traced.encoder, traced.head = encoder, head
    model = exported(traced.eval(), frames)
    shape = cast(tuple[int, int, int], tuple(given[0].shape[1:]))
    return HeatModel(per_frame(_slim(model) if half else model, shape), shape, parts.view)


def heat_difference(
    member: Member, heat: HeatModel, crops: NDArray[np.uint8] | None = None
) -> float:
    """The largest difference between the exported heat maps and PyTorch's on the first four of
    ``crops`` (made-up ones if ``None``), as a share of the largest value."""
    if crops is None:
        coarse = np.random.default_rng(1).integers(0, 256, (4, 7, 7, 3), np.uint8)
        crops = np.ascontiguousarray(coarse.repeat(32, 1).repeat(32, 2))
    return map_difference(heat, crops, grad_cam(member, crops[:4])[0])


def map_difference(heat: HeatModel, crops: NDArray[np.uint8], wanted: Floats) -> float:
    """How far the maps of the first of ``crops`` are from those ``wanted``, as
    ``heat_difference`` tells it; infinitely far where those show nothing to compare."""
    crops = crops[: len(wanted)]
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(
        heat.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    maps, gradient = session.run(["MAP", "GRADIENT"], {"FRAMES": crops})
    peak = float(np.abs(wanted).max())
    return float(np.abs(weighed(maps, gradient) - wanted).max()) / peak if peak else np.inf


def exported(module: nn.Module, frames: Tensor) -> ModelProto:
    """``module``, which gives ``MAP`` and ``GRADIENT`` of one of ``frames``, as a graph."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "model.onnx"
        # The exporter's own notices: that it is the old one, and that shapes are constants.
        for category in (DeprecationWarning, UserWarning, _TRACER_WARNING):
            warnings.filterwarnings("ignore", category=category)
        torch.onnx.export(
            module,
            (frames,),
            path,
            input_names=["FRAMES"],
            output_names=["MAP", "GRADIENT"],
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )
        model = onnx.load(str(path))
    for node in model.graph.node:
        node.doc_string = ""  # the exporter writes source paths here
    return model


def _slim(model: ModelProto) -> ModelProto:
    """The model with its larger weights stored in 16 bit and cast back where they are used."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size <= _SMALL:
            continue
        if not np.isfinite(values.astype(np.float16)).all():
            continue  # beyond what 16 bit hold
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def per_frame(model: ModelProto, shape: tuple[int, int, int]) -> ModelProto:
    """A model of one frame as one of any number: ONNX's Scan runs it frame by frame.

    The weights stay outside of the loop, where they are prepared once.
    """
    graph = model.graph
    outside, inside = _apart(model)
    names = {"FRAMES": "frame_1", "MAP": "map_1", "GRADIENT": "gradient_1"}
    for node in inside:
        for ends in (node.input, node.output):
            ends[:] = [names.get(name, name) for name in ends]
    axis = numpy_helper.from_array(np.array([0], np.int64), "frame_axis")
    body = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["frame", "frame_axis"], ["frame_1"]),
            *inside,
            helper.make_node("Squeeze", ["map_1", "frame_axis"], ["map"]),
            helper.make_node("Squeeze", ["gradient_1", "frame_axis"], ["gradient"]),
        ],
        "one_frame",
        [helper.make_tensor_value_info("frame", TensorProto.UINT8, CROP_SHAPE)],
        [
            helper.make_tensor_value_info("map", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("gradient", TensorProto.FLOAT, shape[:1]),
        ],
    )
    scan = helper.make_node("Scan", ["FRAMES"], ["MAP", "GRADIENT"], body=body, num_scan_inputs=1)
    whole = helper.make_graph(
        [*outside, scan],
        "map",
        [helper.make_tensor_value_info("FRAMES", TensorProto.UINT8, ["N", *CROP_SHAPE])],
        [
            helper.make_tensor_value_info("MAP", TensorProto.FLOAT, ["N", *shape]),
            helper.make_tensor_value_info("GRADIENT", TensorProto.FLOAT, ["N", shape[0]]),
        ],
        [*graph.initializer, axis],
    )
    result = helper.make_model(
        whole,
        producer_name="fakelight",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    onnx.checker.check_model(result)
    return result


def _apart(model: ModelProto) -> tuple[list[NodeProto], list[NodeProto]]:
    """The nodes that prepare weights, and those that see the frame or are constants."""
    ready = {weight.name for weight in model.graph.initializer}
    outside, inside = [], []
    for node in model.graph.node:
        if node.input and ready.issuperset(node.input):
            ready.update(node.output)
            outside.append(node)
        else:
            inside.append(node)
    return outside, inside
