"""The pairings' database from the event loop, whether it is there or not.

Asking it must hold up nothing else: it has threads of its own, and whoever waits for it hears after
a while that it is away.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from stream_server.database import Database, DatabaseAddressError, shared_address
from stream_server.languages import worded
from stream_server.migrations import Chain, migrate
from stream_server.problem import ProblemError
from stream_server.server.pairing import former_file
from stream_server.server.pairing.store import PairingStore
from stream_server.settings import Settings

CHAIN = Chain(Path(__file__).parent / "migrations" / "versions", "pairings_version")
_THREADS = 4
_PATIENCE = 5.0  # seconds
_PAUSE = 1.0  # seconds in which a database that was away is not asked again
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class DatabaseAwayError(ProblemError):
    """Who is paired cannot be found out now."""

    def __init__(self) -> None:
        super().__init__(
            503,
            worded(
                "the database that knows the paired browsers does not answer; try again in a"
                " moment. Streams that are open go on"
            ),
            {"Retry-After": "5"},
        )


class PairingAccess:
    """Opens the database at the first use, and again after it was away. ``clock`` as in
    ``PairingStore``."""

    def __init__(self, settings: Settings, clock: Callable[[Session], float] | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="pairings")
        self._opening = threading.Lock()
        self._database: Database | None = None
        self._store: PairingStore | None = None
        self._away_until = 0.0
        self._troubled = False

    async def ask(self, question: Callable[[PairingStore], _T]) -> _T:
        """What ``question`` finds in the store. Raises ``DatabaseAwayError``."""
        if time.monotonic() < self._away_until:
            raise DatabaseAwayError
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await loop.run_in_executor(self._executor, self._asked, question)
        except (SQLAlchemyError, OSError, CommandError, DatabaseAddressError) as error:
            self._note(error)
            raise DatabaseAwayError from None
        if self._troubled:
            self._troubled = False
            _log.info("the database of paired browsers answers again")
        return found

    def close(self) -> None:
        """Let go of the database."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._database is not None:
            self._database.close()

    def _asked(self, question: Callable[[PairingStore], _T]) -> _T:
        with self._opening:
            if self._store is None:
                self._store = self._opened()
        return question(self._store)

    def _opened(self) -> PairingStore:
        self._database = self._database or Database(shared_address(self._settings))
        migrate(self._database, CHAIN)
        store = PairingStore(self._database, self._clock)
        former_file.take_in(self._settings.state_dir, store)
        return store

    def _note(self, error: Exception) -> None:
        if self._database is None or not self._database.is_sqlite:
            self._away_until = time.monotonic() + _PAUSE
        if not self._troubled:  # once, not at each request
            # A driver's message may hold the address.
            told = "" if isinstance(error, SQLAlchemyError) else str(error)
            said = told or type(error).__name__
            _log.error("the database of paired browsers does not answer (%s)", said)
        self._troubled = True
