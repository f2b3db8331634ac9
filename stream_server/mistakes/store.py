"""The list of mistakes in its database. Blocking; called from threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import defer

from stream_server.database import Database, DatabaseAddressError, shared_address
from stream_server.migrations import Chain, migrate
from stream_server.mistakes.tables import Mistake
from stream_server.problem import ProblemError
from stream_server.settings import Settings

CHAIN = Chain(Path(__file__).parent / "migrations" / "versions", "mistakes_version")
MOST_AN_HOUR = 60
"""Mistakes that one token may send in an hour: a person who writes notes does not reach it."""
_HOUR = 3600.0
_PAGE = 1000  # mistakes that are read at once


class MistakeList:
    """Opens its database at the first use. Raises ``sqlalchemy.exc.SQLAlchemyError`` throughout,
    and ``ProblemError`` (503) where the database cannot be opened for another reason."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opening = threading.Lock()
        self._database: Database | None = None

    def add(self, mistake: Mistake, limit: int) -> None:
        """Put ``mistake`` on the list; ``made`` is filled in.

        Raises ``ProblemError``: 429 where its holder has sent ``MOST_AN_HOUR`` within the hour,
        507 where there are ``limit`` already.
        """
        database = self._opened()
        with database.write() as session:
            now = database.now(session)
            lately = select(Mistake.made).where(
                Mistake.holder == mistake.holder, Mistake.made > now - _HOUR
            )
            times = list(session.scalars(lately.order_by(Mistake.made)))
            if len(times) >= MOST_AN_HOUR:
                wait = max(1, round(times[-MOST_AN_HOUR] + _HOUR - now))
                raise ProblemError(
                    429,
                    f"{len(times)} mistakes came from this browser within an hour; the limit is"
                    f" {MOST_AN_HOUR}",
                    {"Retry-After": str(wait)},
                )
            known = session.scalar(select(func.count()).select_from(Mistake)) or 0
            if known >= limit:
                raise ProblemError(
                    507,
                    f"there are {known} mistakes on the list; the limit is {limit}"
                    " (FAKELIGHT_MAX_MISTAKES). Export them and delete some",
                )
            mistake.made = now
            session.add(mistake)

    def find(self, before_id: str = "", limit: int = _PAGE) -> Sequence[Mistake]:
        """The newest first, without their stills; after the one with ``before_id``, if given.

        Raises ``ProblemError`` (404) where that one is not on the list.
        """
        last = self.get(before_id) if before_id else None
        if before_id and last is None:
            raise ProblemError(404, f"before_id: there is no mistake {before_id[:40]!r}")
        return self._after(last, limit)

    def all(self) -> Iterator[Mistake]:
        """Every one, the newest first, without stills; some may be deleted meanwhile."""
        rows = self._after(None, _PAGE)
        while rows:
            yield from rows
            rows = self._after(rows[-1], _PAGE)

    def _after(self, last: Mistake | None, limit: int) -> Sequence[Mistake]:
        query = select(Mistake).options(defer(Mistake.still)).limit(limit)
        if last is not None:
            same = (Mistake.made == last.made) & (Mistake.id > last.id)
            query = query.where((Mistake.made < last.made) | same)
        with self._opened().read() as session:
            return session.scalars(query.order_by(Mistake.made.desc(), Mistake.id)).all()

    def get(self, mistake: str) -> Mistake | None:
        """One by its id, without its still."""
        with self._opened().read() as session:
            return session.get(Mistake, mistake)

    def still(self, mistake: str) -> tuple[str, bytes] | None:
        """Its media type and bytes."""
        query = select(Mistake.still_type, Mistake.still).where(Mistake.id == mistake)
        with self._opened().read() as session:
            row = session.execute(query).one_or_none()
            return None if row is None or row[1] is None else (row[0], row[1])

    def remove(self, mistake: str, holder: str | None = None) -> bool:
        """Forget it and its still; whether there was one, of ``holder``'s where that is given."""
        query = delete(Mistake).where(Mistake.id == mistake)
        if holder is not None:
            query = query.where(Mistake.holder == holder)
        with self._opened().write() as session:
            found = session.execute(query)
            return bool(found.rowcount)  # type: ignore[attr-defined]  # a DELETE has one

    def close(self) -> None:
        """Let go of the database."""
        if self._database is not None:
            self._database.close()

    def _opened(self) -> Database:
        with self._opening:
            if self._database is None:
                try:
                    self._database = _open(self._settings)
                except (OSError, CommandError, DatabaseAddressError) as error:
                    said = f"the list of mistakes cannot be opened: {error}"
                    raise ProblemError(503, said) from None
            return self._database


def _open(settings: Settings) -> Database:
    database = Database(shared_address(settings))
    try:
        migrate(database, CHAIN)
    except BaseException:
        database.close()
        raise
    return database
