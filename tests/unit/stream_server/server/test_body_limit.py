"""The limit on request bodies, announced or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from stream_server.server.body_limit import BodyLimit
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
