"""RFC 6455 at ``/v1/stream``, by the chapters of the Autobahn test suite (whose program needs a
Python 2): framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, sizes, handshakes.

Autobahn's server echoes; ours answers a text with ``bad_message`` that names its type, and bytes
with ``bad_frame``. Another stream is watched all the while.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.raw import (
    BINARY,
    CLOSE,
    MORE,
    PING,
    PONG,
    TEXT,
    closing,
    masked,
    next_frame,
    upgrade_request,
    upgraded,
)
from tests.support.server import TOKEN

pytestmark = pytest.mark.server
MASK = b"\x37\xfa\x21\x3d"
HELLO = masked(TEXT, json.dumps({"type": "hello", "protocol": 1, "token": TOKEN}).encode())
SAYS = '{"type":"κόσμε"}'.encode()
EACH = 60.0  # seconds
VIOLATED, NOT_UTF8 = 1002, 1007


class Line:
    """A stream over bytes that the test writes itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    def send(self, opcode: int, payload: bytes = b"", **how: Any) -> None:
        self._writer.write(masked(opcode, payload, **{"mask": MASK} | how))

    async def send_by_bytes(self, sent: bytes, count: int = 1) -> None:
        for start in range(0, len(sent), count):
            self._writer.write(sent[start : start + count])
            await self._writer.drain()
            await asyncio.sleep(0)

    async def answer(self) -> tuple[int, Any]:
        """The next frame that is no ``status``: its opcode, and what the JSON of a text says."""
        while True:
            opcode, payload = await next_frame(self.reader)
            said: Any = json.loads(payload) if opcode == TEXT else payload
            if opcode != TEXT or said["type"] != "status":
                return opcode, said

    async def hears(self, code: str, says: str = "") -> None:
        opcode, said = await self.answer()
        assert opcode == TEXT and said["code"] == code and says in said["message"], said

    async def works(self) -> None:
        """The stream is as it was."""
        self.send(TEXT, SAYS)
        await self.hears("bad_message", "κόσμε")


@asynccontextmanager
async def line(server: Any) -> AsyncIterator[Line]:
    reader, writer = await upgraded(server)
    writer.write(HELLO)
    one = Line(reader, writer)
    try:
        async with asyncio.timeout(EACH):
            assert (await one.answer())[1]["type"] == "welcome"
            yield one
    finally:
        writer.close()


async def ends(server: Any, frames: Iterable[bytes], code: int) -> None:
    """Each of ``frames``, on a connection of its own, ends that with ``code``."""
    for sent in frames:
        async with line(server) as one:
            closed = asyncio.create_task(closing(one.reader))
            with contextlib.suppress(ConnectionError):
                await one.send_by_bytes(sent, 1 << 20)
            assert (await closed)[0] == code, sent[:80]


def padded(size: int) -> bytes:
    """A text message of so many bytes."""
    return SAYS[:-1] + b" " * (size - len(SAYS)) + SAYS[-1:]


async def test_framing(server: Any, neighbour: Any) -> None:
    """1.1 and 1.2: every form of the length, in one piece and in pieces of 997 bytes."""
    async with line(server) as one:
        one.send(TEXT)
        await one.hears("bad_message", "not JSON")
        one.send(BINARY)
        await one.hears("bad_frame", "0 bytes")
        for size in (125, 126, 127, 128, 65_000):
            one.send(TEXT, padded(size))
            await one.hears("bad_message", "κόσμε")
            one.send(BINARY, b"\xff" * size)
            await one.hears("bad_frame", "claims 4294967295 bytes")
        one.send(TEXT, b"x" * 65_537)
        await one.hears("bad_message", "65537 characters; the limit is 65536")
        for size in (65_535, 65_536):
            one.send(BINARY, b"\xff" * size)
            await one.hears("bad_frame", "claims")
        await one.send_by_bytes(masked(BINARY, b"\xff" * 65_536, mask=MASK), 997)
        await one.hears("bad_frame", "claims")
        await one.works()


