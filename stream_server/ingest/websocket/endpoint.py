"""The WebSocket transport: ``/v1/stream``, subprotocol ``fakelight.v1``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import Any, cast

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from stream_server import protocol
from stream_server.ingest.websocket.pictures import decode
from stream_server.live import Job
from stream_server.protocol import BadHelloError, Close, Explain, Hello, ProtocolError
from stream_server.server.auth import holder, same, session_cookie
from stream_server.server.gate import COOKIE
from stream_server.server.services import OverLimitError, Services

_log = logging.getLogger(__name__)
_UNREAD = 256  # messages that may wait for a client before it counts as one that never reads
_STATUS_EVERY = 1.0
_CLOSE_PATIENCE = 2.0


class _Closing(Exception):  # noqa: N818  not an error: it ends the conversation
    def __init__(self, code: Close, reason: str) -> None:
        self.code = code
        self.reason = reason


async def stream_endpoint(websocket: WebSocket) -> None:
    """One client from its hello to its last message."""
    services: Services = websocket.app.state.services
    offered = websocket.scope.get("subprotocols", [])
    chosen = protocol.SUBPROTOCOL if protocol.SUBPROTOCOL in offered else None
    await websocket.accept(subprotocol=chosen)
    try:
        hello = await _hello(websocket, services)
        connection = _Connection(websocket, services, hello)
    except _Closing as closing:
        await _close(websocket, closing)
        return
    except WebSocketDisconnect:
        return
    await connection.serve()


async def _hello(websocket: WebSocket, services: Services) -> Hello:
    first = await _first_message(websocket, services)
    if first["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(first.get("code", 1005))
    text = first.get("text")
    if text is None:
        raise _Closing(Close.BAD_HELLO, "the first message must be a hello in text, not bytes")
    try:
        hello = protocol.parse_hello(text)
    except BadHelloError as error:
        raise _Closing(error.close, str(error)) from None
    # The server's own pages hold a cookie that scripts cannot read, and send an empty token.
    cookie = websocket.cookies.get(COOKIE, "")
    by_cookie = not hello.token and same(cookie, session_cookie(services.token))
    if not by_cookie and not services.accepts(hello.token, websocket.headers.get("origin")):
        raise _Closing(Close.NOT_AUTHORISED, "wrong token; `fakelight token` prints the right one")
    return hello


async def _first_message(websocket: WebSocket, services: Services) -> Message:
    seconds = services.settings.hello_seconds
    waiting: list[asyncio.Task[Any]] = [
        asyncio.create_task(websocket.receive()),
        asyncio.create_task(services.stopping.wait()),
    ]
    done, pending = await asyncio.wait(
        waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
    )
    for task in pending:
        task.cancel()
    if waiting[0] in done:
        return cast(Message, waiting[0].result())
    if done:
        raise _Closing(Close.STOPPING, "the server is stopping")
    raise _Closing(Close.BAD_HELLO, f"no hello within {seconds:g} s")


class _Connection:
    def __init__(self, websocket: WebSocket, services: Services, hello: Hello) -> None:
        self._websocket = websocket
        self._services = services
        self._window = hello.window or services.settings.window
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._stop: asyncio.Future[_Closing] = asyncio.get_running_loop().create_future()
        try:
            self._live = services.open_stream(
                self._send, self._window, hello.source, holder(hello.token), self.close
            )
        except OverLimitError as error:
            raise _Closing(Close.OVER_LIMIT, str(error)) from None

    async def serve(self) -> None:
        self._send(self._welcome())
        tasks = [
            asyncio.create_task(work)
            for work in (self._live.run(), self._write(), self._report(), self._read())
        ]
        stopped = asyncio.create_task(self._stopped())
        try:
            await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                self._note_end(task)
        finally:
            self._services.close_stream(self._live.id)
            for task in (*tasks, stopped):
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)
        if self._stop.done():
            await _close(self._websocket, self._stop.result())

    async def _stopped(self) -> None:
        await asyncio.wait({self._stop})

    def _note_end(self, task: asyncio.Task[None]) -> None:
        error = task.exception() if task.done() else None
        if isinstance(error, _Closing):
            self.close(error.code, error.reason)
        elif error is not None and not isinstance(error, WebSocketDisconnect):
            _log.error("stream %s ended by an error", self._live.id, exc_info=error)

    def close(self, code: Close, reason: str) -> None:
        """End the stream from our side."""
        if not self._stop.done():
            self._stop.set_result(_Closing(code, reason))

    def _send(self, message: dict[str, Any]) -> None:
        if self._outbox.qsize() >= _UNREAD:
            self.close(
                Close.OVER_LIMIT, f"{_UNREAD} messages wait unread; read them or send fewer frames"
            )
            return
        self._outbox.put_nowait(protocol.encode(message))

    def _welcome(self) -> dict[str, Any]:
        settings, services = self._services.settings, self._services
        return protocol.welcome(
            stream=self._live.id,
            engine=services.engine_in_use(),
            sample_hz=settings.sample_hz,
            window=self._window,
            limits=services.limits(),
            models=services.repository.members,
        )

    async def _write(self) -> None:
        while True:
            await self._websocket.send_text(await self._outbox.get())

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_STATUS_EVERY)
            counters = self._live.counters
            self._send(
                protocol.status(
                    engine=self._services.engine_in_use(),
                    fallback=self._services.fallback(),
                    received=counters.received,
                    analysed=counters.analysed,
                    dropped=counters.dropped,
                )
            )

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("bytes") is not None:
                self._take(message["bytes"])
            else:
                self._obey(message["text"])

    def _obey(self, text: str) -> None:
        try:
            message = protocol.parse_control(text)
        except ProtocolError as error:
            self._live.refuse(error)
            return
        if isinstance(message, Explain):
            self._live.explain(message.track)
            return
        if message.type == "bye":
            raise _Closing(Close.NORMAL, "bye")
        self._live.control(message.type)

    def _take(self, message: bytes) -> None:
        try:
            frame = protocol.parse_frame(message)
        except ProtocolError as error:
            self._live.refuse_frame(error)
            return
        picture = partial(decode, frame.picture, frame.header, self._services.settings.max_pixels)
        self._live.offer(Job(frame.header, picture, time.monotonic()))


async def _close(websocket: WebSocket, closing: _Closing) -> None:
    # A client that reads nothing would hold the close up for ever; the transport goes regardless.
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError, OSError):
        async with asyncio.timeout(_CLOSE_PATIENCE):
            await websocket.close(closing.code, protocol.close_reason(closing.reason))
