from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from stream_server.ingest.webrtc.outlets import Outlets, TooManyReadersError


async def test_a_reader_that_sleeps_loses_the_oldest() -> None:
    outlets = Outlets()
    outlets.greeting = {"type": "welcome"}
    events = outlets.events()
    assert json.loads((await anext(events)).split("data: ")[1]) == {"type": "welcome"}
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    for number in range(200):
        outlets.send({"type": "verdict", "frame_id": number})
    outlets.close()
    heard = [await waiting] + [one async for one in events]
    numbers = [json.loads(one.split("data: ")[1])["frame_id"] for one in heard]
    assert numbers == list(range(200 - len(numbers), 200))
    assert len(numbers) <= 64


async def test_readers_are_limited() -> None:
    outlets = Outlets()
    outlets.greeting = {"type": "welcome"}
    readers = [outlets.events() for _ in range(9)]
    for reader in readers[:8]:
        await anext(reader)
    assert outlets.full
    with pytest.raises(TooManyReadersError, match="8"):
        await anext(readers[8])
    for reader in readers:
        await cast(Any, reader).aclose()
    assert not outlets.full


class Channel:
    readyState = "open"  # noqa: N815  the stack's name

    def __init__(self) -> None:
        self.bufferedAmount = 0  # the stack's name
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)
        self.bufferedAmount += 1000


def test_a_channel_that_does_not_drain_is_left_out() -> None:
    outlets, channel = Outlets(), Channel()
    outlets.greeting = {"type": "welcome"}
    outlets.use_channel(channel)
    for number in range(1000):
        outlets.send({"type": "verdict", "frame_id": number})
    assert len(channel.sent) == 66
    channel.bufferedAmount = 0
    outlets.send({"type": "status"})
    assert channel.sent[-1] == '{"type":"status"}'
