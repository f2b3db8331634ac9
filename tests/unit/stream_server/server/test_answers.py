"""Every answer over HTTP is counted, those that the program did not foresee too."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from stream_server.server.answers import CountAnswers
from stream_server.server.problems import HANDLERS


class Counted:
    def __init__(self) -> None:
        self.statuses: list[int] = []

    def answered(self, status: int) -> None:
        self.statuses.append(status)


async def well(request: Request) -> Response:
    return PlainTextResponse("here")


async def unforeseen(request: Request) -> Response:
    raise RuntimeError("a mistake")


async def broken_off(request: Request) -> Response:
    async def parts() -> Any:
        yield b"one"
        raise RuntimeError("in the middle of it")

    return StreamingResponse(parts())


def test_each_answer_is_counted_once() -> None:
    counted = Counted()
    app = Starlette(
        routes=[Route("/well", well), Route("/bad", unforeseen), Route("/part", broken_off)],
        middleware=[Middleware(CountAnswers, metrics=counted)],
        exception_handlers=HANDLERS,
    )
    client = TestClient(app, raise_server_exceptions=False)
    for path, status in (("/well", 200), ("/nowhere", 404), ("/bad", 500), ("/part", 200)):
        assert client.get(path).status_code == status
    assert counted.statuses == [200, 404, 500, 200]
