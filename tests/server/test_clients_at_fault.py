"""Clients that are too many, too quick, too slow, or gone without a word: each is let go with a
reason where it can still hear one, what it holds is bounded, and the others are served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from stream_server.protocol import Close
from tests.support.client import client, frame
from tests.support.raw import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    closing,
    masked,
    next_frame,
    upgrade_request,
    upgraded,
)
from tests.support.server import TOKEN, running_server

pytestmark = [pytest.mark.server, pytest.mark.timeout(900)]
PATIENCE = 600.0  # seconds, on a machine that does ten other things
HELLO = masked(TEXT, json.dumps({"type": "hello", "protocol": 1, "token": TOKEN}).encode())
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def http(server: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the server about itself."""
    async with httpx.AsyncClient(
        base_url=server.url, headers=BEARER, timeout=60, verify=False
    ) as one:
        yield one


async def streams(http: httpx.AsyncClient) -> set[str]:
    return {one["id"] for one in (await http.get("/v1/streams")).json()}


async def figure(http: httpx.AsyncClient, name: str) -> float:
    text = (await http.get("/metrics")).text
    values = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name + " ")]
    return float(values[0]) if values else 0.0


class Watched:
    """Which of some streams are gone, asked for once for all of them."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._gone: dict[str, asyncio.Event] = {}

    def gone(self, stream: str) -> asyncio.Event:
        return self._gone.setdefault(stream, asyncio.Event())

    async def run(self) -> None:
        while True:
            there = await streams(self._http)
            for stream in self._gone.keys() - there:
                self._gone[stream].set()
            await asyncio.sleep(0.1)


async def raw_socket(server: Any, receive_buffer: int | None = None) -> socket.socket:
    """A connection whose every byte is asked for: asyncio's own streams read ahead."""
    one = socket.socket()
    one.setblocking(False)
    if receive_buffer:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", server.port))
    return one


async def opened(server: Any, receive_buffer: int | None = None) -> tuple[socket.socket, str]:
    """A stream over such a connection, and its id; nothing of what follows is read."""
    loop = asyncio.get_running_loop()
    one = await raw_socket(server, receive_buffer)
    await loop.sock_sendall(one, upgrade_request(server))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += await loop.sock_recv(one, 1)
    await loop.sock_sendall(one, HELLO)
    head = await loop.sock_recv(one, 1) + await loop.sock_recv(one, 3)
    size = int.from_bytes(head[2:])
    greeting = b""
    while len(greeting) < size:
        greeting += await loop.sock_recv(one, size - len(greeting))
    return one, json.loads(greeting)["stream"]


async def read_all(one: socket.socket) -> bytes:
    loop, got = asyncio.get_running_loop(), bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := await loop.sock_recv(one, 65536):
            got += piece
    return bytes(got)


