"""A WebSocket client of bytes alone, for what no library would send."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

CLOSE, PING, PONG, TEXT, BINARY, MORE = 0x8, 0x9, 0xA, 0x1, 0x2, 0x0


def upgrade_request(server: Any, headers: dict[str, str] | None = None) -> bytes:
    """The opening handshake of RFC 6455, 4.1."""
    fields = {
        "Host": f"127.0.0.1:{server.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    } | (headers or {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"GET /v1/stream HTTP/1.1\r\n{lines}\r\n".encode()


def upgrade_status(server: Any, headers: dict[str, str]) -> int:
    """What the handshake is answered with."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.sendall(upgrade_request(server, headers))
        return int(raw.recv(4096).split()[1])


async def upgraded(server: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which frames may follow."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(upgrade_request(server))
    await writer.drain()
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    assert b"101" in answer.split(b"\r\n")[0], answer
    return reader, writer


def masked(
    opcode: int, payload: bytes, *, fin: bool = True, reserved: int = 0, mask: bytes = b"\0\0\0\0"
) -> bytes:
    """One frame as a client sends it (RFC 6455, 5.2); an empty ``mask`` leaves it unmasked."""
    first, size = 0x80 * fin | reserved << 4 | opcode, len(payload)
    flag = 0x80 * bool(mask)
    if size < 126:
        head = bytes([first, flag | size])
    elif size < 65536:
        head = bytes([first, flag | 126]) + struct.pack(">H", size)
    else:
        head = bytes([first, flag | 127]) + struct.pack(">Q", size)
    if mask.strip(b"\0"):
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return head + mask + payload


async def next_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The opcode and payload of the server's next frame; it never fragments and never masks."""
    first, size = await reader.readexactly(2)
    assert first & 0xF0 == 0x80 and size < 128
    if size == 126:
        (size,) = struct.unpack(">H", await reader.readexactly(2))
    elif size == 127:
        (size,) = struct.unpack(">Q", await reader.readexactly(8))
    return first & 0x0F, await reader.readexactly(size)


async def closing(reader: asyncio.StreamReader) -> tuple[int, str]:
    """The code and reason of the close frame, whatever comes before it."""
    while True:
        opcode, payload = await next_frame(reader)
        if opcode == CLOSE:
            return struct.unpack(">H", payload[:2])[0], payload[2:].decode()
