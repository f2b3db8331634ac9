"""From PyTorch modules to a member of the model repository, in fp32 and fp16.

The TorchScript exporter is used (``dynamo=False``): for CNNs and LSTMs it gives small graphs of
opset 17 and IR 8 with a free batch axis, which ONNX Runtime 1.19.2 in Triton 24.10 reads.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import ModelProto
from onnxruntime.transformers import float16
from onnxruntime.transformers.onnx_model import OnnxModel
from torch import nn

from training.export.graphs import IR_VERSION, OPSET
from training.export.half_storage import stored_in_half
from training.export.heat_map import HeatModel
from training.export.layout import CROP_SHAPE
from training.export.repository_writer import place_member
from training.export.static_padding import padding_in_convolutions
from training.models.contract import MAX_STEPS

_MAX_FP32_ERROR, _MAX_STORED_ERROR = 1e-3, 1e-2  # of an output's scale
_MAX_BYTES = 2**31 - 2**20  # protobuf's limit for a message, less room for the graph itself
_TRACER_WARNING: type[Warning] = vars(torch.jit)["TracerWarning"]  # public, but not in __all__


@dataclass(frozen=True, slots=True)
class Parity:
    """How far an exported model's outputs are from PyTorch's, on random inputs.

    ``fp32`` and ``fp16`` are the largest absolute differences, ``scale`` the largest absolute
    value of PyTorch's output. ``fp16`` is None where no fp16 file was written.
    """

    model: str
    fp32: float
    fp16: float | None
    scale: float


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What ``write_member`` wrote, for the training log."""

    member: str
    parity: tuple[Parity, ...]
    files: Mapping[str, int]
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The report as text, one line per model and file."""
        text = []
        for p in self.parity:
            half = "" if p.fp16 is None else f", fp16 {p.fp16:.2g}"
            text.append(
                f"{p.model}: largest difference from PyTorch: fp32 {p.fp32:.2g}{half} "
                f"(outputs up to {p.scale:.3g})"
            )
        text += self.notes
        return text + [f"{name}: {size / 1e6:.2f} MB" for name, size in self.files.items()]


class ParityError(RuntimeError):
    """The exported model does not compute what the PyTorch module computes."""


def write_member(
    repo: Path,
    name: str,
    encoder: nn.Module | None,
    sequence: nn.Module,
    feature_dim: int | Mapping[str, int],
    *,
    heat: HeatModel | None = None,
    crops: NDArray[np.uint8] | None = None,
    fp16: bool = True,
    parameters: Mapping[str, str] | None = None,
) -> ExportReport:
    """Export a member and write its folders. The vote and the ensembles are left alone.

    Args:
        repo: the model repository.
        name: the member's name.
        encoder: takes uint8 ``[N, 224, 224, 3]`` RGB, resizes and normalises inside, and gives
            float32 ``[N, feature_dim]``; None for a member that lives on landmarks, or on the
            features of others.
        sequence: takes float32 ``[B, 100, D]``, one for each member that it reads, and int32
            ``[B, 1]``, gives float32 ``[B, 1]``, and must not look beyond the length.
        feature_dim: D; 10 for landmarks; the names of the members that it reads, each with its D.
        heat: the model that heat maps are drawn from, as ``heat_model`` makes it.
        crops: real crops, uint8 ``[n, 224, 224, 3]``, on which parity is measured too.
        fp16: whether to write ``model.fp16.onnx`` beside ``model.onnx`` for the V100; the weights
            of an encoder's ``model.onnx`` are stored in 16 bit either way, its arithmetic is fp32.
        parameters: string parameters of the sequence model's config.

    Returns:
        Parity with PyTorch and the sizes of the files.

    Raises:
        ParityError: fp32 differs from PyTorch by more than 1e-3 of the output's scale, or the
            padding after LENGTH changes the logit.
    """
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (n, *CROP_SHAPE), dtype=np.uint8) for n in (1, 3)]
    parity: list[Parity] = []
    encoders: tuple[ModelProto | None, ModelProto | None] = None, None
    if encoder is not None:
        model = export_module(encoder, {"FRAMES": frames[1]}, "FEATURES")
        half = to_fp16(model) if fp16 else None
        encoders = model, half
        cases = [{"FRAMES": f} for f in frames]
        parity.append(_parity(f"{name}_encoder", encoder, model, half, cases, "FEATURES"))
        if crops is not None:
            cases = [{"FRAMES": crops[at : at + 16]} for at in range(0, len(crops), 16)]
            called = f"{name}_encoder on {len(crops)} real crops"
            parity.append(_parity(called, encoder, model, half, cases, "FEATURES"))
        model = stored_in_half(model)
        called = f"{name}_encoder, its weights stored in 16 bit"
        parity.append(_parity(called, encoder, model, None, cases, "FEATURES", _MAX_STORED_ERROR))
        encoders = model, half
    if isinstance(feature_dim, int):
        dims = {"FEATURES": feature_dim}
    else:
        dims = {f"FEATURES_{other}": dim for other, dim in feature_dim.items()}
    cases = [_window(random, n, dims) for n in (1, 3)]
    model = export_module(sequence, cases[1], "LOGIT")
    half = to_fp16(model) if fp16 else None
    _check_padding(name, model, cases[1])
    parity.append(_parity(f"{name}_sequence", sequence, model, half, cases, "LOGIT"))
    place_member(
        repo,
        name,
        model,
        feature_dim,
        encoders[0],
        sequence_fp16=half,
        encoder_fp16=encoders[1],
        feature_map=None if heat is None else heat.model,
        map_shape=() if heat is None else heat.shape,
        map_view=1.0 if heat is None else heat.view,
        parameters=parameters,
    )
    files = {
        str(path.relative_to(repo)): path.stat().st_size
        for part in ("encoder", "map", "sequence")
        for path in sorted((repo / f"{name}_{part}").glob("1/*.onnx"))
    }
    return ExportReport(name, tuple(parity), files)


def export_module(module: nn.Module, inputs: Mapping[str, np.ndarray], output: str) -> ModelProto:
    """A module as an ONNX model with a free batch axis.

    Args:
        module: called with the inputs in order; put into eval mode.
        inputs: named example arrays, with a batch of 2 or more, so that no axis of length 1 is
            taken for one to broadcast along.
        output: the output's name.

    Raises:
        ParityError: the module ignores one of its inputs, so the graph would lack it.
    """
    arrays = tuple(torch.from_numpy(array) for array in inputs.values())
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
        torch.inference_mode(),
    ):
        path = Path(folder) / "model.onnx"
        # The exporter's own notices: that it is the old one; that LSTMs are exported with a
        # free batch axis (their initial states are made inside the graph, so it is safe, and
        # parity at two batch sizes shows it); that constant shapes are traced.
        for category in (DeprecationWarning, UserWarning, _TRACER_WARNING):
            warnings.filterwarnings("ignore", category=category)
        torch.onnx.export(
            module.eval(),
            arrays,
            path,
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes={name: {0: "N"} for name in (*inputs, output)},
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )
        model = onnx.load(str(path))  # with what a large model keeps in files beside its own
    size = sum(len(weight.raw_data) for weight in model.graph.initializer)
    if size > _MAX_BYTES:
        raise ValueError(
            f"{type(module).__name__} has {size / 1e9:.2f} GB of weights; one ONNX file holds "
            f"{_MAX_BYTES / 1e9:.2f} GB"
        )
    unused = sorted(set(inputs) - {tensor.name for tensor in model.graph.input})
    if unused:
        raise ParityError(f"{type(module).__name__} does not use its input {', '.join(unused)}")
    model.producer_name, model.producer_version = "fakelight", ""
    model.ir_version = min(model.ir_version, IR_VERSION)
    for node in model.graph.node:
        node.doc_string = ""  # the exporter writes source paths here
    model = padding_in_convolutions(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def to_fp16(model: ModelProto) -> ModelProto:
    """The model with fp16 weights and arithmetic, and inputs and outputs of the old types.

    Pictures stay fp32 through their first two convolutions: near white, halves lie a sixteenth of
    a grey level apart, and a high-pass filter takes that for noise of the camera.

    ONNX Runtime's converter and not onnxconverter-common's: that one leaves ``Cast`` nodes at
    fp32, so every graph that begins with uint8 pictures comes out with mixed types.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    with warnings.catch_warnings():
        # It notes every weight that fp16 cannot hold; parity says whether it matters.
        warnings.filterwarnings("ignore", message="the float32 number")
        half: ModelProto = float16.convert_float_to_float16(
            copy, keep_io_types=True, node_block_list=_begin(copy)
        )
    # It casts the same value anew, by one name, for each node that stays fp32.
    made = {tuple(node.output): node for node in half.graph.node}
    if len(made) < len(half.graph.node):
        kept = list(made.values())
        del half.graph.node[:]
        half.graph.node.extend(kept)
    OnnxModel.graph_topological_sort(half.graph)  # the converter appends its casts at the end
    onnx.checker.check_model(half, full_check=True)
    return half


