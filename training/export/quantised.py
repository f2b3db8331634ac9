"""An encoder's file in 8 bit for the embedded engine: weights by column, activations as they come.

Dynamic quantisation (ONNX Runtime's ``quantize_dynamic``) of matrix products: each product's input
is brought to 8 bit by its own range in that very call. So nothing is calibrated on data, and what
a row gives would hang on the rows beside it, were it not that the embedded engine runs such a file
row by row. Weights take 7 of the 8 bits, since CPUs without VNNI add pairs of products in 16 bit
and would be cut off there: the answers are then the same on all of them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import ModelProto
from onnxruntime.quantization import QuantType, quantize_dynamic

from stream_server.engine.repository import read_config
from stream_server.engine.spec import EMBEDDED_FILE
from training.export.half_storage import brought_back, stored_in_half
from training.export.repository_writer import member_names

INT8_FILE = "model.int8.onnx"
_LINE = re.compile(rf'^parameters {{ key: "{EMBEDDED_FILE}" .*\n', re.MULTILINE)


def quantised(model: ModelProto) -> ModelProto:
    """``model`` with its matrix products in 8 bit, and all other weights stored in 16.

    Raises ``ValueError`` where there is no product of a weight in it, as in a CNN.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        onnx.save(brought_back(model), source)
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        made = onnx.load(target)
    if not any(node.op_type == "MatMulInteger" for node in made.graph.node):
        raise ValueError("no matrix product in it: 8 bit are for transformers here")
    made.producer_name, made.producer_version = model.producer_name, model.producer_version
    made.ir_version = model.ir_version
    return stored_in_half(made)


def quantise(repo: Path, names: Sequence[str]) -> dict[str, int]:
    """Give the encoders of the members ``names`` their file in 8 bit; how large each is, in bytes.

    Raises ``ValueError`` for a member that is not there, has no encoder, or has no product in it.
    """
    known = member_names(repo)
    sizes: dict[str, int] = {}
    for name in names:
        config = repo / f"{name}_encoder" / "config.pbtxt"
        if name not in known or not config.is_file():
            raise ValueError(f"{name} has no encoder in {repo}; members: {', '.join(known)}")
        spec = read_config(config)
        try:
            data = quantised(onnx.load(spec.model_file)).SerializeToString()
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        spec.model_file.with_name(INT8_FILE).write_bytes(data)
        line = f'parameters {{ key: "{EMBEDDED_FILE}" value {{ string_value: "{INT8_FILE}" }} }}\n'
        config.write_text(_LINE.sub("", config.read_text(encoding="utf-8")) + line, "utf-8")
        sizes[name] = len(data)
    return sizes
