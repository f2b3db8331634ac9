"""One client of a live stream: its welcome, what it asks for, its status, and its end.

A transport turns bytes into frames and control text, hands them in here, and carries away what
``send`` is given. What is the same over every transport is here and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from stream_server import logs, protocol
from stream_server.accuracy import told_of
from stream_server.engine import Engine
from stream_server.live import LiveStream
from stream_server.protocol import Close, Explain, ProtocolError, Source
from stream_server.settings import Settings

_log = logging.getLogger(__name__)
_STATUS_EVERY = 1.0  # seconds; the protocol promises two
Send = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Ending:
    """How a session ended, in the words of a WebSocket's close frame."""

    code: Close
    reason: str


class Session:
    """A stream that is being watched. ``holder`` stands for the token it was opened with.

    ``send`` must not block. ``released`` is called once, when the session is over; a session that
    never ran is given back with ``release``.
    """

    def __init__(
        self,
        live: LiveStream,
        send: Send,
        *,
        engine: Engine,
        settings: Settings,
        holder: str,
        source: Source | None,
        window: int,
        released: Callable[[Session], None] = lambda session: None,
    ) -> None:
        self.id = live.id
        self.live = live
        self.holder = holder
        self.source = source or Source()
        self.window = window
        self.opened = time.time()
        self._send = send
        self.engine = engine
        self._settings = settings
        self._released: Callable[[Session], None] | None = released
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    @property
    def ended(self) -> bool:
        """Whether the session is about to be over; what still comes in is for nobody."""
        return self._ending.done()

    @property
    def ending(self) -> Ending:
        """How it ended; as a client that left by itself where nothing else was said."""
        done = self._ending.done() and not self._ending.cancelled()
        return self._ending.result() if done else Ending(Close.NORMAL, "the source ended")

    def welcome(self, parts: int = 0) -> dict[str, Any]:
        """The first message to the client, whenever the transport can carry one. ``parts`` of a
        video may be in one picture, where the transport can say so."""
        return protocol.welcome(
            stream=self.id,
            engine=self.engine.in_use,
            sample_hz=self._settings.sample_hz,
            window=self.window,
            limits=limits(self._settings) | ({"parts": parts} if parts else {}),
            models=self.engine.repository.members,
            accuracy=told_of(self.engine.repository.parameters),
        )

    def read(self, text: object) -> None:
        """Obey a control message as it came, or answer it with an ``error``."""
        try:
            if not isinstance(text, str):
                raise ProtocolError("bad_message", "a control message is text, not bytes")
            message = protocol.parse_control(text)
        except ProtocolError as error:
            self.live.refuse(error)
            return
        if isinstance(message, Explain):
            self.live.explain(message.track)
        elif message.type == "bye":
            self.close(Close.NORMAL, "bye")
        else:
            self.live.control(message.type)

    def close(self, code: Close, reason: str) -> None:
        """End the session; the first reason given is the one that the client hears."""
        if not self._ending.done():
            self._ending.set_result(Ending(code, reason))

    async def run(self, *transport: Coroutine[Any, Any, None]) -> Ending:
        """Analyse and report until ``close``, or until one of the transport's own parts ends.

        Returns how it ended, for the transport to tell its client.
        """
        parts = (self.live.run(), self._report(), *transport)
        with logs.about(stream=self.id):
            tasks = [asyncio.create_task(part) for part in parts]
        try:
            waiting: set[asyncio.Future[Any]] = {*tasks, self._ending}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                error = task.exception() if task.done() else None
                if error is not None:
                    _log.error("stream %s ended by an error", self.id, exc_info=error)
                    self.close(Close.NORMAL, "an internal error; see the server's log")
            self.close(Close.NORMAL, "the source ended")
            return self._ending.result()
        finally:
            for task in tasks:
                task.cancel()
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                self.release()

    def release(self) -> None:
        """Give back the stream's place among those of its holder."""
        released, self._released = self._released, None
        if released is not None:
            released(self)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_STATUS_EVERY)
            counters = self.live.counters
            self._send(
                protocol.status(
                    engine=self.engine.in_use,
                    fallback=self.engine.fallback,
                    received=counters.received,
                    analysed=counters.analysed,
                    dropped=counters.dropped,
                    degraded_to=self.live.rate if self.live.degraded else None,
                    trouble=self.live.trouble,
                )
            )


def limits(settings: Settings) -> dict[str, int]:
    """The limits that a ``welcome`` tells a client."""
    return {
        "message_bytes": settings.max_message_bytes,
        "pixels": settings.max_pixels,
        "fps": settings.max_fps,
        "faces": settings.max_faces,
        "streams": settings.max_streams,
    }
