"""The wire messages of ``fakelight.v1`` and their limits; the only place that knows the bytes.

``docs/protocol.md`` describes them for people who write clients. Text messages are JSON objects
with a ``type``; frames are binary: a uint32 (little endian) with the length of a JSON header, the
header, and the bytes of a JPEG, WebP or PNG picture.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from stream_server.languages import tell
from stream_server.rect import Rect
from stream_server.window_limits import MAX_WINDOW, MIN_WINDOW

SUBPROTOCOL = "fakelight.v1"
VERSION = 1
MAX_TEXT_BYTES = 64 * 1024
MAX_HEADER_BYTES = 4096

_LENGTH = struct.Struct("<I")
_SAFE_INTEGER = 2**53 - 1  # what JavaScript holds exactly


class Close(IntEnum):
    """WebSocket close codes."""

    NORMAL = 1000
    TRY_AGAIN_LATER = 1013
    BAD_HELLO = 4001
    NOT_AUTHORISED = 4003
    PROTOCOL_NOT_SUPPORTED = 4004
    OVER_LIMIT = 4008
    STOPPING = 4010


class ProtocolError(ValueError):
    """A message that cannot be used. ``code`` and ``frame_id`` go into the ``error`` answer."""

    def __init__(self, code: str, message: str, frame_id: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.frame_id = frame_id


class BadHelloError(ProtocolError):
    """The first message cannot open a stream; the socket is closed with ``close``."""

    def __init__(self, close: Close, message: str) -> None:
        super().__init__("bad_hello", message)
        self.close = close


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _number_or_none(value: Any) -> Any:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError("a number is needed")


class Source(_Message):
    """What the client says it is watching; shown to people, never trusted."""

    kind: Literal["tab", "camera", "file"] | None = None
    title: Annotated[str, Field(max_length=4096)] | None = None
    url: Annotated[str, Field(max_length=8192)] | None = None


class Hello(_Message):
    """The first message of a client."""

    type: Literal["hello"]
    protocol: int
    token: Annotated[str, Field(max_length=4096)]
    source: Source | None = None
    window: Annotated[int, Field(ge=MIN_WINDOW, le=MAX_WINDOW)] | None = None


class Control(_Message):
    """The messages that take no answer."""

    type: Literal["seek", "pause", "resume", "bye"]


class Explain(_Message):
    """Asks where in a face the evidence lies; the answer is an ``explanation`` or an ``error``."""

    type: Literal["explain"]
    track: Annotated[int, Field(ge=0, le=_SAFE_INTEGER)]


class FrameHeader(_Message):
    """What a client says about the picture that follows.

    ``media_time`` is in seconds, ``captured_at`` in milliseconds of the client's own clock; it is
    never interpreted and comes back as it was. ``rect`` is there where the picture shows parts of
    the video, or where it may do so later.
    """

    frame_id: Annotated[int, Field(ge=0, le=_SAFE_INTEGER)]
    media_time: Annotated[float, Field(ge=0, le=1e12)]  # live streams may count from 1970
    captured_at: Annotated[Any, AfterValidator(_number_or_none)] = None
    width: Annotated[int, Field(ge=1, le=65535)]
    height: Annotated[int, Field(ge=1, le=65535)]
    rect: Rect | None = None


@dataclass(frozen=True)
class FrameMessage:
    """A frame as it came: the checked header and the picture's encoded bytes."""

    header: FrameHeader
    picture: memoryview


def parse_hello(text: str) -> Hello:
    """The first message. Raises ``BadHelloError`` with the close code that fits."""
    try:
        fields = _json_object(text, "hello")
    except ProtocolError as error:
        raise BadHelloError(Close.BAD_HELLO, str(error)) from None
    if fields.get("type") != "hello":
        shown = _shown(fields.get("type"))
        raise BadHelloError(Close.BAD_HELLO, f"the first message must be a hello, not type {shown}")
    version = fields.get("protocol")
    if isinstance(version, int) and not isinstance(version, bool) and version != VERSION:
        raise BadHelloError(
            Close.PROTOCOL_NOT_SUPPORTED,
            f"protocol {_shown(version)} is not supported; this server speaks {VERSION}",
        )
    try:
        return Hello.model_validate(fields)
    except ValidationError as error:
        raise BadHelloError(Close.BAD_HELLO, f"bad hello: {_first_problem(error)}") from None