async def test_a_thousand_connects_at_once(server: Any, neighbour: Any, http: Any) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    try:
        before = await streams(http)
        sockets = await asyncio.gather(*(raw_socket(server) for _ in range(1000)))
        opened: list[str] = []
        refused: list[tuple[int, str]] = []

        async def enter(one: socket.socket) -> asyncio.StreamWriter:
            reader, writer = await asyncio.open_connection(sock=one)
            writer.write(upgrade_request(server))
            answer = await reader.readuntil(b"\r\n\r\n")
            assert b"101" in answer.split(b"\r\n")[0], answer
            writer.write(HELLO)
            opcode, payload = await next_frame(reader)
            if opcode == CLOSE:
                refused.append((struct.unpack(">H", payload[:2])[0], payload[2:].decode()))
            else:
                opened.append(json.loads(payload)["stream"])
            return writer

        async with asyncio.timeout(PATIENCE):
            writers = await asyncio.gather(*(enter(one) for one in sockets))
        most = 32
        assert len(opened) == most - len(before)
        says = f"{most} streams are open with this token, which is the limit"
        assert set(refused) == {(Close.OVER_LIMIT, says)}
        assert len(refused) == 1000 - len(opened)
        for writer in writers:
            writer.transport.abort()
        async with asyncio.timeout(PATIENCE):
            while await streams(http) != before:
                await asyncio.sleep(0.1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_ten_times_the_rate_and_more_than_that(
    server: Any, neighbour: Any, empty: bytes
) -> None:
    async with client(server) as one:
        rate = 10 * one.welcome["limits"]["fps"]
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(3 * rate):
            await asyncio.sleep(max(began + number / rate - loop.time(), 0))
            await one.send(frame(number, number / rate, empty))
        error = await one.next("error")
        assert error["code"] == "too_fast" and "60 frames per second" in error["message"]
        last = 0
        while last < rate:  # it was being watched all the while, and goes on
            last = (await one.next("verdict"))["frame_id"]
        while (await one.next("status"))["received"] < 3 * rate:
            pass  # what is on its way counts when it arrives
        await asyncio.sleep(1.0)
        await one.send({"type": "seek"})
        await one.send(frame(9999, 100.0, empty))
        while (await one.next("verdict"))["frame_id"] != 9999:
            pass
    reader, writer = await upgraded(server)
    writer.write(HELLO + masked(TEXT, b'{"type":"seek"}') * 20_000)
    async with asyncio.timeout(PATIENCE):
        assert await closing(reader) == (Close.OVER_LIMIT, "more than 1200 messages a second")
    writer.close()


async def test_what_a_client_does_not_read_takes_no_memory(
    server: Any, neighbour: Any, http: Any
) -> None:
    """Sixteen that read a byte a second and are told much, and one that sends pings and never reads
    the answers."""
    loop = asyncio.get_running_loop()
    before = server.memory_mb()
    told = masked(TEXT, json.dumps({"type": "x" * 60}).encode()) * 20

    async def read_slowly() -> int:
        one, stream = await opened(server, receive_buffer=4096)
        gone = watched.gone(stream)
        got, due = bytearray(), 0.0
        with contextlib.suppress(ConnectionError):
            while not gone.is_set():
                await loop.sock_sendall(one, told)
                if loop.time() >= due:
                    got += await loop.sock_recv(one, 1)
                    due = loop.time() + 1
                await asyncio.sleep(0.05)
        await gone.wait()
        got += await read_all(one)  # now it hurries
        one.close()
        # It has two seconds to hear why, which may be too few for it on a busy machine.
        heard.append(
            struct.pack(">H", Close.OVER_LIMIT) + b"256 messages wait unread" in got[-128:]
        )
        return len(got)

    async def ask_for_answers() -> None:
        one, _ = await opened(server, receive_buffer=4096)
        pings = masked(PING, b"x" * 125) * 1000
        for _ in range(150):  # 19 MB of them, and as much would be the answers
            await loop.sock_sendall(one, pings)
        assert server.memory_mb() - slow < 8
        one.close()

    heard: list[bool] = []
    over = server.output.count("closed (over_limit)")
    watched = Watched(http)
    watching = asyncio.create_task(watched.run())
    async with asyncio.timeout(PATIENCE):
        held = await asyncio.gather(*(read_slowly() for _ in range(16)))
        slow = server.memory_mb()
        await ask_for_answers()
    watching.cancel()
    print(f"bytes that waited for one: {max(held)}; server {before:.0f} MB before,", end=" ")
    print(f"{slow:.0f} MB while they were let go, {server.memory_mb():.0f} MB after the pings")
    print(f"{sum(heard)} of {len(heard)} heard why")
    assert server.output.count("closed (over_limit)") == over + 16
    assert max(held) < 1_000_000
    assert slow - before < 48


async def told_by(reader: asyncio.StreamReader) -> bytes:
    """All that comes; a reset, as by a byte that arrives after the answer, takes none of it."""
    got = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            got += piece
    return bytes(got)


async def drip(server: Any, start: bytes, piece: bytes, every: float) -> bytes:
    """What the server answers to ``start`` and then one ``piece`` after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answer = asyncio.create_task(told_by(reader))
    with contextlib.suppress(ConnectionError):
        writer.write(start)
        while not answer.done():
            if piece:
                writer.write(piece)
            await asyncio.sleep(every)
    writer.close()
    return await answer


@pytest.mark.patient
async def test_who_is_slow_or_gone_holds_nothing(server: Any, neighbour: Any, http: Any) -> None:
    """Fifty connections by which somebody tries to use up the server without doing anything."""
    head = f"Host: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    form = (
        f"POST /v1/scans HTTP/1.1\r\n{head}Content-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: 1000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    ).encode()
    slow_before = await figure(http, 'fakelight_refusals_total{reason="too_slow"}')

    async def says_nothing() -> None:
        assert await drip(server, b"", b"", 0.5) == b""

    async def slow_head() -> None:
        answer = await drip(server, f"GET / HTTP/1.1\r\n{head}X-Slow: ".encode(), b"x", 0.5)
        assert b" 408 " in answer and b"not whole within 10 seconds" in answer

    async def slow_handshake() -> None:
        answer = await drip(server, upgrade_request(server)[:-4], b"x", 0.5)
        assert b" 408 " in answer and b"not whole within 10 seconds" in answer

    async def slow_upload() -> None:
        answer = await drip(server, form, b"x" * 100, 0.5)
        assert b" 408 " in answer and b'"too_slow"' in answer
        assert b"1024 bytes a second" in answer

    async def slow_hello() -> None:
        reader, writer = await upgraded(server)
        closed = asyncio.create_task(closing(reader))
        for byte in HELLO:
            if closed.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.5)
        assert await closed == (Close.BAD_HELLO, "no hello within 10 s")
        writer.close()

    async def gone_without_a_word() -> None:
        """It answers no ping any more; to the kernel it is still there."""
        one, stream = await opened(server)
        assert stream in await streams(http)
        await watched.gone(stream).wait()
        one.close()

    watched = Watched(http)
    watching = asyncio.create_task(watched.run())
    kinds = [says_nothing, slow_head, slow_handshake, slow_upload, slow_hello]
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for _ in range(9):
            for kind in kinds:
                group.create_task(kind())
        for _ in range(5):
            group.create_task(gone_without_a_word())
    watching.cancel()
    slow = await figure(http, 'fakelight_refusals_total{reason="too_slow"}') - slow_before
    assert slow == 27
    uploads = Path(server.log).parent / "state" / "uploads"
    assert not uploads.exists() or not list(uploads.iterdir())
    assert "Traceback" not in server.output


async def test_connections_leave_room_for_everything_else(models: Any, empty: bytes) -> None:
    with running_server("--models", str(models)) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (256, 256))
        async with client(server) as one:
            await one.verdict_for(0, 0.0, empty)
            idle = [await raw_socket(server) for _ in range(230)]
            async with httpx.AsyncClient(headers=BEARER, timeout=60) as http:
                answer = await http.get(f"{server.url}/v1/info")
                assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
                detail = "224 connections are open, which is the limit"
                assert answer.json()["detail"] == detail
                # Whoever is there is served on, and the engine opens what it needs.
                assert (await one.verdict_for(1, 0.1, empty))["frame_id"] == 1
                for each in idle:
                    each.close()
                async with asyncio.timeout(PATIENCE):
                    while (await http.get(f"{server.url}/v1/info")).status_code != 200:
                        await asyncio.sleep(0.1)
                text = (await http.get(f"{server.url}/metrics")).text
        assert 'fakelight_refusals_total{reason="too_many_connections"}' in text
        assert "Traceback" not in server.output


@pytest.mark.patient
async def test_what_viewers_left_behind_is_freed_though_nothing_else_happens(
    http: httpx.AsyncClient,
) -> None:
    name = 'python_gc_collections_total{generation="2"}'
    before = await figure(http, name)
    async with asyncio.timeout(PATIENCE):
        while await figure(http, name) < before + 1:
            await asyncio.sleep(1)


async def test_a_hello_is_short_and_comes_early(server: Any, neighbour: Any) -> None:
    """Nobody knows yet who it is: a long message, many parts or pings, are for later."""
    cases = {
        masked(TEXT, b"x" * 300_000): "over the limit of 262144 bytes",
        masked(TEXT, b"x", fin=False) + masked(0, b"x", fin=False) * 100: "first 64 frames",
        masked(PING, b"") * 100: "first 64 frames",
    }
    for sent, says in cases.items():
        reader, writer = await upgraded(server)
        writer.write(sent)
        async with asyncio.timeout(PATIENCE):
            code, reason = await closing(reader)
        assert code == Close.OVER_LIMIT and says in reason
        writer.close()
    # What follows a hello at once is a frame like any other.
    reader, writer = await upgraded(server)
    writer.write(HELLO + masked(BINARY, b"\x05" * 400_000))
    async with asyncio.timeout(PATIENCE):
        while json.loads((await next_frame(reader))[1])["type"] != "error":
            pass
    writer.close()
