"""HTTP for live sources: each connection and each redirect goes to an address that was checked."""

from __future__ import annotations

import base64
import http.client
import math
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from stream_server import __version__
from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.dial import dial
from stream_server.ingest.urls.limits import (
    CONNECT_SECONDS,
    MAX_REDIRECTS,
    READ_SECONDS,
    SEGMENT_SECONDS,
)
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.redaction import without_credentials, without_secrets

_PORTS = {"http": 80, "https": 443}
_LOCATIONS = (301, 302, 303, 307, 308)
_SAFE = "!#$%&'()*+,/:;=?@[]~"  # in an address that somebody encoded already, more or less
Origin = tuple[str, str, int]


class _Connection(http.client.HTTPConnection):
    """Goes to a checked address; ``host`` is still what the request and the certificate name."""

    def __init__(self, origin: Origin, allowed: AllowedHosts) -> None:
        scheme, host, port = origin
        super().__init__(host, port, timeout=READ_SECONDS)
        self.default_port = _PORTS[scheme]
        self._tls = scheme == "https"
        self._allowed = allowed

    def connect(self) -> None:
        self.sock = dial(self.host, self.port, self._allowed, CONNECT_SECONDS, self._tls)
        self.sock.settimeout(READ_SECONDS)


@dataclass(frozen=True)
class _Answer:
    """The head of an answer, and the connection that its body is on."""

    body: http.client.HTTPResponse
    connection: _Connection
    origin: Origin
    idle: dict[Origin, _Connection]

    def release(self) -> None:
        """Keep the connection for the next question, unless something of this answer is left."""
        body = self.body
        whole = body.isclosed() or body.length == 0
        body.close()
        if not whole or body.will_close or self.origin in self.idle:
            self.connection.close()
        else:
            self.idle[self.origin] = self.connection

    def drain(self) -> None:
        """Read the little that a redirect or an error says."""
        with suppress(OSError, http.client.HTTPException):
            self.body.read(16384)
        self.release()


@dataclass
class Response:
    """The body of an answer, to be read once. ``url`` is where it came from in the end, ``length``
    its bytes where the server says so."""

    url: str
    length: int | None
    _answer: _Answer
    _what: str
    _max_bytes: int | None
    _deadline: float
    _ahead: bytes = b""
    _count: int = 0

    def peek(self, size: int) -> bytes:
        """The first up to ``size`` bytes, which a later ``read`` gives all the same."""
        while len(self._ahead) < size and (more := self._receive(size - len(self._ahead))):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, all for -1; empty at the end.

        Raises ``RefusedSourceError`` past a limit, ``SourceGoneError`` where nothing comes.
        """
        if size < 0:
            parts = []
            while part := self.read(1 << 16):
                parts.append(part)
            return b"".join(parts)
        if self._ahead:
            part, self._ahead = self._ahead[:size], self._ahead[size:]
            return part
        return self._receive(size)

    def limit(self, max_bytes: int) -> None:
        """From now on it may be this long and take as long as anything that has an end."""
        self._max_bytes = max_bytes
        self._deadline = time.monotonic() + SEGMENT_SECONDS

    def close(self) -> None:
        """Let go of it; the connection is used again if all was read."""
        self._answer.release()

    def _receive(self, size: int) -> bytes:
        if time.monotonic() > self._deadline:
            raise SourceGoneError(f"{self._what} takes longer than {SEGMENT_SECONDS:g} s")
        try:
            part = self._answer.body.read1(size)
        except (OSError, http.client.HTTPException) as error:
            raise SourceGoneError(f"{self._what} broke off: {_reason(error)}") from None
        self._count += len(part)
        if self._max_bytes is not None and self._count > self._max_bytes:
            raise _too_large(self._what, self._count, self._max_bytes)
        return part


class Fetcher:
    """GETs addresses, following up to five redirects, and keeps one connection to each host.

    Credentials that the first address carries go to its own host alone.
    """

    def __init__(self, url: str, allowed: AllowedHosts) -> None:
        self._allowed = allowed
        self._idle: dict[Origin, _Connection] = {}
        bare, self._credentials = without_credentials(url)
        self._home = origin_of(bare)
        self.url = bare

    def get(
        self,
        url: str,
        what: str,
        max_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer to a GET; ``what`` is what messages call it, beside its address.

        Without ``max_bytes`` it may go on for ever. Raises ``RefusedSourceError`` for what is not
        connected to or too large, ``SourceGoneError`` for what does not answer well just now.
        """
        url, _ = without_credentials(url)
        for _ in range(MAX_REDIRECTS + 1):
            name = f"{what} {without_secrets(url)}"
            answer = self._ask(url, name, headers or {})
            body = answer.body
            location = body.headers.get("Location")
            if body.status in _LOCATIONS and location:
                answer.drain()
                url, _ = without_credentials(urljoin(url, location))
                continue
            if body.status not in (200, 206):
                answer.drain()
                raise SourceGoneError(f"{name}: the server answered {body.status} {body.reason}")
            if max_bytes is None:
                return Response(url, body.length, answer, name, None, math.inf)
            if body.length is not None and body.length > max_bytes:
                answer.release()
                raise _too_large(name, body.length, max_bytes)
            deadline = time.monotonic() + SEGMENT_SECONDS
            return Response(url, body.length, answer, name, max_bytes, deadline)
        raise RefusedSourceError(
            f"{what} {without_secrets(self.url)} redirects more than {MAX_REDIRECTS} times"
        )

    def close(self) -> None:
        """Close what is kept open."""
        for connection in self._idle.values():
            connection.close()
        self._idle.clear()

    def _ask(self, url: str, name: str, headers: Mapping[str, str]) -> _Answer:
        origin = origin_of(url)
        parts = urlsplit(url)
        target = quote(parts.path or "/", _SAFE) + (
            "?" + quote(parts.query, _SAFE) if parts.query else ""
        )
        sent = {"User-Agent": f"fakelight/{__version__}", "Accept": "*/*", **headers}
        if self._credentials and origin == self._home:
            pair = ":".join(self._credentials).encode()
            sent["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        kept = self._idle.pop(origin, None)
        for connection in filter(None, (kept, _Connection(origin, self._allowed))):
            try:
                connection.request("GET", target, headers=sent)
                answer = connection.getresponse()
            except RefusedSourceError:
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                if connection is kept:
                    continue  # it was closed meanwhile
                raise SourceGoneError(f"{name}: {_reason(error)}") from None
            return _Answer(answer, connection, origin, self._idle)
        raise AssertionError("a new connection answers or raises")


def origin_of(url: str) -> Origin:
    """Scheme, host and port. Raises ``RefusedSourceError`` for all but http and https."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise RefusedSourceError(f"{without_secrets(url)}: {error}") from None
    if scheme not in _PORTS or not host:
        raise RefusedSourceError(
            f"{without_secrets(url)}: inside a stream only http and https are opened,"
            f" not {scheme or 'no scheme'}:"
        )
    return scheme, host, port or _PORTS[scheme]


def _too_large(name: str, size: int, limit: int) -> RefusedSourceError:
    return RefusedSourceError(f"{name} has {size} bytes or more; the limit is {limit}")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer for {READ_SECONDS:g} s"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