def parse_control(text: str) -> Control | Explain:
    """A text message after the hello. Raises ``ProtocolError``."""
    fields = _json_object(text, "message")
    kind = fields.get("type")
    if kind == "hello":
        raise ProtocolError("bad_message", "a second hello; one opens the stream")
    if kind not in ("seek", "pause", "resume", "bye", "explain"):
        raise ProtocolError(
            "bad_message",
            f"unknown message type {_shown(kind)}; known: seek, pause, resume, bye, explain",
        )
    try:
        if kind == "explain":
            return Explain.model_validate(fields)
        return Control.model_validate(fields)
    except ValidationError as error:
        raise ProtocolError("bad_message", f"bad {kind}: {_first_problem(error)}") from None


def parse_frame(message: bytes) -> FrameMessage:
    """A binary message. Raises ``ProtocolError`` with code ``bad_frame``."""
    if len(message) < _LENGTH.size:
        raise ProtocolError(
            "bad_frame", f"a frame of {len(message)} bytes; the header's length alone takes 4"
        )
    (length,) = _LENGTH.unpack_from(message)
    if length > MAX_HEADER_BYTES:
        raise ProtocolError(
            "bad_frame",
            f"the frame's header claims {length} bytes; the limit is {MAX_HEADER_BYTES}",
        )
    if length > len(message) - _LENGTH.size:
        raise ProtocolError(
            "bad_frame",
            f"the frame's header claims {length} bytes;"
            f" {len(message) - _LENGTH.size} follow its length",
        )
    try:
        text = message[_LENGTH.size : _LENGTH.size + length].decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError("bad_frame", "the frame's header is not UTF-8") from None
    try:
        fields = _json_object(text, "frame header")
    except ProtocolError as error:
        raise ProtocolError("bad_frame", str(error)) from None
    frame_id = _frame_id_of(fields)
    try:
        header = FrameHeader.model_validate(fields)
    except ValidationError as error:
        problem = f"bad frame header: {_first_problem(error)}"
        raise ProtocolError("bad_frame", problem, frame_id) from None
    untrue = header.rect and header.rect.problem(header.width, header.height)
    if untrue:
        raise ProtocolError("bad_frame", f"bad frame header: {untrue}", frame_id)
    picture = memoryview(message)[_LENGTH.size + length :]
    if not len(picture):
        raise ProtocolError("bad_frame", "the frame's header is followed by no picture", frame_id)
    return FrameMessage(header, picture)


def pack_frame(header: dict[str, Any], picture: bytes) -> bytes:
    """The bytes of a frame message, as a client sends it."""
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return _LENGTH.pack(len(encoded)) + encoded + picture


def welcome(
    *,
    stream: str,
    engine: str,
    sample_hz: float,
    window: int,
    limits: dict[str, int],
    models: Sequence[str],
    accuracy: dict[str, int] | None = None,
) -> dict[str, Any]:
    """The answer to a hello. ``accuracy`` is how often the models were right where it was tried."""
    return {
        "type": "welcome",
        "protocol": VERSION,
        "stream": stream,
        "engine": engine,
        "sample_hz": int(sample_hz) if float(sample_hz).is_integer() else sample_hz,
        "window": window,
        "limits": limits,
        "models": list(models),
        "accuracy": accuracy,
    }


