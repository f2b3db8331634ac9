"""The table of monitors. Blocking; called from threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from stream_server.database import Database
from stream_server.monitors.store.tables import Monitor


class FullError(Exception):
    """As many monitors as there may be."""


class SupersededError(Exception):
    """Another watcher has taken the monitor over, or it is gone: what was to be written is not."""


class MonitorTable:
    """Monitors that outlive a run. Raises ``sqlalchemy.exc.SQLAlchemyError`` throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, monitor: Monitor, limit: int) -> None:
        """Keep a new one. Raises ``FullError`` where there are ``limit`` already."""
        with self._database.write() as session:
            if (session.scalar(select(func.count()).select_from(Monitor)) or 0) >= limit:
                raise FullError
            session.add(monitor)

    def all(self) -> Sequence[Monitor]:
        """All of them, the oldest first."""
        with self._database.read() as session:
            return session.scalars(select(Monitor).order_by(Monitor.created, Monitor.id)).all()

    def get(self, monitor: str) -> Monitor | None:
        """One by its id."""
        with self._database.read() as session:
            return session.get(Monitor, monitor)

    def change(self, monitor: str, **values: Any) -> bool:
        """Change what a person may change; whether there is such a monitor."""
        with self._database.write() as session:
            found = session.execute(update(Monitor).where(Monitor.id == monitor).values(**values))
            return bool(found.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one

    def remove(self, monitor: str) -> None:
        """Forget it. Its incidents stay."""
        with self._database.write() as session:
            session.execute(delete(Monitor).where(Monitor.id == monitor))

    def take_over(self, monitor: str) -> int:
        """Become its watcher: the generation that this watcher writes under.

        Raises ``SupersededError`` where the monitor is gone.
        """
        with self._database.write() as session:
            found = session.get(Monitor, monitor, with_for_update=True)
            if found is None:
                raise SupersededError(monitor)
            found.generation += 1
            return found.generation

    def tell(self, monitor: str, generation: int, **status: Any) -> None:
        """Write down how it stands. Raises ``SupersededError``."""
        with self._database.write() as session:
            still_watched(session, monitor, generation)
            session.execute(update(Monitor).where(Monitor.id == monitor).values(**status))


def still_watched(session: Session, monitor: str, generation: int) -> None:
    """Hold the monitor until the transaction ends. Raises ``SupersededError``.

    Whoever takes it over waits for that, so that no write of a former watcher comes after it.
    """
    query = select(Monitor.generation).where(Monitor.id == monitor).with_for_update()
    if session.scalar(query) != generation:
        raise SupersededError(monitor)