async def test_pings_and_pongs(server: Any, neighbour: Any) -> None:
    """2: pings with and without contents, in pieces, many; pongs that nobody asked for."""
    async with line(server) as one:
        for contents in (b"", b"Hello, world!", b"\x00\xff\xfe\xfd", b"\xfe" * 125):
            one.send(PING, contents)
            assert await one.answer() == (PONG, contents)
        await one.send_by_bytes(masked(PING, b"\xfe" * 125, mask=MASK))
        assert await one.answer() == (PONG, b"\xfe" * 125)
        for contents in (b"", b"unasked"):
            one.send(PONG, contents)
        for number in range(10):
            one.send(PING, b"%d" % number)
        assert [await one.answer() for _ in range(10)] == [(PONG, b"%d" % i) for i in range(10)]
        await one.works()
    await ends(server, [masked(PING, b"\xfe" * 126), masked(PONG, b"\xfe" * 126)], VIOLATED)


async def test_reserved_bits_opcodes_and_masks(server: Any, neighbour: Any) -> None:
    """3 and 4: what no extension was agreed on for; and 5.1 of the RFC: a client masks."""
    bits = [masked(TEXT, SAYS, reserved=bit) for bit in range(1, 8)]
    bits += [masked(BINARY, b"x", reserved=4), masked(PING, b"x", reserved=3)]
    bits += [masked(CLOSE, b"", reserved=7)]
    codes = [masked(opcode, b"") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)]
    bare = [masked(TEXT, SAYS, mask=b""), masked(PING, b"", mask=b"")]
    await ends(server, bits + codes + bare, VIOLATED)


async def test_fragments(server: Any, neighbour: Any) -> None:
    """5: parts, with control frames between them, whole and byte by byte; and parts of nothing."""
    half = len(SAYS) // 2
    async with line(server) as one:
        one.send(TEXT, SAYS[:half], fin=False)
        one.send(MORE, SAYS[half:])
        await one.hears("bad_message", "κόσμε")
        one.send(TEXT, SAYS[:half], fin=False)
        one.send(PING, b"between")
        assert await one.answer() == (PONG, b"between")
        one.send(MORE, b"", fin=False)
        one.send(PONG, b"")
        one.send(MORE, SAYS[half:])
        await one.hears("bad_message", "κόσμε")
        parts = [SAYS[i : i + 1] for i in range(len(SAYS))]
        sent = masked(TEXT, b"", fin=False)
        sent += b"".join(masked(MORE, part, fin=False) for part in parts) + masked(MORE, b"")
        await one.send_by_bytes(sent)
        await one.hears("bad_message", "κόσμε")
        one.send(BINARY, b"\xff" * 70_000, fin=False)
        for _ in range(1000):
            one.send(MORE, b"\xff" * 64, fin=False)
        one.send(MORE, b"")
        await one.hears("bad_frame", "claims 4294967295 bytes")
        await one.works()
    begun = masked(TEXT, SAYS[:half], fin=False)
    whole = begun + masked(MORE, SAYS[half:])
    wrong = [
        masked(PING, b"", fin=False),
        masked(PONG, b"", fin=False),
        masked(CLOSE, b"", fin=False),
        masked(MORE, SAYS),
        masked(MORE, SAYS, fin=False),
        whole + masked(MORE, SAYS),
        begun + masked(TEXT, SAYS),
        begun + masked(BINARY, b"x", fin=False),
    ]
    await ends(server, wrong, VIOLATED)


