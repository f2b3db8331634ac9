"""Posts a body to a receiver that somebody named, and trusts neither name nor answer.

The address that is connected to is checked, redirects are not followed, nothing of the environment
(proxies, ``.netrc``) is used, and an answer is cut off after some seconds and some bytes.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from urllib.parse import unquote, urlsplit

import httpcore2

from stream_server import __version__
from stream_server.addresses import AllowedHosts, RefusedAddressError, resolve_checked
from stream_server.monitors.alerts.outcome import Outcome
from stream_server.monitors.alerts.schedule import retry_after

SECONDS = 15.0  # the specification asks for 15 to 30
_CONNECT_SECONDS = 5.0  # to one of several addresses
_ANSWER_BYTES = 64 * 1024
_CONNECTIONS = 256


class HttpSender:
    """Posts over connections that serve once: receivers are many, and messages few."""

    def __init__(
        self,
        allowed: AllowedHosts,
        *,
        seconds: float = SECONDS,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = seconds
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=0,
            network_backend=_CheckedNetwork(allowed),
        )

    async def __aenter__(self) -> HttpSender:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what is open."""
        await self._pool.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Deliver ``body``; never raises because of the receiver."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(url, headers, body)
        except TimeoutError:
            return Outcome(f"no answer within {self._seconds:g} s")
        except RefusedAddressError as error:
            return Outcome(str(error))
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            return Outcome(_why_no_connection(error))
        except (httpcore2.NetworkError, httpcore2.TimeoutException):
            return Outcome("the connection broke off")
        except httpcore2.ProtocolError:
            return Outcome("what answered does not speak HTTP as it should")

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        target, credentials = _without_user(url)
        sent = {
            "content-type": "application/json",
            "user-agent": f"fakelight/{__version__}",
            **credentials,
            **headers,
        }
        async with self._pool.stream(
            "POST", target, headers=list(sent.items()), content=body
        ) as answer:
            status = answer.status
            asked = next((v for k, v in answer.headers if k.lower() == b"retry-after"), b"")
            if 200 <= status < 300:
                await _read_some(answer)
                return Outcome(status=status)
        return Outcome(_said(status), status, retry_after(asked.decode("latin-1")))


class _CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to the addresses that pass the check, and to no others."""

    def __init__(self, allowed: AllowedHosts) -> None:
        self._allowed = allowed
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # as the base class has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        del timeout  # the whole attempt has one
        try:
            addresses = await resolve_checked(host, port, self._allowed)
        except OSError as error:
            raise httpcore2.ConnectError(f"the name {host} is not found") from error
        failure: Exception = httpcore2.ConnectError(f"the name {host} has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, _CONNECT_SECONDS, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


async def _read_some(answer: httpcore2.Response) -> None:
    """Let a receiver finish a short answer, so that it need not log a connection that broke off."""
    received = 0
    async for chunk in answer.aiter_stream():
        received += len(chunk)
        if received > _ANSWER_BYTES:
            return


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    """The URL without its user and password, which become a header."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    basic = base64.b64encode(pair.encode()).decode()
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return bare, {"authorization": f"Basic {basic}"}


def _said(status: int) -> str:
    if 300 <= status < 400:
        return f"the receiver answered {status}; redirects are not followed"
    return f"the receiver answered {status}"


def _why_no_connection(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the receiver's certificate is not good: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "the receiver does not speak TLS as it should"
        if isinstance(cause, ConnectionRefusedError):
            return "the receiver refuses connections"
        cause = cause.__cause__ or cause.__context__
    return str(error) or "the receiver cannot be reached"
