"""The WebSocket transport: ``/v1/stream``, subprotocol ``fakelight.v1``."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import Any, cast

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from stream_server import protocol
from stream_server.ingest.websocket.pictures import decode
from stream_server.languages import worded
from stream_server.live import Job
from stream_server.protocol import BadHelloError, Close, Hello, ProtocolError
from stream_server.rate_limit import RateLimit
from stream_server.rect import MAX_PARTS
from stream_server.server.auth import Caller
from stream_server.server.pairing.access import DatabaseAwayError
from stream_server.server.registry import OverLimitError
from stream_server.server.services import Services
from stream_server.session import Ending

_UNREAD = 256  # messages that may wait for a client before it counts as one that never reads
_CLOSE_PATIENCE = 2.0
_FLOOD = 20  # times as many messages as frames may come are no mistake any more


class _RefusedError(Exception):
    """No stream is opened; ``ending`` says why."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.ending = Ending(code, reason)


async def stream_endpoint(websocket: WebSocket) -> None:
    """One client from its hello to its last message."""
    services: Services = websocket.app.state.services
    offered = websocket.scope.get("subprotocols", [])
    chosen = protocol.SUBPROTOCOL if protocol.SUBPROTOCOL in offered else None
    await websocket.accept(subprotocol=chosen)
    try:
        hello, caller = await _hello(websocket, services)
        connection = _Connection(websocket, services, hello, caller)
    except _RefusedError as refused:
        services.metrics.refused(refused.ending.code.name.lower())
        await _close(websocket, refused.ending)
    except OverLimitError as error:
        await _close(websocket, Ending(Close.OVER_LIMIT, error.detail))
    except WebSocketDisconnect:
        return
    else:
        await connection.serve()


async def _hello(websocket: WebSocket, services: Services) -> tuple[Hello, Caller]:
    first = await _first_message(websocket, services)
    if first["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(first.get("code", 1005))
    text = first.get("text")
    if text is None:
        raise _RefusedError(Close.BAD_HELLO, "the first message must be a hello in text, not bytes")
    try:
        hello = protocol.parse_hello(text)
    except BadHelloError as error:
        raise _RefusedError(error.close, str(error)) from None
    try:
        caller = await services.authority.of_hello(hello.token, websocket)
    except DatabaseAwayError as error:
        raise _RefusedError(Close.TRY_AGAIN_LATER, error.detail) from None
    if caller is None:
        text = worded("wrong token; `fakelight token` prints the right one")
        raise _RefusedError(Close.NOT_AUTHORISED, text)
    return hello, caller


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
        raise _RefusedError(Close.STOPPING, worded("the server is stopping"))
    raise _RefusedError(Close.BAD_HELLO, f"no hello within {seconds:g} s")


class _Connection:
    def __init__(
        self, websocket: WebSocket, services: Services, hello: Hello, caller: Caller
    ) -> None:
        self._websocket = websocket
        self._max_pixels = services.settings.max_pixels
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._gone = False
        self._pace = RateLimit(_FLOOD * services.settings.max_fps)
        self._session = services.streams.open(self._send, caller, hello.source, hello.window)

    async def serve(self) -> None:
        self._send(self._session.welcome(parts=MAX_PARTS))
        ending = await self._session.run(self._read(), self._write())
        if not self._gone:
            await _close(self._websocket, ending)

    def _send(self, message: dict[str, Any]) -> None:
        if self._outbox.qsize() >= _UNREAD:
            self._session.close(
                Close.OVER_LIMIT, f"{_UNREAD} messages wait unread; read them or send fewer frames"
            )
            return
        self._outbox.put_nowait(protocol.encode(message))

    async def _write(self) -> None:
        try:
            while True:
                await self._websocket.send_text(await self._outbox.get())
        except WebSocketDisconnect:
            self._gone = True

    async def _read(self) -> None:
        while not self._session.ended:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self._gone = True
                return
            if not self._pace.allows():
                self._session.close(
                    Close.OVER_LIMIT, f"more than {self._pace.per_second} messages a second"
                )
                return
            if message.get("bytes") is not None:
                self._take(message["bytes"])
            else:
                self._session.read(message["text"])
            await asyncio.sleep(0)  # many may be there already; it is the others' turn

    def _take(self, message: bytes) -> None:
        live = self._session.live
        try:
            frame = protocol.parse_frame(message)
        except ProtocolError as error:
            live.refuse_frame(error)
            return
        picture = partial(decode, frame.picture, frame.header, self._max_pixels)
        live.offer(Job(frame.header, picture, time.monotonic()))


async def _close(websocket: WebSocket, ending: Ending) -> None:
    # A client that reads nothing would hold the close up for ever; the transport goes regardless.
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError, OSError):
        async with asyncio.timeout(_CLOSE_PATIENCE):
            await websocket.close(ending.code, protocol.close_reason(ending.reason))
