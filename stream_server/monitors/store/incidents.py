"""The table of incidents. Blocking; called from threads."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session, defer

from stream_server.database import Database
from stream_server.monitors.incidents import Stretch
from stream_server.monitors.store.monitors import still_watched
from stream_server.monitors.store.tables import Incident, Monitor, Picture

Change = Literal["opened", "closed"]
Filter = Literal["open", "closed", "new", "acknowledged", "wrong"]
FILTERS: tuple[str, ...] = get_args(Filter)

#: Called inside the transaction that opens or closes an incident, so that what it adds to the
#: session is written with it or not at all.
Hook = Callable[[Session, Incident, Change], None]

# With ``opened_at``: the clock may have been set.
_GROWS = (
    "opened_at",
    "media_end_s",
    "peak",
    "mean",
    "samples",
    "suspicious_at",
    "box",
    "members",
    "timeline",
)


class IncidentTable:
    """Incidents that outlive a run. Raises ``sqlalchemy.exc.SQLAlchemyError`` throughout."""

    def __init__(self, database: Database, hooks: Iterable[Hook] = ()) -> None:
        self._database = database
        self._hooks = tuple(hooks)

    def save(
        self, stretches: Iterable[Stretch], generation: int | None
    ) -> list[tuple[Incident, Change]]:
        """Write down incidents as they stand; returns those that were opened or closed by it.

        To write the same again changes nothing. ``generation`` is the watcher's: raises
        ``SupersededError`` where it is another's by now. ``None`` asks for no watcher.
        """
        changed: list[tuple[Incident, Change]] = []
        with self._database.write() as session:
            for stretch in stretches:
                if generation is not None:
                    still_watched(session, stretch.monitor, generation)
                changed += self._save(session, stretch)
            for incident, change in changed:
                for hook in self._hooks:
                    hook(session, incident, change)
        return changed

    def _save(self, session: Session, stretch: Stretch) -> list[tuple[Incident, Change]]:
        changed: list[tuple[Incident, Change]] = []
        values = {**asdict(stretch), "box": list(stretch.box), "closed_at": None}
        incident = session.get(Incident, stretch.id)
        if incident is None:
            monitor = session.get(Monitor, stretch.monitor)
            incident = Incident(**values, monitor_name=monitor.name if monitor else "")
            session.add(incident)
            session.flush()
            changed.append((incident, "opened"))
        elif incident.closed_at is not None:
            return []
        for name in _GROWS:
            setattr(incident, name, values[name])
        if stretch.closed_at is not None:
            incident.closed_at = stretch.closed_at
            changed.append((incident, "closed"))
        return changed

    def get(self, incident: str) -> Incident | None:
        """One by its id."""
        with self._database.read() as session:
            return session.get(Incident, incident)

    def open_of(self, monitor: str) -> list[Stretch]:
        """Those of ``monitor`` that are open, to go on with."""
        query = select(Incident).where(Incident.monitor == monitor, Incident.closed_at.is_(None))
        with self._database.read() as session:
            return [_stretch(incident) for incident in session.scalars(query)]

    def monitors_with_open(self) -> set[str]:
        """The monitors that have open incidents, whether or not they are still there."""
        with self._database.read() as session:
            return set(session.scalars(select(Incident.monitor).where(_in_state("open"))))

    def find(
        self,
        monitor: str | None = None,
        state: Filter | None = None,
        before: float = math.inf,
        before_id: str = "",
        limit: int = 1000,
    ) -> Sequence[Incident]:
        """The newest first, without their timelines; of those that opened at the same time by their
        id. ``before`` leaves out those that opened later, and of those that opened at that very
        time the ones up to ``before_id``, or all where none is given."""
        query = select(Incident).options(defer(Incident.timeline)).limit(limit)
        query = query.order_by(Incident.opened_at.desc(), Incident.id)
        if monitor is not None:
            query = query.where(Incident.monitor == monitor)
        if state is not None:
            query = query.where(_in_state(state))
        if before < math.inf:
            later = Incident.opened_at < before
            if before_id:
                later |= (Incident.opened_at == before) & (Incident.id > before_id)
            query = query.where(later)
        with self._database.read() as session:
            return session.scalars(query).all()

    def mark(self, incident: str, by: str, **values: Any) -> Incident | None:
        """Note what a person says of it: ``acknowledged``, ``wrong``, ``note``."""
        with self._database.write() as session:
            found = session.get(Incident, incident, with_for_update=True)
            if found is not None:
                for name, value in values.items():
                    setattr(found, name, value)
                found.marked_by, found.marked_at = by, time.time()
            return found

    def remove(self, incident: str) -> None:
        """Forget it, and what is kept of it."""
        with self._database.write() as session:
            session.execute(delete(Incident).where(Incident.id == incident))

    def keep_picture(self, incident: str, kind: str, media_type: str, data: bytes) -> None:
        """Keep a still, a clip or a heat map; one that is there already stays."""
        with self._database.write() as session:
            known = session.get(Incident, incident) is not None
            if known and session.get(Picture, (incident, kind)) is None:
                session.add(
                    Picture(
                        incident=incident,
                        kind=kind,
                        media_type=media_type,
                        size=len(data),
                        data=data,
                    )
                )

    def picture(self, incident: str, kind: str) -> tuple[str, bytes] | None:
        """Its media type and bytes."""
        query = select(Picture.media_type, Picture.data)
        query = query.where(Picture.incident == incident, Picture.kind == kind)
        with self._database.read() as session:
            row = session.execute(query).one_or_none()
            return None if row is None else (row[0], row[1])

    def pictures(self, incidents: Iterable[str]) -> dict[str, list[str]]:
        """The kinds of what is kept, by incident."""
        query = select(Picture.incident, Picture.kind).where(Picture.incident.in_(list(incidents)))
        found: dict[str, list[str]] = {}
        with self._database.read() as session:
            for incident, kind in session.execute(query.order_by(Picture.kind)):
                found.setdefault(incident, []).append(kind)
        return found

    def expire(self, before: float, picture_bytes: int) -> None:
        """Forget closed incidents that opened before that time, and the oldest pictures where all
        of them together are over ``picture_bytes``."""
        with self._database.write() as session:
            old = Incident.closed_at.is_not(None) & (Incident.opened_at < before)
            session.execute(delete(Incident).where(old))
            room = picture_bytes - int(session.scalar(select(func.sum(Picture.size))) or 0)
            if room >= 0:
                return
            oldest = select(Picture.incident, func.sum(Picture.size)).join(
                Incident, Incident.id == Picture.incident
            )
            oldest = oldest.group_by(Picture.incident, Incident.opened_at)
            for incident, size in session.execute(oldest.order_by(Incident.opened_at)).all():
                if room >= 0:
                    return
                session.execute(delete(Picture).where(Picture.incident == incident))
                room += int(size)


def _in_state(state: Filter) -> ColumnElement[bool]:
    if state == "open":
        return Incident.closed_at.is_(None)
    if state == "closed":
        return Incident.closed_at.is_not(None)
    if state == "wrong":
        return Incident.wrong.is_(True)
    return Incident.acknowledged.is_(state == "acknowledged")


def _stretch(incident: Incident) -> Stretch:
    left, top, width, height = incident.box
    return Stretch(
        id=incident.id,
        monitor=incident.monitor,
        track=incident.track,
        opened_at=incident.opened_at,
        media_start_s=incident.media_start_s,
        media_end_s=incident.media_end_s,
        peak=incident.peak,
        mean=incident.mean,
        samples=incident.samples,
        suspicious_at=incident.suspicious_at,
        box=(left, top, width, height),
        members=incident.members,
        timeline=tuple((at, probability) for at, probability in incident.timeline),
    )
