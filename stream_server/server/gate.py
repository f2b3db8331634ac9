"""Who may talk to the server: the Host, Origin and token checks, in front of everything.

The server listens on the user's machine, where any web page can send it requests. Three checks
keep pages out: a Host that is not ours means DNS rebinding; an Origin that is neither our own page
nor a browser extension is somebody's page; and all but the pages themselves needs the token.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_server.server.auth import Authority, note_caller
from stream_server.server.metrics import Metrics
from stream_server.server.pairing.access import DatabaseAwayError
from stream_server.server.problems import answer_to, problem
from stream_server.settings import Settings

_EXTENSION = re.compile(r"(chrome-extension://[a-p]{32}|moz-extension://[0-9a-f-]{36})")
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?")
_PAGES = ("/", "/scan", "/monitor")
_OPEN_PATHS = frozenset({*_PAGES, "/healthz", "/readyz", "/favicon.ico", "/v1/session"})
_OPEN_PREFIXES = ("/static/", "/extension/")
_PAIRING = "/v1/pairings"
_VIEWER_PATHS = frozenset({"/whip", "/v1/info", "/openapi.json"})
_WILDCARDS = ("", "0.0.0.0", "::")


class Gate:
    """ASGI middleware with the three checks; ``metrics`` counts those who do not pass."""

    def __init__(
        self, app: ASGIApp, *, settings: Settings, authority: Authority, metrics: Metrics
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._authority = authority
        host = settings.host.lower()
        more = {name.strip().lower() for name in settings.allowed_hosts.split(",")}
        self._hosts = {"localhost", "127.0.0.1", "::1"} | (more - {""})
        if host not in _WILDCARDS:
            self._hosts.add(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = await self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, refusal)
            return
        origin = headers.get("origin", "")
        if scope["type"] == "http" and _EXTENSION.fullmatch(origin):
            if scope["method"] == "OPTIONS":
                await _preflight(origin)(scope, receive, send)
                return
            send = _readable_by(origin, send)
        await self._app(scope, receive, send)

    async def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if _hostname(host) not in self._hosts:
            return self._refused(
                "foreign_host",
                421,
                f"the Host {host[:80]!r} is not one of this server's;"
                " FAKELIGHT_ALLOWED_HOSTS adds hosts",
            )
        origin = headers.get("origin")
        if origin is not None and not self._own_origin(origin, host):
            return self._refused(
                "foreign_origin", 403, f"the Origin {origin[:80]!r} may not talk to this server"
            )
        # A page on another port of this machine sends no Origin with a plain GET, but the browser
        # says where the request comes from, and such a page's requests carry our cookie.
        foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if foreign and origin is None and headers.get("sec-fetch-mode") != "navigate":
            return self._refused(
                "foreign_origin", 403, "another site's page may not talk to this server"
            )
        if scope["type"] == "websocket":
            return None  # a stream's token comes in its first message
        if scope["method"] == "OPTIONS" and _EXTENSION.fullmatch(origin or ""):
            return None
        path = scope["path"]
        if _is_open(scope["method"], path):
            return None
        connection = HTTPConnection(scope)
        try:
            caller = await self._authority.of_request(connection)
        except DatabaseAwayError as error:
            self._metrics.refused("try_again_later")
            return answer_to(error)
        if caller is None:
            return self._refused(
                "no_token",
                401,
                "this needs the server's token: Authorization: Bearer TOKEN"
                " (`fakelight token` prints it)",
                {"WWW-Authenticate": 'Bearer realm="fakelight"'},
            )
        if caller.role == "viewer" and not _for_viewers(scope["method"], path):
            return self._refused(
                "viewer", 403, f"{path[:80]} takes an operator's token; this one is a viewer's"
            )
        if caller.role == "scraper" and path != "/metrics":
            return self._refused(
                "viewer", 403, f"{path[:80]} takes an operator's token; this one reads /metrics"
            )
        note_caller(connection, caller)
        return None

    def _refused(
        self, reason: str, status: int, detail: str, headers: dict[str, str] | None = None
    ) -> Response:
        self._metrics.refused(reason)
        return problem(status, detail, headers)

    @staticmethod
    def _own_origin(origin: str, host: str) -> bool:
        if _EXTENSION.fullmatch(origin):
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _is_open(method: str, path: str) -> bool:
    """Whether anyone on an allowed Host may ask for it: the pages, and what leads to a token."""
    if path == _PAIRING or path.startswith(_PAIRING + "/"):
        return method == "POST" or (method == "DELETE" and path == _PAIRING)
    return path in _OPEN_PATHS or path.startswith(_OPEN_PREFIXES)


def _for_viewers(method: str, path: str) -> bool:
    if path == "/v1/mistakes":
        return method == "POST"  # those who see one may say so; what others said is not for them
    if path.startswith("/v1/mistakes/"):
        return method == "DELETE"  # whose it is, is asked there
    # A stream's own address is open to viewers; whose stream it is, is asked there.
    return path in _VIEWER_PATHS or path.startswith("/v1/streams/")


def _hostname(host: str) -> str:
    """The name in a Host header, without its port and, for IPv6, its brackets."""
    found = _HOST.fullmatch(host.lower())
    return (found["six"] or found["name"].rstrip(".")) if found else ""


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Response) -> None:
    if scope["type"] == "http":
        await refusal(scope, receive, send)
        return
    await receive()  # the connect event; an answer before it is a protocol error
    start = {
        "type": "websocket.http.response.start",
        "status": refusal.status_code,
        "headers": refusal.raw_headers,
    }
    await send(start)
    await send({"type": "websocket.http.response.body", "body": bytes(refusal.body)})


def _preflight(origin: str) -> Response:
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
        "Access-Control-Allow-Headers": "authorization, content-type, if-match",
        "Access-Control-Allow-Private-Network": "true",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }
    return Response(status_code=204, headers=headers)


def _readable_by(origin: str, send: Send) -> Send:
    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message["headers"],
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-expose-headers", b"location, etag, link"),
                (b"vary", b"Origin"),
            ]
        await send(message)

    return send_readable