async def test_text_is_utf_8(server: Any, neighbour: Any) -> None:
    """6: characters that parts cut through are whole again; what is none ends the stream."""
    whole = '{"type":"κόσμε \U0010ffff ﷐￾"}'.encode()
    async with line(server) as one:
        for cut in range(1, len(whole)):
            one.send(TEXT, whole[:cut], fin=False)
            one.send(MORE, whole[cut:])
            await one.hears("bad_message", "unknown message type")
        await one.works()
    # RFC 3629: stray and missing continuation bytes, overlong forms, surrogates, beyond U+10FFFF.
    broken = [
        b"\x80", b"\xbf", b"\xc0", b"\xc3", b"\xe0\x80", b"\xf0\x80\x80", b"\xc0\xaf",
        b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xc1\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff",
    ]  # fmt: skip
    texts = [masked(TEXT, SAYS[:-1] + one + SAYS[-1:], mask=MASK) for one in broken]
    texts += [masked(TEXT, b"\xce", fin=False) + masked(MORE, b"\xce")]
    await ends(server, texts, NOT_UTF8)
    assert "Traceback" not in server.output


async def test_closing(server: Any, neighbour: Any) -> None:
    """7: what may be said at the end is said back; what may not is a violation."""
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        async with line(server) as one:
            said = struct.pack(">H", code) + "auf Wiedersehen, κόσμε".encode()
            # Nobody listens to what follows. In one piece: what comes once the server has hung up
            # is answered by a reset, which may overtake its close frame.
            late = masked(TEXT, SAYS, mask=MASK) + masked(PING, b"late", mask=MASK)
            await one.send_by_bytes(masked(CLOSE, said, mask=MASK) + late, 1 << 20)
            assert (await closing(one.reader))[0] == code
            assert await one.reader.read() == b""
    async with line(server) as one:
        one.send(CLOSE)
        assert await one.answer() == (CLOSE, b"")
    async with line(server) as one:
        one.send(CLOSE, struct.pack(">H", 1000) + b"x" * 123)
        assert (await closing(one.reader))[0] == 1000
    codes = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535)
    wrong = [masked(CLOSE, struct.pack(">H", code)) for code in codes]
    wrong += [masked(CLOSE, b"x"), masked(CLOSE, struct.pack(">H", 1000) + b"x" * 124)]
    await ends(server, wrong, VIOLATED)
    reason = struct.pack(">H", 1000) + b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80"
    await ends(server, [masked(CLOSE, reason)], NOT_UTF8)


async def test_sizes(server: Any, neighbour: Any) -> None:
    """9: the largest message, whole and in parts, and one byte more."""
    async with line(server) as one:
        most = 4 * 1024 * 1024
        one.send(BINARY, b"\xff" * most, mask=b"\0\0\0\0")
        await one.hears("bad_frame", "claims")
        part = masked(MORE, b"\xff" * 65_536, fin=False)
        await one.send_by_bytes(
            masked(BINARY, b"", fin=False) + part * 64 + masked(MORE, b""), most
        )
        await one.hears("bad_frame", "claims")
        await one.works()
    over = masked(BINARY, b"", fin=False) + part * 64 + masked(MORE, b"x")
    await ends(server, [over, masked(BINARY, b"\xff" * (most + 1))], 4008)


async def test_handshakes(server: Any, neighbour: Any) -> None:
    """10 to 13: the opening, and that no compression is agreed on."""

    async def asked(request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request)
        async with asyncio.timeout(EACH):
            answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return answer.lower()

    deflate = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    plain = await asked(upgrade_request(server, {"connection": "keep-alive, UPGRADE"} | deflate))
    assert plain.startswith(b"http/1.1 101 ")
    assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in plain  # of RFC 6455, 1.3
    assert b"extensions" not in plain
    old = await asked(upgrade_request(server, {"Sec-WebSocket-Version": "8"}))
    assert old.startswith(b"http/1.1 426 ") and b"sec-websocket-version: 13" in old
    for wrong in ({"Sec-WebSocket-Key": "c2hvcnQ="}, {"Sec-WebSocket-Key": ""}):
        assert (await asked(upgrade_request(server, wrong))).startswith(b"http/1.1 400 ")
    for wrong in (
        upgrade_request(server).replace(b"GET", b"POST", 1),
        upgrade_request(server).replace(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""),
    ):
        assert b" 4" in (await asked(wrong))[:13], wrong
    assert "Traceback" not in server.output
