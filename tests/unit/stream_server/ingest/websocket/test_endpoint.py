"""How a WebSocket becomes a session, and how it ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from stream_server.ingest.websocket import endpoint
from stream_server.protocol import Close, Hello, pack_frame
from stream_server.server.auth import Caller
from tests.support.in_process import TOKEN

STREAM = "ws://127.0.0.1:8765/v1/stream"  # the test client has another Host for sockets
HELLO = {"type": "hello", "protocol": 1, "token": TOKEN}


def closed_with(socket: Any) -> tuple[int, str]:
    with pytest.raises(WebSocketDisconnect) as closed:
        while True:
            socket.receive_json()
    return closed.value.code, closed.value.reason


def test_a_hello_is_welcomed_and_bye_ends_it(client: Any, services: Any) -> None:
    with client.websocket_connect(STREAM, subprotocols=["fakelight.v1"]) as socket:
        assert socket.accepted_subprotocol == "fakelight.v1"
        socket.send_json({**HELLO, "window": 40, "source": {"kind": "tab", "title": "A film"}})
        welcome = socket.receive_json()
        [session] = services.streams
        assert (welcome["type"], welcome["stream"], welcome["window"]) == (
            "welcome",
            session.id,
            40,
        )
        assert session.source.title == "A film"
        socket.send_bytes(pack_frame({"frame_id": 1}, b"x"))
        assert socket.receive_json()["code"] == "bad_frame"
        socket.send_text("no json")
        assert socket.receive_json()["code"] == "bad_message"
        socket.send_json({"type": "bye"})
        assert closed_with(socket) == (Close.NORMAL, "bye")


def test_a_page_is_known_by_its_cookie(client: Any, services: Any) -> None:
    client.post("/v1/session", json={"token": TOKEN})
    with client.websocket_connect(STREAM) as socket:
        socket.send_json({**HELLO, "token": ""})
        assert socket.receive_json()["type"] == "welcome"
        [listed] = client.get("/v1/streams").json()
        assert services.streams.get(listed["id"]) is not None
        socket.send_json({"type": "bye"})
        assert closed_with(socket)[0] == Close.NORMAL


@pytest.mark.parametrize(
    ("hello", "code", "says"),
    [
        ({**HELLO, "token": ""}, Close.NOT_AUTHORISED, "fakelight token"),
        ({**HELLO, "token": TOKEN + "x"}, Close.NOT_AUTHORISED, "wrong token"),
        ({**HELLO, "protocol": 2}, Close.PROTOCOL_NOT_SUPPORTED, "protocol 2"),
        ({"type": "seek"}, Close.BAD_HELLO, "must be a hello"),
    ],
)
def test_what_opens_nothing_is_closed_with_a_reason(
    client: Any, services: Any, hello: dict[str, Any], code: Any, says: str
) -> None:
    with client.websocket_connect(STREAM) as socket:
        socket.send_json(hello)
        closed, reason = closed_with(socket)
        assert closed == code and says in reason
        assert len(services.streams) == 0


def test_bytes_are_no_hello(client: Any) -> None:
    with client.websocket_connect(STREAM) as socket:
        socket.send_bytes(json.dumps(HELLO).encode())
        assert closed_with(socket)[0] == Close.BAD_HELLO


def test_a_client_that_leaves_gives_its_place_back(client: Any, services: Any) -> None:
    with client.websocket_connect(STREAM) as socket:
        socket.send_json(HELLO)
        assert socket.receive_json()["type"] == "welcome"
        socket.close()
        # Each request lets the server's loop go on.
        for _ in range(1000):
            if client.get("/healthz").is_success and services.streams.empty.is_set():
                return
    pytest.fail("the stream of a client that has left stays open")


class Stuck:
    """A socket whose client reads nothing: what is sent never leaves."""

    def __init__(self) -> None:
        self.closed: tuple[int, str] | None = None

    async def send_text(self, text: str) -> None:
        del text
        await asyncio.Event().wait()

    async def receive(self) -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


async def test_a_client_that_never_reads_is_let_go(services: Any) -> None:
    socket = Stuck()
    hello, caller = Hello(type="hello", protocol=1, token=TOKEN), Caller("one", "operator")
    connection = endpoint._Connection(socket, services, hello, caller)
    serving = asyncio.create_task(connection.serve())
    [session] = services.streams
    for _ in range(300):
        session.read("no json")
    await asyncio.wait_for(serving, 60)
    assert socket.closed is not None
    assert socket.closed[0] == Close.OVER_LIMIT and "256 messages" in socket.closed[1]
    assert services.streams.empty.is_set()
