"""The monitors' database, once it is there: its tables, and who of several servers watches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from stream_server.database import Database
from stream_server.languages import worded
from stream_server.monitors.keeper import Keeper
from stream_server.monitors.store.incidents import Hook, IncidentTable
from stream_server.monitors.store.migrate import open_database
from stream_server.monitors.store.monitors import MonitorTable
from stream_server.problem import ProblemError
from stream_server.settings import Settings


class Storage:
    """Closed until ``open``; ``trouble`` says why, and may be set to say more.

    ``hooks`` are called in the transactions that open and close incidents, ``opened`` once the
    database is open.
    """

    def __init__(
        self,
        settings: Settings,
        hooks: Iterable[Hook] = (),
        opened: Callable[[Database], Awaitable[None]] | None = None,
    ) -> None:
        self.trouble = "it is being opened"
        self._settings = settings
        self._hooks = tuple(hooks)
        self._opened = opened
        self._database: Database | None = None
        self._keeper: Keeper | None = None
        self._monitors: MonitorTable | None = None
        self._incidents: IncidentTable | None = None

    @property
    def monitors(self) -> MonitorTable:
        """The table. Raises ``ProblemError`` (503) while the database is away."""
        return self._monitors or self._away()

    @property
    def incidents(self) -> IncidentTable:
        """The table. Raises ``ProblemError`` (503) while the database is away."""
        return self._incidents or self._away()

    async def open(self) -> None:
        """Bring the database to this version, unless it is open.

        Raises ``DatabaseAddressError``, ``sqlalchemy.exc.SQLAlchemyError``, ``OSError``,
        ``alembic.util.CommandError``.
        """
        if self._database is not None:
            return
        try:
            database = await asyncio.to_thread(open_database, self._settings)
        except SQLAlchemyError as error:
            self.trouble = type(error).__name__  # the message may hold the address
            raise
        self._database = database
        self._keeper = Keeper(database, self._settings.state_dir)
        self._monitors = MonitorTable(database)
        self._incidents = IncidentTable(database, self._hooks)
        if self._opened is not None:
            await self._opened(database)

    async def is_ours(self) -> bool:
        """Whether this server is the one that watches. Raises as ``Keeper.holds`` does."""
        return self._keeper is not None and await asyncio.to_thread(self._keeper.holds)

    async def close(self) -> None:
        """Let another server watch, and let go of the database."""
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.release)
        if self._database is not None:
            self._database.close()

    def _away(self) -> Any:
        raise ProblemError(
            503, worded("the monitors' database is not there: {why}", why=self.trouble)
        )
