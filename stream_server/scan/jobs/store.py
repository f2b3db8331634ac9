"""Where the scans of a server are kept, so that a killed one loses none of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Text, delete, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from stream_server.database import Database

MAX_ATTEMPTS = 3
OPEN = ("queued", "running")


class _Base(DeclarativeBase):
    pass


class Scan(_Base):
    """One upload and what became of it. Times are Unix seconds.

    ``status``: queued, running, done, failed (the file is unusable) or cancelled. ``attempts``
    counts the times that an analysis began and the process went away.
    """

    __tablename__ = "scans"

    id: Mapped[str] = mapped_column(primary_key=True)
    file: Mapped[str]
    size: Mapped[int]
    window: Mapped[str]
    keep: Mapped[bool]
    status: Mapped[str] = mapped_column(index=True, default="queued")
    created: Mapped[float] = mapped_column(index=True, default=time.time)
    started: Mapped[float | None] = mapped_column(default=None)
    finished: Mapped[float | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    verdict: Mapped[str | None] = mapped_column(default=None)
    probability: Mapped[float | None] = mapped_column(default=None)
    detail: Mapped[str | None] = mapped_column(default=None)
    report: Mapped[str | None] = mapped_column(Text, default=None, deferred=True)
    page: Mapped[str | None] = mapped_column(Text, default=None, deferred=True)


class ScanStore:
    """The table of scans behind ``url`` (SQLAlchemy's form). Blocking; call it from threads.

    Raises ``sqlalchemy.exc.SQLAlchemyError`` for a database that cannot be opened or is full.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        with self._database.schema() as connection:
            _Base.metadata.create_all(connection)

    def close(self) -> None:
        """Close the database's connections."""
        self._database.close()

    def add(self, scan: Scan) -> None:
        """Append to the queue. When this returns, the scan survives a power cut."""
        with self._database.write() as session:
            session.add(scan)

    def get(self, scan_id: str) -> Scan | None:
        """One scan without its report and page."""
        with self._database.read() as session:
            return session.get(Scan, scan_id)

    def all(self, limit: int = 500) -> Sequence[Scan]:
        """The newest scans first."""
        with self._database.read() as session:
            return session.scalars(
                select(Scan).order_by(Scan.created.desc(), Scan.id).limit(limit)
            ).all()

    def report(self, scan_id: str) -> str | None:
        """The JSON report."""
        with self._database.read() as session:
            return session.scalar(select(Scan.report).where(Scan.id == scan_id))

    def page(self, scan_id: str) -> str | None:
        """The HTML report."""
        with self._database.read() as session:
            return session.scalar(select(Scan.page).where(Scan.id == scan_id))

    def waiting(self) -> int:
        """How many are queued or running."""
        with self._database.read() as session:
            found = session.scalar(
                select(func.count()).select_from(Scan).where(Scan.status.in_(OPEN))
            )
            return int(found or 0)

    def ahead_of(self, scan: Scan) -> int:
        """How many come before ``scan``."""
        earlier = select(func.count()).select_from(Scan).where(Scan.status.in_(OPEN))
        with self._database.read() as session:
            return int(session.scalar(earlier.where(Scan.created < scan.created)) or 0)

    def recover(self) -> list[str]:
        """Queue again what was running when the last process went away.

        What has taken the process with it ``MAX_ATTEMPTS`` times is given up; returns those ids.
        """
        hopeless = (Scan.status == "running") & (Scan.attempts >= MAX_ATTEMPTS)
        with self._database.write() as session:
            given_up = list(session.scalars(select(Scan.id).where(hopeless)))
            session.execute(
                update(Scan)
                .where(hopeless)
                .values(
                    status="failed",
                    finished=time.time(),
                    detail=f"the server went away {MAX_ATTEMPTS} times while it analysed this file",
                )
            )
            session.execute(update(Scan).where(Scan.status == "running").values(status="queued"))
        return given_up

    def claim(self) -> Scan | None:
        """Take the oldest queued scan; it is running from then on."""
        with self._database.write() as session:
            scan = session.scalar(
                select(Scan).where(Scan.status == "queued").order_by(Scan.created, Scan.id).limit(1)
            )
            if scan is not None:
                scan.status, scan.started = "running", time.time()
                scan.attempts += 1
            return scan

    def put_back(self, scan_id: str) -> None:
        """Queue a running scan again, because the server stops in good order."""
        with self._database.write() as session:
            session.execute(
                update(Scan)
                .where(Scan.id == scan_id, Scan.status == "running")
                .values(status="queued", attempts=Scan.attempts - 1)
            )

    def finish(self, scan_id: str, status: str, **values: Any) -> bool:
        """Close a scan that is still open; whether it was."""
        with self._database.write() as session:
            result = session.execute(
                update(Scan)
                .where(Scan.id == scan_id, Scan.status.in_(OPEN))
                .values(status=status, finished=time.time(), **values)
            )
            return bool(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one

    def remove(self, scan_id: str) -> None:
        """Forget a scan."""
        with self._database.write() as session:
            session.execute(delete(Scan).where(Scan.id == scan_id))

    def expire(self, before: float) -> list[str]:
        """Forget what was finished before that time; returns the ids."""
        old = (Scan.finished.is_not(None)) & (Scan.finished < before)
        with self._database.write() as session:
            found = list(session.scalars(select(Scan.id).where(old)))
            session.execute(delete(Scan).where(old))
        return found

    def ids(self) -> set[str]:
        """All ids."""
        with self._database.read() as session:
            return set(session.scalars(select(Scan.id)))
