"""Inference requests and answers on Triton's gRPC wire (KServe's predict protocol, version 2).

tritonclient's own ``infer`` copies every input three times and walks the request anew for each
call. Here the part that says what is sent is written once per model, shapes and region, and the
tensors' bytes are put behind it in one copy, or not at all when they lie in shared memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype

from stream_server.engine.base import InvalidInput
from stream_server.engine.shared_memory import offsets
from stream_server.engine.spec import Arrays

#: The gRPC method that takes ``request``'s bytes and answers with what ``read_answer`` takes.
INFER = "/inference.GRPCInferenceService/ModelInfer"

_DTYPES = [np.bool_, np.float16, np.float32, np.float64] + [
    np.dtype(f"{kind}{8 * size}") for kind in ("int", "uint") for size in (1, 2, 4, 8)
]
_TRITON = {np.dtype(dtype): np_to_triton_dtype(np.dtype(dtype)) for dtype in _DTYPES}
_NUMPY = {name: np.dtype(triton_to_np_dtype(name)) for name in _TRITON.values()}
# Field 7 of ModelInferRequest, raw_input_contents, as protobuf writes it: number and wire type.
_RAW_CONTENTS = bytes([7 << 3 | 2])

Key = tuple[Any, ...]


class RequestWriter:
    """Writes requests, and keeps the heads that it wrote.

    Args:
        timeout: seconds after which the server may drop a request that still waits.
        keep: heads to keep; every model, set of shapes and region has one.
    """

    def __init__(self, timeout: float, keep: int = 512) -> None:
        self._timeout_us = int(timeout * 1e6)
        self._keep = keep
        self._heads: dict[Key, bytes] = {}

    def message(self, model: str, inputs: Arrays) -> bytes:
        """A request that holds its inputs' bytes.

        Raises:
            InvalidInput: Triton has no such element type.
        """
        parts: list[Any] = [self._head(model, inputs, None)]
        for array in inputs.values():
            # Serialised messages put end to end are one message with all their fields.
            parts += (_RAW_CONTENTS, _varint(array.nbytes))
            parts.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return b"".join(parts)

    def reference(self, model: str, inputs: Arrays, region: str) -> bytes:
        """A request whose inputs lie in the shared memory region of that name.

        Raises:
            InvalidInput: Triton has no such element type.
        """
        return self._head(model, inputs, region)

    def _head(self, model: str, inputs: Arrays, region: str | None) -> bytes:
        key = (model, region, *((n, a.dtype, a.shape) for n, a in inputs.items()))
        head = self._heads.get(key)
        if head is None:
            head = self._write(model, inputs, region)
            if len(self._heads) >= self._keep:
                self._heads.clear()
            self._heads[key] = head
        return head

    def _write(self, model: str, inputs: Arrays, region: str | None) -> bytes:
        request = service_pb2.ModelInferRequest(model_name=model)
        request.parameters["timeout"].int64_param = self._timeout_us
        places = offsets(inputs.values())
        for (name, array), place in zip(inputs.items(), places, strict=True):
            dtype = _TRITON.get(array.dtype)
            if dtype is None:
                raise InvalidInput(f"{model}: {name} is {array.dtype}, which Triton does not know")
            tensor = request.inputs.add(name=name, datatype=dtype, shape=array.shape)
            if region is not None:
                tensor.parameters["shared_memory_region"].string_param = region
                tensor.parameters["shared_memory_byte_size"].int64_param = array.nbytes
                tensor.parameters["shared_memory_offset"].int64_param = place
        return bytes(request.SerializeToString())


def read_answer(answer: bytes) -> dict[str, NDArray[Any]]:
    """The outputs of a ``ModelInferResponse``, as read-only arrays over its bytes.

    Raises:
        ValueError: an element type of another kind, or fewer bytes than the shape says.
    """
    response = service_pb2.ModelInferResponse.FromString(answer)
    outputs = {}
    for tensor, raw in zip(response.outputs, response.raw_output_contents, strict=True):
        dtype = _NUMPY.get(tensor.datatype)
        if dtype is None:
            raise ValueError(f"{tensor.name} is {tensor.datatype}, not a number")
        outputs[tensor.name] = np.frombuffer(raw, dtype).reshape(tuple(tensor.shape))
    return outputs


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
