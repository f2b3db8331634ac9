"""What the extension's own tests are fed is what this server says and takes."""

from __future__ import annotations

import base64
import json

import pytest

from stream_server import protocol
from tests.support import agreed

AGREED = json.loads(agreed.AGREED.read_text(encoding="utf-8"))


def test_the_file_is_what_the_server_says_today() -> None:
    assert agreed.AGREED.read_text(encoding="utf-8") == agreed.contents(), (
        "python -m tests.support.agreed writes it anew; the extension has to follow"
    )


def test_the_server_takes_the_hello() -> None:
    hello = protocol.parse_hello(AGREED["client"]["hello"])
    assert hello.token == "t"
    assert hello.source is not None
    assert hello.source.title == agreed.SOURCE["title"]


@pytest.mark.parametrize("kind", ["seek", "pause", "resume", "bye", "explain"])
def test_the_server_takes_the_controls(kind: str) -> None:
    assert protocol.parse_control(AGREED["client"][kind]).type == kind


def test_the_server_takes_the_frame() -> None:
    frame = protocol.parse_frame(base64.b64decode(AGREED["client"]["frame"]))
    assert frame.header.model_dump(exclude_unset=True) == agreed.HEADER
    parts = protocol.parse_frame(base64.b64decode(AGREED["client"]["parts_frame"])).header.rect
    assert parts is not None and parts.model_dump(mode="json") == agreed.PARTS_HEADER["rect"]
    assert bytes(frame.picture) == agreed.PICTURE
