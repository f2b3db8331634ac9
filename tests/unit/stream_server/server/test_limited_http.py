"""What a connection may hold without using it: the limits, each over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from stream_server.server import limited_http
from stream_server.server.limited_http import LimitedHttpProtocol
from stream_server.server.serve import _listen

pytestmark = pytest.mark.patient

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE = b"x" * 4_000_000


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers at once, without looking at the body."""
    body = LARGE if scope["path"] == "/large" else b"hello"
    headers = [(b"content-length", b"%d" % len(body))]
    if scope["path"] == "/refused":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Serving:
    def __init__(self, port: int, state: ServerState) -> None:
        self.port = port
        self.connections = state.connections
        self.refused: list[str] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return reader, writer

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await self.empty()

    async def empty(self) -> None:
        async with asyncio.timeout(30):
            while self.connections:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving() -> AsyncIterator[Serving]:
    config, state = uvicorn.Config(application, log_config=None), ServerState()
    config.load()
    listening = _listen("127.0.0.1", 0)
    one = Serving(listening.getsockname()[1], state)

    def protocol() -> LimitedHttpProtocol:
        return LimitedHttpProtocol(
            config=config, server_state=state, app_state={}, refused=one.refused.append
        )

    server = await asyncio.get_running_loop().create_server(protocol, sock=listening)
    async with server:
        try:
            yield one
        finally:
            await one.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of all that comes until the server closes."""
    async with asyncio.timeout(30):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def test_a_request_must_be_whole_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_http, "HEAD_SECONDS", 0.6)
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(GET[:-2] + b"X-More: ")
        status, body = await answer(reader)
        assert status == 408
        assert json.loads(body)["detail"] == "the request was not whole within 0.6 seconds"
        reader, writer = await server.connect()
        assert await reader.read() == b"", "who has said nothing is told nothing"
        # After an answer the time begins anew, with a request that is begun as well as with
        # the rest of a body that nobody asked for.
        for rest in (GET[:10], b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nbody"):
            reader, writer = await server.connect()
            writer.write(GET)
            assert b"hello" in await reader.readuntil(b"hello")
            writer.write(rest)
            await server.empty()
        assert server.refused == ["too_slow"] * 2


async def test_requests_in_time_are_served_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_http, "HEAD_SECONDS", 3.0)
    async with serving() as server:
        reader, writer = await server.connect()
        for _ in range(7):
            writer.write(GET)
            assert b"200" in await reader.readuntil(b"hello")
            await asyncio.sleep(0.5)
        writer.close()
        assert server.refused == []


async def test_an_answer_must_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_http, "READ_SECONDS", 1.5)
    async with serving() as server:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", server.port))
        slow.sendall(GET.replace(b"/ ", b"/large "))
        await server.empty()
        slow.close()
        reader, writer = await server.connect()
        writer.write(GET.replace(b"/ ", b"/large ").replace(b"Host", b"Connection: close\r\nHost"))
        assert await answer(reader) == (200, LARGE)


@pytest.mark.parametrize("then", [b"close", b"keep-alive"])
async def test_a_large_answer_may_be_read_slowly(
    monkeypatch: pytest.MonkeyPatch, then: bytes
) -> None:
    monkeypatch.setattr(limited_http, "READ_SECONDS", 1.0)
    monkeypatch.setattr(limited_http, "HEAD_SECONDS", 1.0)
    loop = asyncio.get_running_loop()
    async with serving() as server:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        slow.setblocking(False)
        await loop.sock_connect(slow, ("127.0.0.1", server.port))
        asked = b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: " + then + b"\r\n\r\n"
        await loop.sock_sendall(slow, asked)
        got, began = 0, loop.time()
        async with asyncio.timeout(60):
            while got < len(LARGE):
                piece = await loop.sock_recv(slow, 65536)
                assert piece, f"it ended after {got} bytes"
                got += len(piece)
                await asyncio.sleep(max(began + 3 * got / len(LARGE) - loop.time(), 0))
        slow.close()


async def test_an_answer_that_comes_before_the_body_is_there_to_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who sends everything before reading, as most clients do, is not reset."""
    monkeypatch.setattr(limited_http, "_REFUSAL_SECONDS", 30.0)
    async with serving() as server:
        for _ in range(5):
            reader, writer = await server.connect()
            writer.write(b"POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n")
            for _ in range(4):
                writer.write(b"x" * 1_000_000)
                await writer.drain()
            status, body = await answer(reader)
            assert (status, body) == (200, b"hello")
            assert await reader.read() == b""
            writer.close()
        await server.empty()


async def test_connections_over_the_limit_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_http, "most_connections", lambda: 2)
    monkeypatch.setattr(limited_http, "_REFUSED_AT_ONCE", 1)
    monkeypatch.setattr(limited_http, "_REFUSAL_SECONDS", 0.2)
    async with serving() as server:
        first = [await server.connect() for _ in range(2)]
        for _, writer in first:
            writer.write(GET)
        for reader, _ in first:
            await reader.readuntil(b"hello")
        reader, writer = await server.connect()
        writer.write(GET)
        status, body = await answer(reader)
        assert status == 503
        assert json.loads(body)["detail"] == "2 connections are open, which is the limit"
        silent, _ = await server.connect()
        cut, _ = await server.connect()
        for one in (silent, cut):
            assert await one.read() == b""
        for reader, writer in first:  # they are served on
            writer.write(GET)
            await reader.readuntil(b"hello")
            writer.close()
        assert server.refused == ["too_many_connections"] * 3


@pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone tells how long it waits"
)
async def test_what_a_connection_inherits_from_the_listening_socket() -> None:
    async with serving() as server:
        _, writer = await server.connect()
        while not server.connections:
            await asyncio.sleep(0.01)
        (connection,) = server.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 131_072
        writer.close()
