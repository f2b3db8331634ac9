"""Serving under a path, behind a proxy: ``https://example.org/fakelight/`` for instance.

Proxies do it in two ways: they take the path off before they pass a request on, or they leave it
on. Both work. Inside, everything has the addresses that it has without a proxy; what goes out to a
client (``Location``, cookies) gets the path in front. Pages name everything beside them relatively.
"""

from __future__ import annotations

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOT_PATH = "fakelight.root_path"
"""Key of the ASGI scope for the path that the server lies under, empty for none."""


class RootPath:
    """ASGI middleware, the outermost one. ``prefix`` is as in ``/fakelight``; where it is empty,
    the ASGI server's own ``root_path`` counts."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        prefix = self._prefix or scope.get("root_path", "").rstrip("/")
        path = scope["path"]
        if prefix and path == prefix and scope["type"] == "http":
            # A page's relative addresses count from its last slash.
            await RedirectResponse(f"{prefix}/")(scope, receive, send)
            return
        if prefix and path.startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
        inside = {**scope, "path": path, "root_path": "", ROOT_PATH: prefix}
        await self._app(inside, receive, _outwards(send, prefix.encode()) if prefix else send)


def _outwards(send: Send, prefix: bytes) -> Send:
    async def send_outwards(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, _put_before(name.lower(), value, prefix))
                for name, value in message["headers"]
            ]
        await send(message)

    return send_outwards


def _put_before(name: bytes, value: bytes, prefix: bytes) -> bytes:
    if name == b"location" and value.startswith(b"/") and not value.startswith(b"//"):
        return prefix + value
    if name == b"set-cookie":
        return value.replace(b"Path=/", b"Path=" + prefix + b"/", 1)
    return value
