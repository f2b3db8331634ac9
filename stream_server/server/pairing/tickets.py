"""Tickets: who has a token that opens everything lets a page of the server in, once and soon.

A browser extension's token is bound to the extension's Origin, so the extension cannot hand it to
the server's own page. It hands over a ticket instead, which is worth nothing a moment later.
"""

from __future__ import annotations

import secrets

from stream_server.server.pairing.access import PairingAccess
from stream_server.server.pairing.digits import hashed


class Tickets:
    """The tickets that were given out and not used yet. Raises ``DatabaseAwayError``."""

    def __init__(self, access: PairingAccess) -> None:
        self._access = access

    async def issue(self) -> str:
        """A new ticket. Of more than 32 unused ones the oldest is forgotten."""
        ticket = secrets.token_urlsafe(24)
        await self._access.ask(lambda store: store.issue(hashed(ticket)))
        return ticket

    async def redeem(self, ticket: str) -> bool:
        """Use a ticket up. Whether it was good."""
        return await self._access.ask(lambda store: store.redeem(hashed(ticket)))
