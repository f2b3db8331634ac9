"""uvicorn's WebSocket protocol with our answer to messages that are too large.

RFC 6455 has 1009 for them; the public contract says 4008 for every limit. And the close frame
must arrive: closing at once, with the rest of a large message unread, makes the kernel reset the
connection, and the client never learns why.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.server import ServerProtocol

from stream_server.protocol import Close

_DRAIN_SECONDS = 2.0


class _LimitedServerProtocol(ServerProtocol):
    def fail(self, code: int, reason: str = "") -> None:
        if code == CloseCode.MESSAGE_TOO_BIG:
            code = Close.OVER_LIMIT
            reason = f"the message is over the limit of {self.max_message_size} bytes"
        super().fail(code, reason)


class LimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """Closes with 4008 above ``ws_max_size``, and reads on until the client has seen it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._draining = False
        self.conn = _LimitedServerProtocol(
            max_size=self.config.ws_max_size, logger=logging.getLogger("uvicorn.error")
        )

    async def send(self, message: Any) -> None:
        await super().send(message)
        # A refusal with a body ends the handshake too; uvicorn would log an error about it.
        self.handshake_complete = self.handshake_complete or self.close_sent

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        # A client that reads nothing keeps a closing transport open for as long as it likes.
        self.loop.call_later(_DRAIN_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if not self._draining:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        close = self.conn.close_sent
        code, reason = (close.code, close.reason) if close else (1006, "")
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._draining = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.loop.call_later(_DRAIN_SECONDS, self.transport.close)