def _begin(model: ModelProto) -> list[str]:
    """The names of the nodes through the second convolution; none where there are fewer."""
    nodes = model.graph.node
    convolutions = [place for place, node in enumerate(nodes) if node.op_type == "Conv"]
    return [node.name for node in nodes[: convolutions[1] + 1]] if len(convolutions) > 1 else []


def _window(
    random: np.random.Generator, batch: int, dims: Mapping[str, int]
) -> dict[str, np.ndarray]:
    lengths = np.array([[(7 * i) % MAX_STEPS + 1] for i in range(batch)], np.int32)
    windows = {
        name: random.normal(size=(batch, MAX_STEPS, dim)).astype(np.float32)
        for name, dim in dims.items()
    }
    return windows | {"LENGTH": lengths}


def _check_padding(name: str, model: ModelProto, case: Mapping[str, np.ndarray]) -> None:
    session = _open(model)
    wild = {key: array.copy() for key, array in case.items()}
    for row, length in enumerate(case["LENGTH"][:, 0]):
        for tensor in case.keys() - {"LENGTH"}:
            wild[tensor][row, length:] = 1e3
    before, after = (session.run(["LOGIT"], dict(feed))[0] for feed in (case, wild))
    if not np.allclose(before, after, atol=1e-4):
        raise ParityError(
            f"{name}: what lies beyond LENGTH changes the logit by {np.abs(before - after).max()}"
        )


def _parity(
    model_name: str,
    module: nn.Module,
    model: ModelProto,
    half: ModelProto | None,
    cases: Sequence[Mapping[str, np.ndarray]],
    output: str,
    limit: float = _MAX_FP32_ERROR,
) -> Parity:
    errors = {"fp32": 0.0, "fp16": 0.0}
    scale = 0.0
    sessions = {"fp32": _open(model)} | ({} if half is None else {"fp16": _open(half)})
    for case in cases:
        with torch.inference_mode():
            wanted = module.eval()(*(torch.from_numpy(a) for a in case.values())).numpy()
        scale = max(scale, float(np.abs(wanted).max()))
        for kind, session in sessions.items():
            got = session.run([output], dict(case))[0]
            if got.shape != wanted.shape:
                raise ParityError(f"{model_name}: {kind} gives {got.shape}, not {wanted.shape}")
            errors[kind] = max(errors[kind], float(np.abs(got - wanted).max()))
    if not errors["fp32"] <= limit * max(1.0, scale):
        raise ParityError(f"{model_name}: differs from PyTorch by {errors['fp32']}, scale {scale}")
    return Parity(model_name, errors["fp32"], errors["fp16"] if half else None, scale)


def _open(model: ModelProto) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(
        model.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )
