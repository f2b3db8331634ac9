"""uvicorn's HTTP protocol with limits on what a connection may hold without using it.

Bodies have theirs in ``body_limit``. Here are those that no request can be asked about: how many
connections there are, how long one may take to say what it wants, and how long it may leave an
answer unread.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from stream_server.problem import problem_document
from stream_server.server.open_files import most_connections

HEAD_SECONDS = 10.0
READ_SECONDS = 60.0
_REFUSAL_SECONDS = 1.0
_REFUSED_AT_ONCE = 64  # beyond the limit: who gets no answer any more


class _Ending:
    """A transport as a request sees it, whose end is for ``close`` to bring about."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport = transport
        self.close = close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class LimitedHttpProtocol(H11Protocol):
    """A request's head must be whole ``HEAD_SECONDS`` after the connection or the last answer (408;
    a connection that has sent nothing is closed without a word). An answer of which nothing is read
    for ``READ_SECONDS`` ends with the connection. Beyond ``most_connections()`` there is a 503.

    An answer that ends a request before its body has come stays to be read for a second.

    ``refused`` is told of each but the silent ones.
    """

    def __init__(
        self, *args: Any, refused: Callable[[str], None] = lambda reason: None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._refused = refused
        self._too_many: int | None = None
        self._answered = False
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        most = most_connections()
        if len(self.connections) > most:
            self._refused("too_many_connections")
            self._too_many = most
            if len(self.connections) > most + _REFUSED_AT_ONCE:
                transport.abort()
                return
        self._expect_head(HEAD_SECONDS if self._too_many is None else _REFUSAL_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._answered:
            return
        if self._too_many is not None:
            if not self.transport.is_closing():
                self._answer(503, f"{self._too_many} connections are open, which is the limit")
            return
        super().data_received(data)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is before:
            return
        self.cycle.transport = cast(asyncio.Transport, _Ending(self.transport, self._end))
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._forget_timers()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        if self._answered:
            self.server_state.total_requests += 1
            return
        # What is left of a body that nobody wanted counts as time too.
        self._expect_head(HEAD_SECONDS)
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _expect_reading(self) -> None:
        waits = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(READ_SECONDS, self._unread_for_long, waits)

    def _unread_for_long(self, waited: int) -> None:
        # A large answer is written in one piece: who takes it slowly is not who takes nothing.
        left = self.transport.get_write_buffer_size()
        self._unread = None
        if 0 < left < waited:
            self._expect_reading()
        elif left:
            self.transport.abort()

    def _expect_head(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._overdue)

    def _overdue(self) -> None:
        if self._answered:
            self.transport.abort()
            return
        if self.transport.get_write_buffer_size():  # the answer before is still being read
            if self._unread is None:
                self._expect_reading()
            self._expect_head(HEAD_SECONDS)
            return
        begun, _ = self.conn.trailing_data
        if begun and self.conn.our_state is h11.IDLE:
            self._refused("too_slow")
            self._answer(408, f"the request was not whole within {HEAD_SECONDS:g} seconds")
        else:
            self.transport.abort()

    def _answer(self, status: int, detail: str) -> None:
        body = json.dumps(problem_document(status, detail)).encode()
        headers = [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            *([("Retry-After", "5")] if status == 503 else []),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self._end_when_read()

    def _end(self) -> None:
        """What a request does that closes its connection."""
        if self.conn.their_state is h11.SEND_BODY and self.transport.can_write_eof():
            self._end_when_read()
        else:
            self.transport.close()

    def _end_when_read(self) -> None:
        # Closed with something unread the kernel would reset it, and the client never see this.
        self._answered = True
        self.flow.resume_reading()
        self.transport.write_eof()
        self._expect_head(_REFUSAL_SECONDS)

    def _forget_timers(self) -> None:
        for timer in (self._deadline, self._unread):
            if timer is not None:
                timer.cancel()
        self._deadline = self._unread = None
