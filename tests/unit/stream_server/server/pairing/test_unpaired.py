"""Streams of those who were unpaired."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stream_server.protocol import Close
from stream_server.server.pairing.access import DatabaseAwayError
from stream_server.server.pairing.unpaired import end_streams


class Open:
    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.closed: Any = None

    def close(self, code: Close, reason: str) -> None:
        self.closed = (code, reason)


class Books:
    """Away at first; then one of them is not paired any more."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._times = 0

    async def open(self) -> None:
        raise DatabaseAwayError

    async def gone(self, holders: set[str]) -> set[str]:
        assert holders == {"unpaired", "another"}
        self._times += 1
        if self._times == 1:
            raise DatabaseAwayError
        if self._times == 3:
            self.asked.set()
        return {"unpaired"}


@pytest.mark.patient
async def test_they_end_once_the_database_says_so_and_others_go_on() -> None:
    books: Any = Books()
    streams: Any = [Open("unpaired"), Open("another")]
    looking = asyncio.create_task(end_streams(books, streams))
    await asyncio.wait_for(books.asked.wait(), 30)
    looking.cancel()
    code, reason = streams[0].closed
    assert code == Close.NOT_AUTHORISED and "pair it again" in reason
    assert streams[1].closed is None
