"""A small web server whose answers a test writes by path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handler = Callable[[Any], None]
"""Answers one GET; takes the ``BaseHTTPRequestHandler``."""


class Web(ThreadingHTTPServer):
    """``routes`` by path, without its query; ``seen`` are the requests: path and headers."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        self.routes: dict[str, Handler] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        super().__init__((address, 0), _Routed)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what these tests are about."""


class _Routed(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Web

    def log_message(self, format: str, *args: object) -> None:
        del format, args

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.seen.append((self.path, dict(self.headers)))
        self.server.routes.get(path, missing)(self)


@contextmanager
def web_server(address: str = "127.0.0.1") -> Iterator[Web]:
    """Serve on a free port of ``address``."""
    server = Web(address)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def answer(body: bytes, status: int = 200, **headers: str) -> Handler:
    """``body``, with its length; names of ``headers`` have underscores for hyphens."""

    def handle(request: Any) -> None:
        request.send_response(status)
        request.send_header("Content-Length", headers.pop("Content_Length", str(len(body))))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return handle


def away(target: str, status: int = 302) -> Handler:
    """A redirect."""
    return lambda request: answer(b"", status, Location=target)(request)


missing = answer(b"there is no such thing", 404)
