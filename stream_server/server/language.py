"""In which language a request is answered: what the person chose on a page, else what the browser
asks for. A client that asks for none is answered in English."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from stream_server.languages.choice import accepted, known, speaking

#: Set by the pages themselves (``static/words.js``).
COOKIE = "fakelight_language"


class Speaking:
    """ASGI middleware: all that answers a request speaks its language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        with speaking(language_of(HTTPConnection(scope))):
            await self._app(scope, receive, send)


def language_of(connection: HTTPConnection) -> str:
    """The language that ``connection`` asks for."""
    chosen = known(connection.cookies.get(COOKIE, ""))
    return chosen or accepted(connection.headers.get("accept-language", ""))
