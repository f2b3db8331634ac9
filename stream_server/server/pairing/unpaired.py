"""Ends the streams of those who were unpaired, at whichever server that was."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from stream_server.languages import worded
from stream_server.protocol import Close
from stream_server.server.pairing.access import DatabaseAwayError
from stream_server.server.pairing.pairings import Pairings
from stream_server.server.registry import Registry

_EVERY = 0.5  # seconds


async def end_streams(pairings: Pairings, streams: Registry) -> None:
    """Look twice a second, for as long as the server runs. While the database is away, streams go
    on."""
    with suppress(DatabaseAwayError):  # it says so itself, and is asked again
        await pairings.open()
    while True:
        await asyncio.sleep(_EVERY)
        try:
            gone = await pairings.gone({session.holder for session in streams})
        except DatabaseAwayError:
            continue
        for session in streams:
            if session.holder in gone:
                session.close(
                    Close.NOT_AUTHORISED, worded("this browser was unpaired: pair it again")
                )
