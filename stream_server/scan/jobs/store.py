"""Where the scans of a server are kept, so that a killed one loses none of them.

Servers that share the table see one another's scans, and work on those alone whose files they have.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Double, Text, delete, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, undefer

from stream_server.database import Database
from stream_server.languages.choice import DEFAULT
from stream_server.migrations import Chain, migrate

CHAIN = Chain(Path(__file__).parent / "migrations" / "versions", "scans_version")
MAX_ATTEMPTS = 3
OPEN = ("queued", "running")


class _Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double}


class Scan(_Base):
    """One upload and what became of it. Times are Unix seconds.

    ``status``: queued, running, done, failed (the file is unusable) or cancelled. ``attempts``
    counts the times that an analysis began and the process went away. ``place`` is where the file
    lies; ``share`` (0 to 1) and ``left_s`` are how far a running one was a moment ago.
    ``language`` is that of its ``page`` and ``detail``: whoever sent the file asked for it.
    """

    __tablename__ = "scans"

    id: Mapped[str] = mapped_column(primary_key=True)
    file: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
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
    place: Mapped[str] = mapped_column(default="", server_default="")
    share: Mapped[float | None] = mapped_column(default=None)
    left_s: Mapped[float | None] = mapped_column(default=None)
    language: Mapped[str] = mapped_column(default=DEFAULT, server_default=DEFAULT)


class ScanStore:
    """The table of scans behind ``url`` (SQLAlchemy's form), for a server whose uploads lie at
    ``place``. Blocking; call it from threads.

    Raises ``sqlalchemy.exc.SQLAlchemyError`` for a database that cannot be opened or is full, and
    ``alembic.util.CommandError`` for one of a later version.
    """

    def __init__(self, url: str, place: str = "") -> None:
        self._place = place
        self._database = Database(url)
        self.is_sqlite = self._database.is_sqlite
        try:
            migrate(self._database, CHAIN)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the database's connections."""
        self._database.close()

    def add(self, scan: Scan) -> None:
        """Append to the queue. When this returns, the scan survives a power cut."""
        scan.place = self._place
        with self._database.write() as session:
            session.add(scan)

    def take_in(self, other: ScanStore) -> None:
        """Take over the scans of another table, whose uploads lie here."""
        whole = (undefer(Scan.report), undefer(Scan.page))
        with other._database.read() as session:
            rows = session.scalars(select(Scan).options(*whole)).all()
        with self._database.write() as session:
            for row in rows:
                row.place = self._place
                session.merge(row)

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
        """How many are queued or running here."""
        own = Scan.status.in_(OPEN) & (Scan.place == self._place)
        with self._database.read() as session:
            return int(session.scalar(select(func.count()).select_from(Scan).where(own)) or 0)

    def ahead_of(self, scan: Scan) -> int:
        """How many come before ``scan``, where it is."""
        own = Scan.status.in_(OPEN) & (Scan.place == scan.place)
        earlier = select(func.count()).select_from(Scan).where(own)
        with self._database.read() as session:
            return int(session.scalar(earlier.where(Scan.created < scan.created)) or 0)

    def recover(self, uploads: Collection[str] = ()) -> list[str]:
        """Queue again what was running when the last process went away.

        What has taken the process with it ``MAX_ATTEMPTS`` times is given up; returns those ids.
        ``uploads`` are the files that lie here: servers of before did not say where.
        """
        running = (Scan.status == "running") & (Scan.place == self._place)
        hopeless = running & (Scan.attempts >= MAX_ATTEMPTS)
        with self._database.write() as session:
            ours = (Scan.place == "") & Scan.id.in_(uploads)
            session.execute(update(Scan).where(ours).values(place=self._place))
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
            session.execute(update(Scan).where(running).values(status="queued"))
        return given_up

    def claim(self) -> Scan | None:
        """Take the oldest queued scan of here; it is running from then on."""
        queued = (Scan.status == "queued") & (Scan.place == self._place)
        with self._database.write() as session:
            scan = session.scalar(
                select(Scan).where(queued).order_by(Scan.created, Scan.id).limit(1)
            )
            if scan is not None:
                scan.status, scan.started = "running", time.time()
                scan.share = scan.left_s = None
                scan.attempts += 1
            return scan

    def advance(self, scan_id: str, share: float | None, left_s: float | None) -> bool:
        """Tell the others how far it is. Whether it is still to go on: one of them may have
        cancelled it."""
        with self._database.write() as session:
            result = session.execute(
                update(Scan)
                .where(Scan.id == scan_id, Scan.status == "running")
                .values(share=share, left_s=left_s)
            )
            return bool(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one

    def is_elsewhere(self, scan: Scan) -> bool:
        """Whether another server has its file."""
        return scan.place != self._place

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
        """Forget what was finished before that time; returns the ids. What waits that long for
        another server waits in vain."""
        old = (Scan.finished.is_not(None)) & (Scan.finished < before)
        forlorn = Scan.status.in_(OPEN) & (Scan.place != self._place) & (Scan.created < before)
        with self._database.write() as session:
            session.execute(
                update(Scan)
                .where(forlorn)
                .values(
                    status="failed",
                    finished=time.time(),
                    detail="the server that has this file did not come back",
                )
            )
            found = list(session.scalars(select(Scan.id).where(old)))
            session.execute(delete(Scan).where(old))
        return found

    def needed(self) -> set[str]:
        """Those whose files are to stay."""
        with self._database.read() as session:
            return set(session.scalars(select(Scan.id).where(Scan.status.in_(OPEN) | Scan.keep)))
