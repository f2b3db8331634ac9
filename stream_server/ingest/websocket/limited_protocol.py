"""uvicorn's WebSocket protocol with limits, and our answer to those who are over them.

RFC 6455 has 1009 for messages that are too large; the public contract says 4008 for every limit.
And the close frame must arrive: closing at once, with the rest of a large message unread, makes the
kernel reset the connection, and the client never learns why.

Whoever has not said hello yet may hold little and cost little: nobody knows who that is.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import DATA_OPCODES, CloseCode, Frame
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from stream_server.protocol import MAX_TEXT_BYTES, Close

_DRAIN_SECONDS = 2.0
_HELLO_BYTES = 4 * MAX_TEXT_BYTES  # as many as its characters may take
_HELLO_FRAMES = 64


class _LimitedServerProtocol(ServerProtocol):
    """The first message is a short one, in few frames, with few pings before it."""

    def __init__(self, max_size: int) -> None:
        super().__init__(max_size=_HELLO_BYTES, logger=logging.getLogger("uvicorn.error"))
        self._max_size = max_size
        self._frames: int | None = 0  # before the first message was whole
        self._over: str | None = None

    def accept(self, request: Request) -> Response:
        versions = request.headers.get_all("Sec-WebSocket-Version")
        if versions and versions != ["13"]:
            # The library answers 400; RFC 6455, 4.4 wants to be told what would do.
            asked = ", ".join(versions)[:40]
            refusal = self.reject(426, f"WebSocket version {asked!r}; this server speaks 13\n")
            refusal.headers["Sec-WebSocket-Version"] = "13"
            return refusal
        return super().accept(request)

    def recv_frame(self, frame: Frame) -> None:
        super().recv_frame(frame)
        if self._frames is None:
            return
        self._frames += 1
        if frame.fin and frame.opcode in DATA_OPCODES:
            self._frames = None
            self.max_message_size = self._max_size
        elif self._frames >= _HELLO_FRAMES:
            self._over = f"no hello in the first {_HELLO_FRAMES} frames, which is the limit"
            raise ProtocolError(self._over)

    def fail(self, code: int, reason: str = "") -> None:
        if self._over is not None:
            code, reason = Close.OVER_LIMIT, self._over
        elif code == CloseCode.MESSAGE_TOO_BIG:
            code = Close.OVER_LIMIT
            reason = f"the message is over the limit of {self.max_message_size} bytes"
        super().fail(code, reason)


class LimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """Closes with 4008 above ``ws_max_size``, and reads on until the client has seen it."""

    conn: _LimitedServerProtocol

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._draining = False
        self._message = bytearray()
        self.conn = _LimitedServerProtocol(self.config.ws_max_size)

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            # Not behind what the client leaves unread: there is a time limit on its reading.
            self.writable.set()
        await super().send(message)
        # A refusal with a body ends the handshake too; uvicorn would log an error about it.
        self.handshake_complete = self.handshake_complete or self.close_sent

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        # A client that reads nothing keeps a closing transport open for as long as it likes.
        self.loop.call_later(_DRAIN_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(_DRAIN_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if not self._draining:
            super().data_received(data)

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            # It does not read; answers that it never takes would fill the memory.
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        # One buffer for all parts: a list of them takes many times as much as what is in them.
        if self.frames:
            self._message, self.frames = bytearray(self.frames[0]), []
        self._message += event.data
        if event.fin:
            self.frames, self._message = [bytes(self._message)], bytearray()
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        try:
            if self.curr_msg_data_type == "text":
                b"".join(self.frames).decode()
        except UnicodeDecodeError as error:
            # A client's fault; uvicorn would log it as an error of ours.
            self.conn.fail(CloseCode.INVALID_DATA, f"text that is not UTF-8: {error.reason}")
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

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
