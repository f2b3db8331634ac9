from __future__ import annotations

import json
from typing import Any

import pytest

from stream_server import protocol
from stream_server.protocol import BadHelloError, Close, ProtocolError

HELLO = {"type": "hello", "protocol": 1, "token": "t"}
HEADER = {"frame_id": 7, "media_time": 1.23, "captured_at": 1.7e12, "width": 640, "height": 360}


def test_the_smallest_hello() -> None:
    hello = protocol.parse_hello(json.dumps(HELLO))
    assert (hello.token, hello.window, hello.source) == ("t", None, None)


def test_a_full_hello() -> None:
    source = {"kind": "tab", "title": "A film", "url": "https://example.org/"}
    hello = protocol.parse_hello(json.dumps(HELLO | {"source": source, "window": 40}))
    assert hello.window == 40 and hello.source.title == "A film"


@pytest.mark.parametrize(
    ("change", "close", "reason"),
    [
        ({"type": "helo"}, Close.BAD_HELLO, "type 'helo'"),
        ({"protocol": 2}, Close.PROTOCOL_NOT_SUPPORTED, "protocol 2 is not supported"),
        ({"protocol": 0, "token": 3}, Close.PROTOCOL_NOT_SUPPORTED, "protocol 0"),
        ({"protocol": "1"}, Close.BAD_HELLO, "protocol is '1'"),
        ({"protocol": True}, Close.BAD_HELLO, "protocol is True"),
        ({"token": 5}, Close.BAD_HELLO, "token is 5"),
        ({"window": 7}, Close.BAD_HELLO, "window is 7"),
        ({"window": 101}, Close.BAD_HELLO, "less than or equal to 100"),
        ({"window": 20.5}, Close.BAD_HELLO, "window is 20.5"),
        ({"colour": "red"}, Close.BAD_HELLO, "unknown field 'colour'"),
        ({"source": 5}, Close.BAD_HELLO, "source is 5: an object is needed"),
        ({"source": {"kind": "fax"}}, Close.BAD_HELLO, "source.kind is 'fax'"),
    ],
)
def test_bad_hellos(change: dict[str, Any], close: Any, reason: str) -> None:
    with pytest.raises(BadHelloError) as caught:
        protocol.parse_hello(json.dumps(HELLO | change))
    assert caught.value.close == close and reason in str(caught.value)


@pytest.mark.parametrize("missing", ["protocol", "token"])
def test_required_fields(missing: str) -> None:
    with pytest.raises(BadHelloError, match=f"{missing} is missing"):
        protocol.parse_hello(json.dumps({k: v for k, v in HELLO.items() if k != missing}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"hello"', "[" * 5000, "\ud800"])
def test_what_is_no_json_object(text: str) -> None:
    with pytest.raises(BadHelloError) as caught:
        protocol.parse_hello(text)
    assert caught.value.close == Close.BAD_HELLO


@pytest.mark.parametrize("kind", ["seek", "pause", "resume", "bye"])
def test_controls(kind: str) -> None:
    assert protocol.parse_control(json.dumps({"type": kind})).type == kind


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"type":"dance"}', "unknown message type 'dance'"),
        ('{"type":"seek","to":3}', "unknown field 'to'"),
        ('{"type":"seek","to":NaN}', "NaN is not a number"),
        ('{"type":"seek","to":-Infinity}', "-Infinity is not a number"),
        ('{"type":"seek","to":1e999}', "too large a number"),
        ('{"type":["seek"]}', "unknown message type"),
        (json.dumps(HELLO), "a second hello"),
        ("x" * 70000, "the limit is 65536"),
    ],
)
def test_bad_controls(text: Any, reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        protocol.parse_control(text)
    assert caught.value.code == "bad_message" and reason in str(caught.value)


def test_a_frame_comes_apart_as_it_was_put_together() -> None:
    frame = protocol.parse_frame(protocol.pack_frame(HEADER, b"picture"))
    assert frame.header.model_dump(exclude_unset=True) == HEADER
    assert bytes(frame.picture) == b"picture"


def test_captured_at_comes_back_untouched() -> None:
    for value in (1700000000000, 1700000000000.125, -3):
        text = protocol.pack_frame(HEADER | {"captured_at": value}, b"p")
        back = protocol.verdict(protocol.parse_frame(text).header, 1.0, [])["captured_at"]
        assert back == value and type(back) is type(value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"media_time": -1}, "media_time is -1"),
        ({"media_time": 1e13}, "media_time is 10000000000000.0"),
        ({"media_time": "1"}, "media_time is '1'"),
        ({"frame_id": 1.5}, "frame_id is 1.5"),
        ({"width": 0}, "width is 0"),
        ({"height": 10**9}, "height is 1000000000"),
        ({"captured_at": "now"}, "captured_at is 'now': Value error, a number is needed"),
        ({"captured_at": True}, "captured_at is True"),
        ({"rotation": 90}, "unknown field 'rotation'"),
    ],
)
def test_bad_headers(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        protocol.parse_frame(protocol.pack_frame(HEADER | change, b"p"))
    assert caught.value.code == "bad_frame" and reason in str(caught.value)


def test_an_error_names_the_frame_if_it_can() -> None:
    with pytest.raises(ProtocolError) as caught:
        protocol.parse_frame(protocol.pack_frame(HEADER | {"width": -1}, b"p"))
    assert caught.value.frame_id == 7


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_times_that_are_no_numbers(number: str) -> None:
    header = json.dumps(HEADER).replace("1.23", number).encode()
    with pytest.raises(ProtocolError) as caught:
        protocol.parse_frame(len(header).to_bytes(4, "little") + header + b"p")
    assert caught.value.code == "bad_frame"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "a frame of 0 bytes"),
        (b"\x01\x02", "a frame of 2 bytes"),
        ((2**30).to_bytes(4, "little") + b"{}", "claims 1073741824 bytes; the limit is 4096"),
        ((100).to_bytes(4, "little") + b"{}", "claims 100 bytes; 2 follow"),
        ((2).to_bytes(4, "little") + b"\xff\xfe", "not UTF-8"),
        ((4).to_bytes(4, "little") + b"text", "not JSON"),
    ],
)
def test_broken_frames(message: Any, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason) as caught:
        protocol.parse_frame(message)
    assert caught.value.code == "bad_frame"


def test_a_header_without_a_picture() -> None:
    with pytest.raises(ProtocolError, match="followed by no picture"):
        protocol.parse_frame(protocol.pack_frame(HEADER, b""))


def test_nan_never_leaves_the_server() -> None:
    with pytest.raises(ValueError, match=r"Out of range|not JSON compliant"):
        protocol.encode({"probability": float("nan")})


def test_close_reasons_fit_a_close_frame() -> None:
    reason = protocol.close_reason("é" * 200)
    assert len(reason.encode()) <= 123 and set(reason) == {"é"}
