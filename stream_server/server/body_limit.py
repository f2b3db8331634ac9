"""The limits on request bodies, for every route at once: how large, and how slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_server.problem import ProblemError
from stream_server.server.problems import answer_to


class TooLargeError(ProblemError):
    """A body over ``limit`` bytes; ``announced`` is what it says of itself, if anything."""

    def __init__(self, limit: int, announced: str = "") -> None:
        says = f" and announces {announced[:20]}" if announced else ""
        detail = f"the body is over the limit of {limit} bytes{says}"
        # What has not been read of the body would be taken for the next request.
        super().__init__(413, detail, {"Connection": "close"}, code="too_large")


class TooSlowError(ProblemError):
    """A body that was waited for longer than ``patience`` seconds and what came of it allow."""

    def __init__(self, received: int, patience: float, pace: int) -> None:
        detail = (
            f"the body came too slowly: {received} bytes so far; after {patience:g} seconds of"
            f" waiting it must have come at {pace} bytes a second"
        )
        super().__init__(408, detail, {"Connection": "close"}, code="too_slow")


class BodyLimit:
    """ASGI middleware. A body that announces too much is answered unread, one that does not say
    how long it is as soon as it is over the limit. One that comes slower than ``pace`` bytes a
    second may be waited for ``patience`` seconds in all; what the server takes to deal with it does
    not count.

    ``default`` is in bytes; ``by_path`` holds other limits for a path, or for all paths below one
    that ends in ``/``. Where the body goes on over the limit, or too slowly, reading it raises
    ``TooLargeError`` or ``TooSlowError``, which becomes the answer. ``refused`` is told of each.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        default: int,
        by_path: Mapping[str, int],
        patience: float = 20.0,
        pace: int = 1024,
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._app = app
        self._refused = refused
        self._patience = patience
        self._pace = pace
        self._default = default
        self._exact = {path: limit for path, limit in by_path.items() if not path.endswith("/")}
        self._below = {path: limit for path, limit in by_path.items() if path.endswith("/")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
            self._refused("too_large")
            await answer_to(TooLargeError(limit, announced))(scope, receive, send)
            return
        received, waited, whole, answered = 0, 0.0, False, False

        async def receive_limited() -> Message:
            nonlocal received, waited, whole
            if whole:  # what is waited for now is the client's going away
                return await receive()
            began = time.monotonic()
            try:
                async with asyncio.timeout(self._patience + received / self._pace - waited):
                    message = await receive()
            except TimeoutError:
                self._refused("too_slow")
                if answered:
                    return {"type": "http.disconnect"}
                raise TooSlowError(received, self._patience, self._pace) from None
            waited += time.monotonic() - began
            if message["type"] == "http.request":
                whole = not message.get("more_body", False)
                received += len(message.get("body", b""))
                if received > limit:
                    self._refused("too_large")
                    raise TooLargeError(limit)
            return message

        async def send_noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        await self._app(scope, receive_limited, send_noted)

    def _limit(self, path: str) -> int:
        if path in self._exact:
            return self._exact[path]
        return next(
            (limit for below, limit in self._below.items() if path.startswith(below)),
            self._default,
        )
