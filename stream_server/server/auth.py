"""Who a request comes from: the one place that reads credentials.

A token comes in an ``Authorization: Bearer`` header or in a stream's hello; the server's own pages
carry a cookie made from the server's token instead. Whoever holds a token is the same person over
every transport, so that limits per token hold over all of them together.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection

from stream_server.server.pairing.pairings import Pairings, holder_of
from stream_server.settings import NamedToken, Role

COOKIE = "fakelight_session"
_CALLER = "fakelight.caller"  # key of the ASGI scope


@dataclass(frozen=True)
class Caller:
    """The holder of a token and what that person may do.

    ``holder`` stands for the token, fit for counting and for logs: it does not show the token.
    A scraper may read the metrics and nothing else.
    ``name`` is the token's in the settings, ``owner`` for the server's own and ``paired`` for one
    that came from pairing.
    """

    holder: str
    role: Role | Literal["scraper"]
    name: str = ""


class Authority:
    """Knows the tokens that open this server: its own, those with names, and paired ones.

    A paired token is good for the ``Origin`` that it was given to and for no other. ``scraper``
    opens the metrics, where there is one.
    """

    def __init__(
        self, token: str, named: Mapping[str, NamedToken], pairings: Pairings, scraper: str = ""
    ) -> None:
        self.token = token
        self._scraper = scraper
        self.cookie = hmac.new(token.encode(), b"fakelight session v1", hashlib.sha256).hexdigest()
        self._named = dict(named)
        self._pairings = pairings

    async def of_request(self, connection: HTTPConnection) -> Caller | None:
        """Whose HTTP request it is: by its bearer token, else by its cookie.

        Raises ``DatabaseAwayError`` where it cannot be found out.
        """
        token = bearer_token(connection)
        caller = None if token is None else await self._by_token(token, connection)
        return caller or self._by_cookie(connection)

    async def of_hello(self, token: str, connection: HTTPConnection) -> Caller | None:
        """Whose stream a hello opens: by its token, or by the cookie where that is empty.

        Raises ``DatabaseAwayError`` where it cannot be found out.
        """
        caller = await self._by_token(token, connection) if token else self._by_cookie(connection)
        return None if caller is not None and caller.role == "scraper" else caller

    def is_own(self, token: str) -> bool:
        """Whether ``token`` is the server's own; compared in constant time, whatever was given."""
        return _same(token, self.token)

    async def _by_token(self, token: str, connection: HTTPConnection) -> Caller | None:
        holder = holder_of(token)
        if self.is_own(token):
            return Caller(holder, "operator", "owner")
        if self._scraper and _same(token, self._scraper):
            return Caller(holder, "scraper", "scraper")
        for name, one in self._named.items():
            if _same(token, one.token):
                return Caller(holder, one.role, name)
        # Last: the database is asked for it.
        if await self._pairings.accepts(token, connection.headers.get("origin")):
            return Caller(holder, "operator", "paired")
        return None

    def _by_cookie(self, connection: HTTPConnection) -> Caller | None:
        if _same(connection.cookies.get(COOKIE, ""), self.cookie):
            return Caller(holder_of(self.token), "operator", "owner")
        return None


def bearer_token(connection: HTTPConnection) -> str | None:
    """The token of the ``Authorization`` header, ``None`` where there is no such header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def note_caller(connection: HTTPConnection, caller: Caller) -> None:
    """Let the handlers of this request know whose it is."""
    connection.scope[_CALLER] = caller


def caller_of(connection: HTTPConnection) -> Caller:
    """Whose request it is. Raises ``KeyError`` at an address that is open to anyone."""
    caller: Caller = connection.scope[_CALLER]
    return caller


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
