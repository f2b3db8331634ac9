"""What the process that reads a source and the one that watches it say to each other.

Down: one line of JSON, the job; then one byte for each picture that is wanted. Up: messages of a
header, JSON, and a body, the pixels of a picture. The end of the way down ends the reader.
"""

from __future__ import annotations

import asyncio
import json
import struct
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

_SIZES = struct.Struct("<II")  # bytes of the header, and of the body
MAX_HEADER = 65536
WANT = b"w"


@dataclass(frozen=True)
class ReaderJob:
    """One source to be read: ``hosts`` is FAKELIGHT_MONITOR_HOSTS, ``files`` the folder whose
    files may be played, ``sample_hz`` how many pictures a second are looked at, ``max_pixels`` how
    many one may have, and ``side`` the longer side of those that come up, in pixels."""

    url: str
    hosts: str
    files: str
    sample_hz: float
    max_pixels: int
    side: int

    def line(self) -> bytes:
        """As it goes down."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> ReaderJob:
        """From what came down."""
        return cls(**json.loads(line))


def write_message(file: BinaryIO, header: dict[str, Any], body: memoryview | bytes = b"") -> None:
    """Send a message up; ``body`` is bytes of any length."""
    text = json.dumps(header).encode()
    file.write(_SIZES.pack(len(text), len(body)) + text)
    file.write(body)
    file.flush()


async def read_message(stream: asyncio.StreamReader, max_body: int) -> tuple[dict[str, Any], bytes]:
    """The next message.

    Raises ``asyncio.IncompleteReadError`` at the end and ``ValueError`` for what the reader would
    never send: it may have been taken over by what it read.
    """
    header, body = _SIZES.unpack(await stream.readexactly(_SIZES.size))
    if header > MAX_HEADER or body > max_body:
        raise ValueError(
            f"a message of {header} and {body} bytes; the limits are {MAX_HEADER} and {max_body}"
        )
    found = json.loads(await stream.readexactly(header))
    if not isinstance(found, dict):
        raise ValueError("a message that is no object")
    return found, await stream.readexactly(body)
