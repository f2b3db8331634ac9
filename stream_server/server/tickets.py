"""Tickets: who has a token that opens everything lets a page of the server in, once and soon.

A browser extension's token is bound to the extension's Origin, so the extension cannot hand it to
the server's own page. It hands over a ticket instead, which is worth nothing a moment later.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

LIFETIME = 60.0  # seconds
_OPEN_AT_ONCE = 32


class Tickets:
    """The tickets that were given out and not used yet. They do not outlive the process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._expiry: dict[str, float] = {}

    def issue(self) -> str:
        """A new ticket. Of more than 32 unused ones the oldest is forgotten."""
        now = self._clock()
        self._expiry = {key: end for key, end in self._expiry.items() if end > now}
        while len(self._expiry) >= _OPEN_AT_ONCE:
            del self._expiry[next(iter(self._expiry))]
        ticket = secrets.token_urlsafe(24)
        self._expiry[ticket] = now + LIFETIME
        return ticket

    def redeem(self, ticket: str) -> bool:
        """Use a ticket up. Whether it was good."""
        end = self._expiry.pop(ticket, None)
        return end is not None and end > self._clock()