def verdict(header: FrameHeader, lag_ms: float, faces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One per analysed frame, with or without faces in it."""
    return {
        "type": "verdict",
        "frame_id": header.frame_id,
        "media_time": header.media_time,
        "captured_at": header.captured_at,
        "lag_ms": round(lag_ms, 1),
        "faces": list(faces),
    }


def explanation(
    *,
    track: int,
    media_time: float,
    box: Sequence[float],
    corners: Sequence[Sequence[float]],
    heat: Sequence[Sequence[float]],
    members: Sequence[str],
) -> dict[str, Any]:
    """The answer to ``explain``: a small grid over the face crop whose ``corners`` are given."""
    return {
        "type": "explanation",
        "track": track,
        "media_time": media_time,
        "box": [round(edge, 5) for edge in box],
        "corners": [[round(float(edge), 5) for edge in corner] for corner in corners],
        "heat": [[round(float(value), 3) for value in row] for row in heat],
        "members": list(members),
    }


def status(
    *,
    engine: str,
    fallback: bool,
    received: int,
    analysed: int,
    dropped: int,
    degraded_to: float | None = None,
    trouble: str | None = None,
) -> dict[str, Any]:
    """How the stream is doing; comes at least every two seconds. ``degraded`` and ``rate``, frames
    analysed a second, are there only where these are fewer than they should be (``degraded_to``),
    ``trouble`` only where something keeps the stream from being seen at all."""
    told: dict[str, Any] = {
        "type": "status",
        "engine": engine,
        "fallback": fallback,
        "received": received,
        "analysed": analysed,
        "dropped": dropped,
    }
    if degraded_to is not None:
        told |= {"degraded": True, "rate": round(degraded_to, 1)}
    return told if trouble is None else told | {"trouble": trouble}


def error(
    code: str, message: str, frame_id: int | None = None, track: int | None = None
) -> dict[str, Any]:
    """Something the client sent cannot be used, or could not be analysed. ``message`` is for
    people, in the language that is spoken."""
    answer: dict[str, Any] = {"type": "error", "code": code, "message": tell(message)}
    if frame_id is not None:
        answer["frame_id"] = frame_id
    if track is not None:
        answer["track"] = track
    return answer


def closed(code: int, reason: str) -> dict[str, Any]:
    """The last message over a transport that has no close code of its own."""
    return {"type": "closed", "code": int(code), "reason": tell(reason)}


def close_reason(text: str) -> str:
    """``text`` in the language that is spoken, cut to what a close frame carries: 123 bytes of
    UTF-8 (RFC 6455, 5.5)."""
    return tell(text).encode()[:123].decode(errors="ignore")


def encode(message: dict[str, Any]) -> str:
    """A message as JSON text. Raises ``ValueError`` for NaN and Infinity, which are not JSON."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def _json_object(text: str, what: str) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise ProtocolError("bad_message", f"{what}: {constant} is not a number in JSON")

    def number(literal: str) -> float:
        value = float(literal)
        if not math.isfinite(value):
            raise ProtocolError("bad_message", f"{what}: {literal[:40]} is too large a number")
        return value

    if len(text) > MAX_TEXT_BYTES:
        raise ProtocolError(
            "bad_message", f"{what} of {len(text)} characters; the limit is {MAX_TEXT_BYTES}"
        )
    try:
        fields = json.loads(text, parse_constant=refuse, parse_float=number)
    except ProtocolError:
        raise
    except (ValueError, RecursionError) as problem:
        raise ProtocolError("bad_message", f"{what} is not JSON: {str(problem)[:80]}") from None
    if not isinstance(fields, dict):
        raise ProtocolError("bad_message", f"{what} is {_shown(fields)}, not a JSON object")
    return fields


def _frame_id_of(fields: dict[str, Any]) -> int | None:
    """The frame's number, if it can be trusted enough to be named in an error."""
    value = fields.get("frame_id")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _SAFE_INTEGER:
        return value
    return None


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{name} is missing"
    if first["type"] == "extra_forbidden":
        return f"unknown field {_shown(name)}"
    # pydantic speaks of its own classes where a JSON object is meant.
    says = "an object is needed" if first["type"] == "model_type" else first["msg"]
    return f"{name} is {_shown(first['input'])}: {says}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
