"""A client for tests, thin enough to send what no good client would."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect

from tests.support.server import TOKEN

SIZE = {"width": 640, "height": 360}


def frame(number: int, time: Any, picture: bytes, **header: Any) -> bytes:
    head = {"frame_id": number, "media_time": time, "captured_at": 1.5, **SIZE, **header}
    text = json.dumps(head).encode()
    return struct.pack("<I", len(text)) + text + picture


class Client:
    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}

    async def send(self, message: Any) -> None:
        await self.socket.send(
            message if isinstance(message, (str, bytes)) else json.dumps(message)
        )

    async def next(self, *kinds: str, patience: float = 20.0) -> dict[str, Any]:
        """The next message of one of ``kinds`` (any but status if none is named)."""
        async with asyncio.timeout(patience):
            while True:
                message = json.loads(await self.socket.recv())
                if message["type"] in kinds or (not kinds and message["type"] != "status"):
                    return message

    async def verdict_for(
        self, number: int, time: Any, picture: bytes, **header: Any
    ) -> dict[str, Any]:
        await self.send(frame(number, time, picture, **header))
        return await self.next()

    async def play(
        self, picture: bytes, count: int, start: float = 0.0, **header: Any
    ) -> list[dict[str, Any]]:
        """``count`` frames, ten a second of media time, each sent when the last was answered."""
        return [await self.verdict_for(i, start + i / 10, picture, **header) for i in range(count)]


@asynccontextmanager
async def client(
    server: Any, *, hello: Any = None, origin: Any = None, **options: Any
) -> AsyncIterator[Any]:
    headers = {"Origin": origin} if origin else None
    async with connect(
        server.socket_url,
        subprotocols=["fakelight.v1"],
        additional_headers=headers,
        max_size=None,
        **options,
    ) as socket:
        one = Client(socket)
        message = {"type": "hello", "protocol": 1, "token": TOKEN} if hello is None else hello
        await one.send(message)
        if hello is None or (isinstance(hello, dict) and hello.get("token") == TOKEN):
            one.welcome = await one.next("welcome")
        yield one
