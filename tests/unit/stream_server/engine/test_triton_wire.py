"""Requests as Triton reads them, and answers as it writes them; protobuf's own classes judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import service_pb2

from stream_server.engine import InvalidInput
from stream_server.engine.shared_memory import Region, offsets
from stream_server.engine.triton_wire import RequestWriter, read_answer

INPUTS: dict[str, Any] = {
    "FRAMES": np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5),
    "LENGTH": np.array([[7], [9]], np.int32),
    "POINTS": np.linspace(0, 1, 8, dtype=np.float32).reshape(2, 4)[:, ::2],  # not contiguous
}
TYPES = {"FRAMES": "UINT8", "LENGTH": "INT32", "POINTS": "FP32"}


def parsed(request: bytes) -> Any:
    return service_pb2.ModelInferRequest.FromString(request)


def test_a_message_holds_every_input() -> None:
    request = parsed(RequestWriter(1.5).message("some_model", INPUTS))
    assert request.model_name == "some_model"
    assert request.parameters["timeout"].int64_param == 1_500_000
    assert [tensor.name for tensor in request.inputs] == list(INPUTS)
    for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True):
        array = INPUTS[tensor.name]
        assert tensor.datatype == TYPES[tensor.name]
        assert tuple(tensor.shape) == array.shape
        assert raw == array.tobytes()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384, 2_097_152])
def test_every_length_is_written_as_protobuf_reads_it(size: int) -> None:
    array = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    request = parsed(RequestWriter(1).message("m", {"X": array}))
    assert list(request.raw_input_contents) == [array.tobytes()]


def test_the_same_shapes_carry_other_values() -> None:
    writer = RequestWriter(1)
    for value in (1, 2):
        request = parsed(writer.message("m", {"X": np.full(4, value, np.uint8)}))
        assert list(request.raw_input_contents) == [bytes([value] * 4)]


def test_models_shapes_types_and_regions_are_told_apart() -> None:
    writer = RequestWriter(1, keep=2)  # so few that some are written anew
    for _ in range(2):
        for model in ("a", "b"):
            for shape in ((4,), (2, 2)):
                for dtype in (np.uint8, np.float32):
                    array = np.zeros(shape, dtype)
                    for region in ("one", "two"):
                        request = parsed(writer.reference(model, {"X": array}, region))
                        tensor = request.inputs[0]
                        assert request.model_name == model
                        assert tuple(tensor.shape) == shape
                        assert tensor.datatype == {"u": "UINT8", "f": "FP32"}[array.dtype.kind]
                        where = tensor.parameters
                        assert where["shared_memory_region"].string_param == region
                        assert where["shared_memory_byte_size"].int64_param == array.nbytes


def test_a_reference_says_where_the_region_holds_each_input() -> None:
    region = Region(4096)
    held = Path("/dev/shm", region.name)
    try:
        region.write(INPUTS.values())
        memory = held.read_bytes()
        request = parsed(RequestWriter(1).reference("m", INPUTS, region.name))
        assert not request.raw_input_contents
        for tensor, place in zip(request.inputs, offsets(INPUTS.values()), strict=True):
            where = tensor.parameters
            begin = where["shared_memory_offset"].int64_param
            length = where["shared_memory_byte_size"].int64_param
            assert begin == place
            assert begin % 64 == 0
            assert memory[begin : begin + length] == INPUTS[tensor.name].tobytes()
    finally:
        region.close()
    assert not held.exists()


@pytest.mark.parametrize("array", [np.array(["x"], object), np.array([1 + 2j]), np.zeros(2, ">f4")])
def test_types_that_triton_lacks_are_refused(array: Any) -> None:
    writer = RequestWriter(1)
    with pytest.raises(InvalidInput, match=f"m: X is {array.dtype}"):
        writer.message("m", {"X": array})
    with pytest.raises(InvalidInput, match=f"m: X is {array.dtype}"):
        writer.reference("m", {"X": array}, "r")


def answer(datatype: str, shape: list[int], raw: bytes | None) -> bytes:
    response = service_pb2.ModelInferResponse(model_name="m")
    response.outputs.add(name="Y", datatype=datatype, shape=shape)
    if raw is not None:
        response.raw_output_contents.append(raw)
    return bytes(response.SerializeToString())


def test_an_answer_becomes_arrays() -> None:
    array = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    outputs = read_answer(answer("FP32", [2, 3], array.tobytes()))
    assert list(outputs) == ["Y"]
    assert outputs["Y"].dtype == np.float32
    np.testing.assert_array_equal(outputs["Y"], array)


@pytest.mark.parametrize(
    ("datatype", "shape", "raw"),
    [
        ("FP32", [2, 3], bytes(20)),
        ("FP32", [2, 3], bytes(23)),
        ("FP32", [2, 3], None),
        ("BYTES", [1], bytes(4)),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(
    datatype: str, shape: list[int], raw: bytes | None
) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_answer(answer(datatype, shape, raw))
