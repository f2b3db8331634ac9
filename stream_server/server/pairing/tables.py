"""The tables of pairing. Times are Unix seconds by the database's clock.

Who reads them learns no token, no ticket and no digits: of tokens, tickets and ids there are
hashes, and digits are hashed with the id, which is with the browser alone.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Double, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HOLDER_LENGTH = 12


class Base(DeclarativeBase):
    """All tables of pairing."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double, str: Text}


class Paired(Base):
    """A browser, or a program without an ``origin``, that holds a token.

    ``seen`` is when it last used it, to the hour.
    """

    __tablename__ = "pairings"

    token: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str]
    made: Mapped[float]
    seen: Mapped[float]

    @property
    def holder(self) -> str:
        """What stands for the token elsewhere."""
        return self.token[:HOLDER_LENGTH]


class Asked(Base):
    """Digits that were shown to somebody and are waited for. ``wrong`` counts the wrong tries;
    once ``over`` it is kept for that count alone. ``allowed``: it was let in at the server's own
    page, and digits are needed no more."""

    __tablename__ = "pairing_digits"

    id: Mapped[str] = mapped_column(primary_key=True)
    digits: Mapped[str]
    origin: Mapped[str]
    made: Mapped[float]
    wrong: Mapped[int] = mapped_column(default=0)
    over: Mapped[bool] = mapped_column(default=False)
    allowed: Mapped[bool] = mapped_column(default=False)


class Ticket(Base):
    """A ticket that was given out and not used yet."""

    __tablename__ = "session_tickets"

    ticket: Mapped[str] = mapped_column(primary_key=True)
    made: Mapped[float]
