"""What is to be delivered: written down with what it tells of, and kept until it is delivered or
given up. Blocking; called from threads. Raises ``sqlalchemy.exc.SQLAlchemyError`` throughout.

The messages of one webhook go out in their order. One that waits for its next attempt holds up
those behind it as long as the receiver is not there: they would fare no better. One that the
receiver has turned down ``Schedule.patience`` times steps aside.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Integer, Select, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from stream_server.database import Database
from stream_server.monitors.alerts.message import message_id, payload
from stream_server.monitors.alerts.outcome import AttemptResult, Outcome
from stream_server.monitors.alerts.schedule import Schedule
from stream_server.monitors.store.webhook_tables import Delivery, Webhook

DeliveryState = Literal["pending", "delivered", "dead"]
DELIVERY_STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)
# Longer than the longest attempt: another server takes over what this one has died over.
_LEASE = 45.0
_HELD = {"key_share": True}  # what is written down for a webhook need not wait for who serves it
_PENDING = Delivery.state == "pending"


@dataclass(frozen=True)
class Job:
    """A delivery that is this server's for now, and where it goes."""

    delivery: Delivery
    webhook: Webhook


def enqueue(
    session: Session, event: str, subject: str, happened: float, data: Mapping[str, Any]
) -> None:
    """Add a message for every webhook that asks for ``event``, within the session's transaction.

    To add the same event of the same ``subject`` again changes nothing, whoever does it.
    """
    # Held until the transaction ends: none can go while something is written down for it.
    held = select(Webhook).where(Webhook.enabled).with_for_update(read=True, key_share=True)
    webhooks = session.scalars(held)
    now = time.time()
    rows = [
        {
            "webhook": webhook.id,
            "message": message_id(event, subject),
            "type": event,
            "payload": payload(event, happened, data),
            "state": "pending",
            "aside": False,
            "attempts": 0,
            "next_at": now,
            "created": now,
            "last_error": "",
        }
        for webhook in webhooks
        if not webhook.events or event in webhook.events
    ]
    if rows:
        dialect = session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        session.execute(insert(Delivery).on_conflict_do_nothing(), rows)


