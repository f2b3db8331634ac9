"""Fetching a file that is named by its address.

Only http and https. At most five redirects, and none from a public address to a private one, so
that a stranger's link cannot reach into the local network; an address on the own network works
when the user names it. The address that counts is that of the connection as made, not what a name
resolved to before. The size and the waiting are limited.
"""

from __future__ import annotations

import http.client
import ipaddress
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from threading import Event
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from stream_server import __version__
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.languages import worded

_REDIRECTS = 5
_PATIENCE = 30.0  # seconds without a byte
_LONGEST = 3600.0  # seconds in all
_CHUNK = 1 << 20


Received = Callable[[int, int | None], None]
"""Told how many bytes have come, and of how many where that is known."""


def fetch(
    url: str,
    folder: Path,
    max_bytes: int,
    received: Received = lambda done, whole: None,
    unwanted: Event | None = None,
) -> Path:
    """Download ``url`` into ``folder`` and return the file.

    It ends soon after ``unwanted`` is set, with whatever has come. Raises ``UnusableError``:
    another scheme, an error of the server, a forbidden redirect, more than ``max_bytes`` bytes,
    too slow, or a full disk. Nothing is left behind then.
    """
    _checked_scheme(url)
    guard = _Guard()
    opener = urllib.request.build_opener(_Http(guard), _Https(guard), _Redirects())
    request = urllib.request.Request(url, headers={"User-Agent": f"fakelight/{__version__}"})
    name = Path(unquote(urlsplit(url).path)).name.encode("utf-8", "replace")[-200:]
    target = folder / (name.decode("utf-8", "ignore").replace("\0", "") or "download")
    try:
        with opener.open(request, timeout=_PATIENCE) as answer, target.open("wb") as file:
            _copy(answer, file, url, max_bytes, received, unwanted or Event())
    except UnusableError:
        target.unlink(missing_ok=True)
        raise
    except urllib.error.HTTPError as error:
        error.close()
        raise UnusableError(
            "fetch", worded("{url}: the server answered {status}", url=url, status=error.code), 422
        ) from None
    except (urllib.error.URLError, http.client.HTTPException, ValueError) as error:
        target.unlink(missing_ok=True)
        reason = getattr(error, "reason", None)
        if isinstance(reason, UnusableError):
            raise reason from None
        raise UnusableError(
            "fetch", worded("{url} cannot be fetched: {why}", url=url, why=reason or error)
        ) from None
    except TimeoutError:
        target.unlink(missing_ok=True)
        raise UnusableError(
            "fetch", worded("{url}: no byte came for {seconds:g} s", url=url, seconds=_PATIENCE)
        ) from None
    except OSError as error:
        target.unlink(missing_ok=True)
        raise from_os_error(error, url) from None
    return target


def _copy(
    answer: Any, file: IO[bytes], url: str, max_bytes: int, received: Received, unwanted: Event
) -> None:
    announced = answer.headers.get("Content-Length", "")
    whole = int(announced) if announced.isdecimal() else None
    if whole is not None and whole > max_bytes:
        raise _too_large(url, whole, max_bytes)
    end = time.monotonic() + _LONGEST
    done = 0
    while chunk := answer.read1(_CHUNK):  # what is there: a trickle must not hold up the rest
        if unwanted.is_set():
            return
        done += len(chunk)
        if done > max_bytes:
            raise _too_large(url, done, max_bytes)
        if time.monotonic() > end:
            raise UnusableError(
                "fetch", worded("{url} takes longer than {seconds:g} s", url=url, seconds=_LONGEST)
            )
        file.write(chunk)
        received(done, whole)
    if whole is not None and done < whole:
        raise UnusableError(
            "fetch",
            worded(
                "{url} broke off after {done} of {whole} bytes", url=url, done=done, whole=whole
            ),
        )


def _too_large(url: str, size: int, limit: int) -> UnusableError:
    return UnusableError(
        "too_large",
        worded(
            "{url} has {size} bytes or more; the limit is {limit}", url=url, size=size, limit=limit
        ),
        413,
    )


def _checked_scheme(url: str) -> None:
    scheme = urlsplit(url).scheme.lower()
    if scheme not in ("http", "https"):
        raise UnusableError(
            "scheme",
            worded("{url}: only http and https are fetched, not {scheme}", url=url, scheme=scheme),
        )


class _Guard:
    """Remembers whether the first connection was public, and refuses a later private one."""

    def __init__(self) -> None:
        self._public: bool | None = None

    def passed(self, address: str) -> None:
        public = ipaddress.ip_address(address.split("%")[0]).is_global
        if self._public is None:
            self._public = public
        elif self._public and not public:
            raise UnusableError(
                "redirect",
                worded("a redirect leads to the private address {address}", address=address),
            )


class _Http(urllib.request.HTTPHandler):
    def __init__(self, guard: _Guard) -> None:
        super().__init__()
        self._guard = guard

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_guarded(http.client.HTTPConnection, self._guard), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, guard: _Guard) -> None:
        super().__init__()
        self._guard = guard

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_guarded(http.client.HTTPSConnection, self._guard), request)


def _guarded(base: type[Any], guard: _Guard) -> Any:
    class Connection(base):  # type: ignore[misc]  # http.client has one class per scheme
        def connect(self) -> None:
            super().connect()
            guard.passed(self.sock.getpeername()[0])

    return Connection


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = _REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            _checked_scheme(newurl)
        except UnusableError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
