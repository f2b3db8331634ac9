"""The limit on request bodies, for every route at once."""

from __future__ import annotations

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


class BodyLimit:
    """ASGI middleware. A body that announces too much is answered unread, one that does not say
    how long it is as soon as it is over the limit.

    ``default`` is in bytes; ``by_path`` holds other limits for a path, or for all paths below one
    that ends in ``/``. Where the body goes on over the limit, reading
    it raises ``TooLargeError``, which becomes the answer. ``refused`` is told of each.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        default: int,
        by_path: Mapping[str, int],
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._app = app
        self._refused = refused
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
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    self._refused("too_large")
                    raise TooLargeError(limit)
            return message

        await self._app(scope, receive_limited, send)

    def _limit(self, path: str) -> int:
        if path in self._exact:
            return self._exact[path]
        return next(
            (limit for below, limit in self._below.items() if path.startswith(below)),
            self._default,
        )
