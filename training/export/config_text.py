"""The text of ``config.pbtxt`` files.

Written as text and not through protobuf's printer, so that a person can read, diff and edit
what Triton loads. Every function returns one whole file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: The V100's compute capability. Its ONNX models are fp16 (tensor cores, no bf16).
V100 = "7.0"
FP16_FILE = "model.fp16.onnx"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a config: ``dtype`` is Triton's name without ``TYPE_``; dims without batch."""

    name: str
    dtype: str
    dims: Sequence[int]
    label_filename: str = ""


@dataclass(frozen=True, slots=True)
class EnsembleStep:
    """One step: the model's tensor name to the ensemble's, for inputs and for outputs."""

    model: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def model_config(
    name: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    *,
    max_batch_size: int,
    fp16: bool = False,
    queue_size: int = 0,
    queue_timeout_us: int = 1_000_000,
    warmup_batches: Sequence[int] = (),
    on_cpu: bool = False,
    instances: int = 1,
    parameters: Mapping[str, str] | None = None,
) -> str:
    """Config of an ONNX model.

    Args:
        name: the model's name, which is also its folder's.
        inputs: the inputs, without the batch axis.
        outputs: the outputs, without the batch axis.
        max_batch_size: 0 for a model whose tensors have no batch axis.
        fp16: whether ``model.fp16.onnx`` lies beside ``model.onnx``, for the V100.
        queue_size: requests that may wait before new ones are refused; 0 for no batching queue.
            Raising it trades refusals for answers that come too late to be shown.
        queue_timeout_us: how long a request may wait, in microseconds, before it is refused.
        warmup_batches: batch sizes to run once before the model counts as ready.
        on_cpu: keep it off the GPU, for graphs so small that the way there costs more.
        instances: copies per device that run side by side. A second one works while the first
            one's data travel; more cost memory and seldom help.
        parameters: string parameters. Backends ignore keys they do not know.
    """
    lines = [f'name: "{name}"', 'backend: "onnxruntime"', f"max_batch_size: {max_batch_size}"]
    lines += _tensors("input", inputs) + _tensors("output", outputs)
    lines.append('default_model_filename: "model.onnx"')
    if fp16:
        lines.append(f'cc_model_filenames {{ key: "{V100}" value: "{FP16_FILE}" }}')
    kind = "CPU" if on_cpu else "AUTO"
    lines.append(f"instance_group {{ count: {instances} kind: KIND_{kind} }}")
    if queue_size:
        lines += [
            "# No queue delay: what waits while the previous batch runs makes up the next one.",
            "dynamic_batching {",
            "  default_queue_policy {",
            "    timeout_action: REJECT",
            f"    default_timeout_microseconds: {queue_timeout_us}",
            "    allow_timeout_override: true",
            f"    max_queue_size: {queue_size}",
            "  }",
            "}",
        ]
    for batch in warmup_batches:
        lines += ["model_warmup {", f'  name: "batch of {batch}"', f"  batch_size: {batch}"]
        lines += [
            f'  inputs {{ key: "{t.name}" value {{ data_type: TYPE_{t.dtype} '
            f"dims: {_dims(t.dims)} zero_data: true }} }}"
            for t in inputs
        ]
        lines.append("}")
    return _text(lines, parameters or {})


def ensemble_config(
    name: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    steps: Sequence[EnsembleStep],
    *,
    max_batch_size: int,
) -> str:
    """Config of an ensemble; see ``model_config`` for the common arguments."""
    lines = [f'name: "{name}"', 'platform: "ensemble"', f"max_batch_size: {max_batch_size}"]
    lines += _tensors("input", inputs) + _tensors("output", outputs)
    lines.append("ensemble_scheduling {")
    for step in steps:
        lines += ["  step {", f'    model_name: "{step.model}"', "    model_version: -1"]
        for kind, names in (("input_map", step.inputs), ("output_map", step.outputs)):
            lines += [f'    {kind} {{ key: "{k}" value: "{v}" }}' for k, v in names.items()]
        lines.append("  }")
    lines.append("}")
    return _text(lines, {})


def _tensors(kind: str, tensors: Sequence[Tensor]) -> list[str]:
    lines = []
    for tensor in tensors:
        label = f' label_filename: "{tensor.label_filename}"' if tensor.label_filename else ""
        lines.append(
            f'{kind} {{ name: "{tensor.name}" data_type: TYPE_{tensor.dtype} '
            f"dims: {_dims(tensor.dims)}{label} }}"
        )
    return lines


def _dims(dims: Sequence[int]) -> str:
    return "[ " + ", ".join(str(axis) for axis in dims) + " ]"


def _text(lines: list[str], parameters: Mapping[str, str]) -> str:
    return "\n".join(lines) + "\n" + parameter_lines(parameters)


def parameter_lines(parameters: Mapping[str, str]) -> str:
    """String parameters as they stand at the end of a config, one a line."""
    text = ""
    for key, value in parameters.items():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        text += f'parameters {{ key: "{key}" value {{ string_value: "{escaped}" }} }}\n'
    return text
