"""Counting what is answered over HTTP."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_server.server.metrics import Metrics


class CountAnswers:
    """ASGI middleware, the outermost one: every answer is counted, whoever gave it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.answered(message["status"])
            await send(message)

        await self._app(scope, receive, send_counted)
