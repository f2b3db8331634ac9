"""Pairing: six digits shown by the server, typed once, for a token bound to one Origin. Whoever is
at the server's own page may let a browser in without them.

Digits that one server showed are good at every other that shares its database, and so are the
tokens; whoever is unpaired is unpaired at all of them.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from stream_server.languages import worded
from stream_server.problem import ProblemError
from stream_server.server.pairing.access import DatabaseAwayError, PairingAccess
from stream_server.server.pairing.digits import (
    hashed,
    hashed_with,
    new_digits,
    show_on_terminal,
)
from stream_server.server.pairing.store import (
    OPEN_AT_ONCE,
    TRIES,
    WRONG_AT_MOST,
    Answer,
    PairingStore,
)
from stream_server.server.pairing.tables import HOLDER_LENGTH as _HOLDER
from stream_server.server.pairing.tables import Asked, Paired

_log = logging.getLogger(__name__)
_TOKEN_BYTES = 32
_TOKEN_LENGTH = 43  # of so many bytes in base64
_FRESH = 0.5  # seconds for which an answer of the database holds
_TRUSTED = 600.0  # seconds for which the last one does, while there is no other
_REMEMBERED = 10_000
_LOOKS_FOR = 15.0  # seconds since the server's page last looked for which it is taken to be open


class PairingError(ProblemError):
    """A pairing that did not come about; ``tries_left`` where digits were wrong."""

    def __init__(self, status: int, message: str, tries_left: int | None = None) -> None:
        members = {} if tries_left is None else {"tries_left": tries_left}
        super().__init__(status, message, None, **members)
        self.tries_left = tries_left


@dataclass(frozen=True)
class _Known:
    token: str
    origin: str
    asked: float


def holder_of(token: str) -> str:
    """What stands for a token, fit for counting and for logs: it does not show the token."""
    return hashed(token)[:_HOLDER]


class Pairings:
    """Pairings under way, and the paired clients.

    ``observe`` is told what became of each pairing, for metrics. Raises ``DatabaseAwayError``
    throughout.
    """

    def __init__(
        self,
        access: PairingAccess,
        *,
        show: Callable[[str, str], None] = show_on_terminal,
        clock: Callable[[], float] = time.monotonic,
        observe: Callable[[str], None] = lambda result: None,
    ) -> None:
        self._access = access
        self._show = show
        self._clock = clock
        self._observe = observe
        self._known: dict[str, _Known] = {}
        self._looked = -math.inf

    async def open(self) -> None:
        """Bring the database to this version, and take in what was kept in a file before."""
        await self._access.ask(lambda store: None)

    async def start(self, origin: str) -> str:
        """Show six digits for ``origin`` and return the pairing's id.

        Raises ``PairingError`` (429) while too many pairings are under way, or too many wrong
        digits were tried.
        """
        number, digits = secrets.token_urlsafe(12), new_digits()
        keys = hashed(number), hashed_with(number, digits)
        begun = await self._access.ask(lambda store: store.begin(*keys, origin))
        if begun != "started":
            self._observe("refused")
        if begun == "busy":
            raise PairingError(
                429, worded("{count} pairings are under way; wait two minutes", count=OPEN_AT_ONCE)
            )
        if begun == "guessed":
            raise PairingError(
                429,
                worded(
                    "{count} wrong digits were tried of late; wait ten minutes",
                    count=WRONG_AT_MOST,
                ),
            )
        self._show(digits, origin)
        self._observe("started")
        return number

    async def finish(self, number: str, digits: str, origin: str) -> str:
        """A token for ``origin`` in exchange for the right digits.

        Raises ``PairingError``: 410 when the pairing is unknown, expired or used up, 403 for
        another origin or wrong digits (with the tries left).
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        keys = hashed(number), hashed_with(number, digits)
        answer = await self._access.ask(lambda store: store.finish(*keys, origin, hashed(token)))
        self._check(answer, origin)
        return token

    async def collect(self, number: str, origin: str) -> str | None:
        """A token for ``origin`` once it was let in without digits; ``None`` until then.

        Raises ``PairingError`` as ``finish`` does.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        key = hashed(number)
        answer = await self._access.ask(lambda store: store.collect(key, origin, hashed(token)))
        if answer.result == "waiting":
            return None
        self._check(answer, origin)
        return token

    async def waiting(self) -> Sequence[Asked]:
        """Those who wait to be let in, the latest first, for the server's own page."""
        self._looked = self._clock()
        return await self._access.ask(PairingStore.waiting)

    @property
    def page_is_open(self) -> bool:
        """Whether the server's own page has looked just now at who waits."""
        return self._clock() - self._looked < _LOOKS_FOR

    async def allow(self, asked: str) -> bool:
        """Let in who waits (its id as ``waiting`` has it); whether there is such a one."""
        return await self._access.ask(lambda store: store.allow(asked))

    def _check(self, answer: Answer, origin: str) -> None:
        if answer.result == "expired":
            self._observe("expired")
            raise PairingError(410, worded("this pairing has expired; start again for new digits"))
        if answer.result == "foreign":
            self._observe("refused")
            raise PairingError(403, worded("this pairing was started by somebody else"))
        if answer.result == "wrong":
            self._observe("wrong_digits")
            left = answer.tries_left
            if not left:
                raise PairingError(
                    410, worded("{count} wrong tries; start again for new digits", count=TRIES), 0
                )
            raise PairingError(403, worded("wrong digits; tries left: {count}", count=left), left)
        self._observe("paired")
        _log.info("paired with %s", origin)

    async def accepts(self, token: str, origin: str | None) -> bool:
        """Whether ``token`` was given to ``origin``; a client that is no page has none.

        While the database is away, whoever was let in here within the last ten minutes is.
        """
        if len(token) != _TOKEN_LENGTH:
            return False
        key, now = hashed(token), self._clock()
        known = self._known.get(key[:_HOLDER])
        if known is None or known.token != key or now - known.asked > _FRESH:
            try:
                found = await self._access.ask(lambda store: store.find(key))
            except DatabaseAwayError:
                if known is None or now - known.asked > _TRUSTED:
                    raise
            else:
                known = self._note(key, found, now)
        return known is not None and known.origin == (origin or "")

    async def gone(self, holders: Collection[str]) -> set[str]:
        """Those of them that were let in here as paired and are not paired any more."""
        tokens = {self._known[one].token for one in holders if one in self._known}
        if not tokens:
            return set()
        left = await self._access.ask(lambda store: store.known(tokens))
        return {one[:_HOLDER] for one in tokens - left}

    async def forget(self, token: str) -> bool:
        """Unpair: the token opens nothing from now on. Whether it did before."""
        return bool(await self._forget(hashed(token)))

    async def all(self) -> Sequence[Paired]:
        """Everyone who is paired, the latest first."""
        return await self._access.ask(PairingStore.all)

    async def revoke(self, holder: str) -> bool:
        """Unpair who ``holder_of`` its token is; whether there is such a one."""
        return len(holder) == _HOLDER and bool(await self._forget(holder))

    async def _forget(self, beginning: str) -> int:
        count = await self._access.ask(lambda store: store.forget(beginning))
        self._distrust(beginning[:_HOLDER])
        if count:
            self._observe("ended")
        return count

    def _note(self, key: str, found: Paired | None, now: float) -> _Known | None:
        if found is None:
            self._distrust(key[:_HOLDER])
            return None
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        known = self._known[key[:_HOLDER]] = _Known(key, found.origin, now)
        return known

    def _distrust(self, holder: str) -> None:
        # Not forgotten: ``gone`` is asked about the streams that it has opened.
        if (known := self._known.get(holder)) is not None:
            self._known[holder] = replace(known, asked=-math.inf)
