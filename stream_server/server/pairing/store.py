"""What is kept of pairings, in one database for all servers that share it. Blocking; called from
threads.

What is found out and what is changed by it are one transaction, so that of two servers that are
asked at once one finds that the other was first.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session

from stream_server.database import Database
from stream_server.server.pairing.tables import Asked, Paired, Ticket

LIFETIME = 120.0  # seconds
TICKET_LIFETIME = 60.0  # seconds
TRIES = 5
OPEN_AT_ONCE = 8
# A guesser who asks for new digits after each five tries gets no further than this.
WRONG_AT_MOST = 50
WRONG_FOR = 600.0  # seconds
_TICKETS = 32
_HOUR = 3600.0
_LOCK = 0x66616B67  # any number that no other program takes a PostgreSQL advisory lock by

Begun = Literal["started", "busy", "guessed"]
Result = Literal["paired", "expired", "foreign", "wrong", "waiting"]


@dataclass(frozen=True)
class Answer:
    """What became of a browser that asked; ``tries_left`` where its digits were wrong."""

    result: Result
    tries_left: int = 0


class PairingStore:
    """Tokens, tickets, ids and digits come as hashes. ``clock`` gives the time within a
    transaction, the database's own if none is given.

    Raises ``sqlalchemy.exc.SQLAlchemyError`` throughout.
    """

    def __init__(self, database: Database, clock: Callable[[Session], float] | None = None) -> None:
        self._database = database
        self._now = clock or database.now

    def begin(self, asked: str, digits: str, origin: str) -> Begun:
        """Wait for ``digits``. Asking again replaces those of the same origin: a page must not
        collect pairings to guess at."""
        with self._database.write() as session:
            if not self._database.is_sqlite:  # or two servers would both be the eighth
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            now = self._now(session)
            session.execute(delete(Asked).where(_away(Asked.made, now, WRONG_FOR)))
            if (session.scalar(select(func.sum(Asked.wrong))) or 0) >= WRONG_AT_MOST:
                return "guessed"
            session.execute(
                update(Asked)
                .where((Asked.origin == origin) | _away(Asked.made, now, LIFETIME))
                .values(over=True)
            )
            session.execute(delete(Asked).where(Asked.over, Asked.wrong == 0))
            waiting = select(func.count()).select_from(Asked).where(~Asked.over)
            if (session.scalar(waiting) or 0) >= OPEN_AT_ONCE:
                return "busy"
            session.add(Asked(id=asked, digits=digits, origin=origin, made=now))
            return "started"

    def finish(self, asked: str, digits: str, origin: str, token: str) -> Answer:
        """Pair ``origin`` and ``token`` where the digits are right."""
        with self._database.write() as session:
            now = self._now(session)
            found = session.get(Asked, asked, with_for_update=True)
            if found is None or found.over or abs(now - found.made) >= LIFETIME:
                return Answer("expired")
            if found.origin != origin:
                return Answer("foreign")
            if not hmac.compare_digest(found.digits, digits):
                found.wrong += 1
                found.over = found.wrong >= TRIES
                return Answer("wrong", TRIES - found.wrong)
            session.delete(found)
            session.add(Paired(token=token, origin=origin, made=now, seen=now))
            return Answer("paired")

    def collect(self, asked: str, origin: str, token: str) -> Answer:
        """Pair ``origin`` and ``token`` where it was let in without digits."""
        with self._database.read() as session:  # asked for once a second: it writes once
            found = session.get(Asked, asked)
            if found is None or found.over or abs(self._now(session) - found.made) >= LIFETIME:
                return Answer("expired")
            if found.origin != origin:
                return Answer("foreign")
            if not found.allowed:
                return Answer("waiting")
        with self._database.write() as session:
            found = session.get(Asked, asked, with_for_update=True)
            if found is None or found.over:
                return Answer("expired")
            now = self._now(session)
            session.delete(found)
            session.add(Paired(token=token, origin=origin, made=now, seen=now))
            return Answer("paired")

    def waiting(self) -> Sequence[Asked]:
        """Those who wait to be let in, the latest first."""
        with self._database.read() as session:
            late = _away(Asked.made, self._now(session), LIFETIME)
            waiting = select(Asked).where(~Asked.over, ~Asked.allowed, ~late)
            return session.scalars(waiting.order_by(Asked.made.desc(), Asked.id)).all()

    def allow(self, asked: str) -> bool:
        """Let in who waits, without digits. Whether there is such a one."""
        with self._database.write() as session:
            found = session.get(Asked, asked, with_for_update=True)
            if found is None or found.over or abs(self._now(session) - found.made) >= LIFETIME:
                return False
            found.allowed = True
            return True

    def adopt(self, former: dict[str, str], since: float) -> None:
        """Take over pairings (token to origin) that were kept elsewhere."""
        with self._database.write() as session:
            known = set(session.scalars(select(Paired.token)))
            for token, origin in former.items():
                if token not in known:
                    session.add(Paired(token=token, origin=origin, made=since, seen=since))

    def find(self, token: str) -> Paired | None:
        """Who holds it. That it was used is written down, once an hour."""
        with self._database.read() as session:
            found = session.get(Paired, token)
            now = 0.0 if found is None else self._now(session)
        if found is not None and abs(now - found.seen) > _HOUR:
            # A full disk lets nobody new in, and keeps nobody out.
            with suppress(SQLAlchemyError), self._database.write() as session:
                session.execute(update(Paired).where(Paired.token == token).values(seen=now))
        return found

    def known(self, tokens: Collection[str]) -> set[str]:
        """Those of them that are paired."""
        with self._database.read() as session:
            return set(session.scalars(select(Paired.token).where(Paired.token.in_(tokens))))

    def all(self) -> Sequence[Paired]:
        """Everyone, the latest first."""
        with self._database.read() as session:
            return session.scalars(select(Paired).order_by(Paired.made.desc(), Paired.token)).all()

    def forget(self, beginning: str) -> int:
        """Unpair those whose token begins so; how many there were."""
        with self._database.write() as session:
            chosen = Paired.token.startswith(beginning, autoescape=True)
            found = session.execute(delete(Paired).where(chosen))
            return int(found.rowcount)  # type: ignore[attr-defined]  # a DELETE has one

    def issue(self, ticket: str) -> None:
        """Keep a ticket. Of more than 32 unused ones the oldest are forgotten."""
        with self._database.write() as session:
            now = self._now(session)
            session.execute(delete(Ticket).where(_away(Ticket.made, now, TICKET_LIFETIME)))
            spare = select(Ticket.ticket).order_by(Ticket.made.desc()).offset(_TICKETS - 1)
            session.execute(delete(Ticket).where(Ticket.ticket.in_(list(session.scalars(spare)))))
            session.add(Ticket(ticket=ticket, made=now))

    def redeem(self, ticket: str) -> bool:
        """Use a ticket up. Whether it was good."""
        with self._database.write() as session:
            found = session.get(Ticket, ticket, with_for_update=True)
            if found is None:
                return False
            session.delete(found)
            return abs(self._now(session) - found.made) < TICKET_LIFETIME


def _away(made: Mapped[float], now: float, seconds: float) -> ColumnElement[bool]:
    # In either direction: a clock that is set back must not make anything last longer.
    return (made <= now - seconds) | (made >= now + seconds)
