"""The limit on request bodies, announced or not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from stream_server.server.body_limit import BodyLimit, TooSlowError
from stream_server.server.problems import HANDLERS

LIMITS = {"/whip": 100, "/v1/streams/": 50}


@pytest.fixture
def asked() -> Any:
    return []


@pytest.fixture
def client(asked: Any) -> Any:
    async def count(request: Request) -> Response:
        asked.append(request.url.path)
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(
        routes=[Route("/{path:path}", count, methods=["POST", "PATCH"])],
        middleware=[Middleware(BodyLimit, default=10, by_path=LIMITS)],
        exception_handlers=HANDLERS,
    )
    return TestClient(app)


ROUTES = [("/whip", 100), ("/v1/streams/x", 50), ("/v1/session", 10), ("/whip/more", 10)]


@pytest.mark.parametrize(("path", "limit"), ROUTES)
def test_each_route_has_its_limit(client: Any, path: Any, limit: Any) -> None:
    assert client.post(path, content=b"x" * limit).text == str(limit)
    assert client.post(path, content=b"x" * (limit + 1)).status_code == 413


def test_what_announces_too_much_is_never_read(client: Any, asked: Any) -> None:
    answer = client.post("/whip", content=b"x" * 101)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert answer.json()["detail"] == "the body is over the limit of 100 bytes and announces 101"
    assert answer.json()["code"] == "too_large"
    assert asked == []


def test_what_announces_nothing_is_read_up_to_the_limit(client: Any, asked: Any) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(11):
            yield b"x"

    answer = client.post("/v1/session", content=pieces())
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert answer.json()["detail"] == "the body is over the limit of 10 bytes"
    assert asked == ["/v1/session"]


@pytest.mark.parametrize("announced", ["-5", "ten", ""])
def test_an_announcement_that_is_no_number_proves_nothing(client: Any, announced: str) -> None:
    answer = client.post("/whip", content=b"x" * 101, headers={"Content-Length": announced})
    assert answer.status_code == 413


def test_an_announcement_of_very_many_digits_is_over_every_limit(client: Any, asked: Any) -> None:
    answer = client.post("/whip", content=b"x", headers={"Content-Length": "9" * 5000})
    assert answer.status_code == 413
    assert asked == []


async def slowly(limit: BodyLimit, pieces: list[bytes], pause: float) -> list[Any]:
    """What the application behind ``limit`` answers to a body that comes in ``pieces``, or what is
    raised."""
    sent: list[Any] = []
    coming = iter([*pieces, None])

    async def receive() -> Any:
        await asyncio.sleep(pause)
        piece = next(coming)
        if piece is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/whip", "headers": []}
    async with asyncio.timeout(30):
        await limit(scope, receive, send)
    return sent


async def reading(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass


@pytest.mark.patient
async def test_a_body_must_come_at_a_pace_once_patience_is_at_its_end() -> None:
    told: list[str] = []
    limit = BodyLimit(
        reading, default=10**6, by_path={}, patience=0.2, pace=100, refused=told.append
    )
    with pytest.raises(TooSlowError) as slow:
        await slowly(limit, [b"x" * 10], 0.0)
    assert slow.value.status == 408 and slow.value.headers == {"Connection": "close"}
    assert "10 bytes so far; after 0.2 seconds" in str(slow.value)
    assert "100 bytes a second" in str(slow.value)
    assert told == ["too_slow"]
    # Twenty pieces take longer than patience alone: each of them buys its own time.
    limit = BodyLimit(reading, default=10**6, by_path={}, patience=0.2, pace=1000)
    with pytest.raises(TooSlowError, match="2000 bytes so far"):
        await slowly(limit, [b"x" * 100] * 20, 0.02)


async def test_a_client_that_is_too_slow_after_its_answer_counts_as_gone() -> None:
    async def answering_first(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.body", "body": b""})

    limit = BodyLimit(answering_first, default=10, by_path={}, patience=0.1)
    assert [message["type"] for message in await slowly(limit, [], 0.0)] == [
        "http.response.start",
        "http.response.body",
    ]


async def test_a_whole_body_may_be_answered_as_slowly_as_it_takes() -> None:
    async def long_answer(scope: Any, receive: Any, send: Any) -> None:
        assert not (await receive())["more_body"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await receive()  # waits for the client's going away, beyond all patience
        await send("done")

    async def receive() -> Any:
        if not came:
            came.append(True)
            return {"type": "http.request", "body": b"x", "more_body": False}
        return await asyncio.Event().wait()

    came: list[bool] = []
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    limit = BodyLimit(long_answer, default=10, by_path={}, patience=0.1)
    await limit({"type": "http", "path": "/", "headers": []}, receive, send)
    assert sent == ["done"]
