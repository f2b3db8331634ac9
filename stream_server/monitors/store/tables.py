"""The tables. Times are Unix seconds; what ``migrations`` builds is what stands here."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from sqlalchemy import JSON, Double, ForeignKey, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of the monitors' database; constraints have names, so that they can be changed."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Monitor(Base):
    """A live stream that is watched.

    ``url`` is whole, credentials included: what is shown anywhere goes through
    ``redaction.without_secrets``. ``generation`` counts those who took the monitor over; what an
    earlier one still writes is refused. ``state`` to ``seen_at`` are its watcher's last words.
    """

    __tablename__ = "monitors"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    url: Mapped[str] = mapped_column(Text)
    sample_hz: Mapped[float]
    evidence: Mapped[bool] = mapped_column(default=False)
    paused: Mapped[bool] = mapped_column(default=False)
    created: Mapped[float] = mapped_column(default=time.time)
    generation: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="connecting")
    reason: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[float] = mapped_column(default=time.time)
    lag_s: Mapped[float | None] = mapped_column(default=None)
    faces: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    seen_at: Mapped[float | None] = mapped_column(default=None)


class Incident(Base):
    """A suspicious stretch of one face.

    ``opened_at`` and ``closed_at`` are when it began and ended by the clock, ``media_start_s`` and
    ``media_end_s`` by the stream's own time; ``closed_at`` is null while it is open. ``peak`` and
    ``mean`` are of its ``samples`` probabilities so far, ``members`` the votes at the peak.
    ``suspicious_at`` is when it was last suspicious, ``box`` where the face was then, in fractions
    of the picture. ``timeline`` holds pairs of a time by the clock and the highest probability
    around it. ``marked_by`` and ``marked_at`` are of the last ``acknowledged``, ``wrong`` or
    ``note``. It outlives its monitor, whose name it keeps.
    """

    __tablename__ = "incidents"

    id: Mapped[str] = mapped_column(primary_key=True)
    monitor: Mapped[str] = mapped_column(index=True)
    track: Mapped[int]
    opened_at: Mapped[float] = mapped_column(index=True)
    closed_at: Mapped[float | None] = mapped_column(index=True, default=None)
    media_start_s: Mapped[float]
    media_end_s: Mapped[float]
    peak: Mapped[float]
    mean: Mapped[float]
    verdict: Mapped[str] = mapped_column(default="likely_fake")
    members: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    acknowledged: Mapped[bool] = mapped_column(default=False)
    wrong: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(Text, default="")
    monitor_name: Mapped[str] = mapped_column(default="")
    timeline: Mapped[list[list[float]]] = mapped_column(JSON, default=list)
    marked_by: Mapped[str | None] = mapped_column(default=None)
    marked_at: Mapped[float | None] = mapped_column(default=None)
    samples: Mapped[int] = mapped_column(default=1)
    suspicious_at: Mapped[float]
    box: Mapped[list[float]] = mapped_column(JSON)


class Picture(Base):
    """A still, a clip or a heat map of an incident (``kind``), kept where evidence was asked for.

    They lie in the database so that every server that shares it has them.
    """

    __tablename__ = "incident_pictures"

    incident: Mapped[str] = mapped_column(
        ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    size: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
