"""Where a stream's messages go: a data channel, any number of event readers, and no further.

Nothing grows: a reader that falls behind loses its oldest messages, a channel that does not drain
is left out until it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiortc import RTCDataChannel

from stream_server import protocol
from stream_server.problem import ProblemError

CHANNEL = "verdicts"
_CHANNEL_BYTES = 64 * 1024
_UNREAD = 64
_READERS = 8


class TooManyReadersError(ProblemError):
    """More event readers than one stream has room for; the message says how many that is."""

    def __init__(self) -> None:
        super().__init__(429, f"{_READERS} readers follow this stream, which is the limit")


class Outlets:
    """Hands each message to whoever listens. ``greeting`` is what every listener hears first."""

    def __init__(self) -> None:
        self.greeting: dict[str, Any] | None = None
        self._channel: RTCDataChannel | None = None
        self._readers: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._closed = False

    def use_channel(self, channel: RTCDataChannel) -> None:
        """Send everything over ``channel`` from now on."""
        self._channel = channel
        if self.greeting is not None:
            self._say(self.greeting)

    def send(self, message: dict[str, Any]) -> None:
        """Hand ``message`` to all who listen now. Never waits."""
        self._say(message)
        for reader in self._readers:
            if reader.full():
                reader.get_nowait()
            reader.put_nowait(message)

    def close(self) -> None:
        """No more messages."""
        self._closed = True
        for reader in self._readers:
            if reader.full():
                reader.get_nowait()
            reader.put_nowait(None)

    async def events(self) -> AsyncIterator[str]:
        """The messages as server-sent events, from the greeting to the stream's end.

        Raises ``TooManyReadersError``.
        """
        if self.full:
            raise TooManyReadersError
        reader: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_UNREAD)
        self._readers.add(reader)
        try:
            if self.greeting is not None:
                yield _event(self.greeting)
            while not (self._closed and reader.empty()):
                message = await reader.get()
                if message is None:
                    return
                yield _event(message)
        finally:
            self._readers.discard(reader)

    @property
    def full(self) -> bool:
        """Whether there is no room for another reader."""
        return len(self._readers) >= _READERS

    def _say(self, message: dict[str, Any]) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        if channel.bufferedAmount < _CHANNEL_BYTES:
            channel.send(protocol.encode(message))


def _event(message: dict[str, Any]) -> str:
    return f"event: {message['type']}\ndata: {protocol.encode(message)}\n\n"
