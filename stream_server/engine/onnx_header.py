"""The first facts of an ONNX file, read without the ``onnx`` package, which serving lacks.

Field numbers are those of ``ModelProto`` in onnx.proto: 1 ``ir_version``, 8 ``opset_import``
(``OperatorSetIdProto``: 1 ``domain``, 2 ``version``). Everything else is skipped over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OnnxHeader:
    """IR version, and version per operator domain ("" is ONNX's own)."""

    ir_version: int = 0
    opsets: dict[str, int] = field(default_factory=dict)


def read_header(path: Path) -> OnnxHeader:
    """Read a model file's header.

    Raises:
        ValueError: it is no protobuf message.
        OSError: it cannot be read.
    """
    ir_version = 0
    opsets: dict[str, int] = {}
    for number, value in _fields(path.read_bytes()):
        if number == 1 and isinstance(value, int):
            ir_version = value
        elif number == 8 and isinstance(value, bytes):
            parts = dict(_fields(value))
            domain, version = parts.get(1, b""), parts.get(2, 0)
            if isinstance(domain, bytes) and isinstance(version, int):
                opsets[domain.decode("utf-8", "replace")] = version
    return OnnxHeader(ir_version, opsets)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a protobuf message (protobuf.dev, "Encoding")."""
    view = memoryview(data)
    at = 0
    while at < len(view):
        key, at = _varint(view, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(view, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(view, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"not an ONNX file: wire type {wire} at byte {at}")
        if at + size > len(view):
            raise ValueError(f"not a whole ONNX file: it ends within field {number}")
        # The graph is most of the file, and nobody here wants it copied.
        yield number, bytes(view[at : at + size]) if size < 4096 else b""
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(view) and shift < 64:
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("not an ONNX file: a number does not end")
