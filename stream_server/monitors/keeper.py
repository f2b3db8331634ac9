"""Which of the servers that share a database watches its monitors: one of them, while it lives."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from stream_server.database import Database
from stream_server.scan.jobs.lock import FileLock

_KEY = 0x66616B66  # any number that no other program takes a PostgreSQL advisory lock by


class Keeper:
    """A lock that goes with the process that holds it. Blocking; call it from a thread.

    With SQLite it lies in ``folder``, with PostgreSQL in the database.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._file = FileLock(folder / "monitors.lock") if database.is_sqlite else None
        self._connection: Connection | None = None
        self._one_at_a_time = threading.Lock()
        self._released = False

    def holds(self) -> bool:
        """Take the lock if nobody has it; whether it is ours.

        Raises ``OSError``, ``sqlalchemy.exc.SQLAlchemyError``.
        """
        with self._one_at_a_time:
            if self._released:
                return False
            if self._file is not None:
                return self._file.acquire()
            if self._connection is not None:
                try:
                    self._connection.execute(text("SELECT 1"))
                    return True
                except SQLAlchemyError:  # PostgreSQL has let go of it with the connection
                    self._drop()
            return self._take()

    def release(self) -> None:
        """Let go, for good: one that is still being asked for is not taken any more."""
        with self._one_at_a_time:
            self._released = True
            if self._file is not None:
                self._file.release()
            if self._connection is not None:
                with suppress(SQLAlchemyError):
                    self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
                self._drop()

    def _take(self) -> bool:
        engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
        connection = engine.connect()
        query = text("SELECT pg_try_advisory_lock(:key)")
        if connection.execute(query, {"key": _KEY}).scalar_one():
            self._connection = connection
            return True
        connection.close()
        return False

    def _drop(self) -> None:
        if self._connection is not None:
            # Closed in truth, not given back to the pool, where it would hold on to the lock.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
