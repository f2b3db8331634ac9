"""A receiver of webhooks on the loopback interface, which can be away, slow or odd."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Received:
    """One request, headers in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


def answers(*statuses: int, headers: dict[str, str] | None = None) -> Behaviour:
    """One status after the other, the last for ever."""
    left = list(statuses)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(left.pop(0) if len(left) > 1 else left[0])
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@dataclass
class Receiver:
    """What came, in its order; ``behave`` says how it is answered."""

    behave: Behaviour
    port: int = 0
    received: list[Received] = field(default_factory=list)
    trust: ssl.SSLContext | None = None
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        scheme = "https" if self.trust else "http"
        return f"{scheme}://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.received]

    def start(self) -> None:
        """Be there, at the same port as before."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                length = int(headers.get("content-length", "0"))
                body = self.rfile.read(length)
                if len(body) < length:  # whoever sent it was killed amid it
                    return
                receiver.received.append(Received(self.path, headers, body))
                with suppress(OSError):  # whoever asked may have gone
                    receiver.behave(self)

            def log_message(self, format: str, *args: Any) -> None:
                del format, args

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                del request, client_address

        self._server = Server(("127.0.0.1", self.port), Handler)
        if self.trust:
            self._server.socket = self.trust.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Be away: connections are refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def wait_for(self, count: int, seconds: float = 60.0) -> list[Received]:
        """The first ``count`` requests, once they are there."""
        end = time.monotonic() + seconds
        while len(self.received) < count:
            assert time.monotonic() < end, f"{len(self.received)} of {count} requests came"
            time.sleep(0.02)
        return self.received[:count]


@contextmanager
def receiver(behave: Behaviour | None = None, trust: ssl.SSLContext | None = None) -> Iterator[Any]:
    """One that is there, and answers 200 unless told otherwise."""
    one = Receiver(behave or answers(200), trust=trust)
    one.start()
    try:
        yield one
    finally:
        one.stop()
