"""The table of mistakes. Times are Unix seconds unless they are called seconds of a video."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, Double, LargeBinary, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of the list."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double, str: Text}


class Mistake(Base):
    """A verdict that a person says was wrong.

    ``verdict`` and ``probability`` are what was told, ``label`` is what the face is by that
    person: real or fake. ``from_s`` and ``to_s`` are seconds of the video where ``clock`` is media,
    Unix seconds where it is day. ``seen_at`` is when it was told, ``made`` when it was sent, by
    ``holder``, which stands for a token. ``extension``, ``server`` and ``models`` are those that
    judged.
    """

    __tablename__ = "mistakes"

    id: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    made: Mapped[float] = mapped_column(index=True)
    verdict: Mapped[str]
    label: Mapped[str]
    probability: Mapped[float | None]
    note: Mapped[str]
    title: Mapped[str]
    site: Mapped[str]
    clock: Mapped[str]
    from_s: Mapped[float]
    to_s: Mapped[float]
    seen_at: Mapped[float]
    extension: Mapped[str]
    server: Mapped[str]
    models: Mapped[list[str]] = mapped_column(JSON)
    still_type: Mapped[str]
    still: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