class Outbox:
    """The table of deliveries, as those who deliver see it."""

    def __init__(self, database: Database, schedule: Schedule | None = None) -> None:
        self._database = database
        self._schedule = schedule or Schedule()

    def forget_leases(self) -> None:
        """Take up at once what a killed server was at. An SQLite file belongs to one server; what
        several share may be another's, and its lease runs out by itself."""
        if self._database.is_sqlite:
            with self._database.write() as session:
                session.execute(update(Webhook).values(leased_until=0.0))

    def set_back(self, now: float) -> None:
        """The clock was set back to ``now``: what waits for a time by the clock of before would
        wait for as long again. It is due at once, which does no harm."""
        with self._database.write() as session:
            session.execute(
                update(Delivery).where(_PENDING, Delivery.next_at > now).values(next_at=now)
            )
            late = Webhook.leased_until > now + _LEASE
            session.execute(update(Webhook).where(late).values(leased_until=now + _LEASE))

    def due(self, now: float) -> Sequence[str]:
        """The webhooks that something can go to now."""
        with self._database.read() as session:
            return session.scalars(_ready(now).with_only_columns(Delivery.webhook).distinct()).all()

    def take(self, webhook: str, now: float) -> Job | None:
        """The webhook's next delivery that is due; until it is settled nobody else gets one."""
        with self._database.write() as session:
            held = session.get(Webhook, webhook, with_for_update=_HELD)
            query = _ready(now).where(Delivery.webhook == webhook).order_by(Delivery.id).limit(1)
            delivery = session.scalar(query)
            if held is None or delivery is None:
                return None
            held.leased_until = now + _LEASE
            return Job(delivery, held)

    def settle(self, job: Job, outcome: Outcome, now: float) -> AttemptResult:
        """Write down what became of an attempt."""
        with self._database.write() as session:
            webhook = session.get(Webhook, job.webhook.id, with_for_update=_HELD)
            delivery = session.get(Delivery, job.delivery.id)
            if webhook is None or delivery is None:
                return "delivered" if outcome.delivered else "dead"  # removed meanwhile
            webhook.leased_until = 0.0
            delivery.attempts += 1
            delivery.last_status, delivery.last_error = outcome.status, outcome.error
            webhook.last_error = outcome.error
            if outcome.delivered:
                delivery.state, delivery.finished = "delivered", now
                webhook.delivered_at, webhook.failing_since = now, None
                return "delivered"
            webhook.failing_since = webhook.failing_since or now
            if outcome.gone:
                webhook.enabled, webhook.reason = False, f"{outcome.error} (gone)"
                _give_up(session, webhook.id, outcome.error, now)
                return "dead"
            self._put_off(delivery, outcome, now)
            return "dead" if delivery.state == "dead" else "failed"

    def _put_off(self, delivery: Delivery, outcome: Outcome, now: float) -> None:
        delay = self._schedule.next_delay(delivery.attempts, outcome.retry_after)
        # What has waited behind others that failed for as long as it would have been tried itself
        # is tried once: a receiver that is away for weeks leaves no queue of weeks.
        if delay is None or now - delivery.created > self._schedule.span:
            delivery.state, delivery.finished = "dead", now
            return
        delivery.next_at = now + delay
        if outcome.turned_down and delivery.attempts >= self._schedule.patience:
            delivery.aside = True

    def release(self, job: Job) -> None:
        """Give back what was not tried to the end, because the server stops."""
        with self._database.write() as session:
            own = Webhook.id == job.webhook.id
            session.execute(update(Webhook).where(own).values(leased_until=0.0))

    def find(
        self, state: DeliveryState | None = None, webhook: str | None = None, limit: int = 500
    ) -> Sequence[Delivery]:
        """The newest first."""
        query = select(Delivery).order_by(Delivery.id.desc()).limit(limit)
        if state is not None:
            query = query.where(Delivery.state == state)
        if webhook is not None:
            query = query.where(Delivery.webhook == webhook)
        with self._database.read() as session:
            return session.scalars(query).all()

    def get(self, delivery: int) -> Delivery | None:
        """One by its id."""
        with self._database.read() as session:
            return session.get(Delivery, delivery)

    def waiting(self) -> dict[str, tuple[int, int]]:
        """By webhook, how many are pending and how many dead."""
        query = select(
            Delivery.webhook,
            func.sum((Delivery.state == "pending").cast(Integer)),
            func.sum((Delivery.state == "dead").cast(Integer)),
        ).group_by(Delivery.webhook)
        with self._database.read() as session:
            return {webhook: (int(a), int(b)) for webhook, a, b in session.execute(query)}

    def replay(self, now: float, delivery: int | None = None, webhook: str | None = None) -> int:
        """Make dead deliveries pending again: one, a webhook's, or all; returns how many.

        They go out in their order and hold up nothing else. Those of a webhook that is switched off
        wait until it is switched on.
        """
        chosen: ColumnElement[bool] = Delivery.state == "dead"
        if delivery is not None:
            chosen &= Delivery.id == delivery
        if webhook is not None:
            chosen &= Delivery.webhook == webhook
        with self._database.write() as session:
            found = session.execute(
                update(Delivery)
                .where(chosen)
                .values(
                    state="pending", aside=True, attempts=0, next_at=now, created=now, finished=None
                )
            )
            return int(found.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one

    def expire(self, before: float) -> None:
        """Forget what was delivered or given up before that time."""
        with self._database.write() as session:
            session.execute(
                delete(Delivery).where(Delivery.finished.is_not(None), Delivery.finished < before)
            )


def _ready(now: float) -> Select[Delivery]:
    first = select(func.min(Delivery.id)).where(_PENDING, ~Delivery.aside)
    return (
        select(Delivery)
        .join(Webhook, Webhook.id == Delivery.webhook)
        .where(Webhook.enabled, Webhook.leased_until <= now, _PENDING, Delivery.next_at <= now)
        .where(or_(Delivery.aside, Delivery.id.in_(first.group_by(Delivery.webhook))))
    )


def _give_up(session: Session, webhook: str, error: str, now: float) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.webhook == webhook, _PENDING)
        .values(state="dead", finished=now, last_error=error)
    )
