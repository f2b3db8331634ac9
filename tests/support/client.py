"""A client for tests, thin enough to send what no good client would."""

from __future__ import annotations

import asyncio
import json
import random
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

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

    async def next(self, *kinds: str, patience: float = 60.0) -> dict[str, Any]:
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
    options.setdefault("open_timeout", 60)
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


@dataclass
class Visit:
    """One connection of a client that comes again: its stream, when each verdict came (monotonic
    seconds) and those with a probability, the members that voted last, and how it ended."""

    stream: str
    verdicts: list[float] = field(default_factory=list)
    scored: list[float] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    code: int | None = None


async def play_on(server: Any, picture: bytes, visits: list[Visit]) -> None:
    """Ten frames a second until cancelled, as a good client does it: over a new connection whenever
    one ends. ``visits`` takes what became of each."""
    began = time.monotonic()
    while True:
        try:
            async with client(server, open_timeout=5) as one:
                visits.append(visit := Visit(one.welcome["stream"]))
                sending = asyncio.create_task(_send_on(one, picture, began))
                try:
                    while True:
                        verdict = await one.next("verdict")
                        visit.verdicts.append(time.monotonic())
                        if any(face["probability"] is not None for face in verdict["faces"]):
                            visit.scored.append(visit.verdicts[-1])
                            visit.members = set(verdict["faces"][0]["members"])
                finally:
                    sending.cancel()
                    visit.code = one.socket.close_code
        except (ConnectionClosed, InvalidStatus, OSError, TimeoutError):
            await asyncio.sleep(random.uniform(0.1, 0.6))


async def _send_on(one: Client, picture: bytes, began: float) -> None:
    number = 0
    while True:
        await one.send(frame(number, time.monotonic() - began, picture))
        number += 1
        await asyncio.sleep(0.1)
