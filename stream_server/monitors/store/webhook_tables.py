"""The tables of webhooks and of what is to be delivered to them. Times are Unix seconds."""

from __future__ import annotations

import time

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from stream_server.monitors.store.tables import Base


class Webhook(Base):
    """A receiver of alerts.

    ``kind``: standard, slack, mattermost, discord or email. ``url`` is whole, secrets included;
    that of an e-mail is ``mailto:ADDRESS``. ``events`` are the types that it asks for, all if there
    are none. Until ``old_secret_until`` both secrets sign. ``reason`` says why it is not
    ``enabled`` where no person has switched it off. While one server is at it, until
    ``leased_until`` at most, others leave it alone.
    """

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(JSON, default=list)
    secret: Mapped[str]
    old_secret: Mapped[str | None] = mapped_column(default=None)
    old_secret_until: Mapped[float | None] = mapped_column(default=None)
    enabled: Mapped[bool] = mapped_column(default=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[float] = mapped_column(default=time.time)
    delivered_at: Mapped[float | None] = mapped_column(default=None)
    failing_since: Mapped[float | None] = mapped_column(default=None)
    last_error: Mapped[str] = mapped_column(Text, default="")
    leased_until: Mapped[float] = mapped_column(default=0.0)


class Delivery(Base):
    """One message for one webhook; ``id`` says in which order they go out.

    ``state``: pending, delivered or dead, which is given up. ``message`` is the ``webhook-id``,
    ``payload`` the body of a standard webhook, of which the others are made. ``aside``: it waits
    for its next attempt without holding up those behind it.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook", "message"),
        Index("ix_webhook_deliveries_state", "state", "webhook", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    message: Mapped[str]
    type: Mapped[str]
    payload: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(default="pending")
    aside: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[float]
    created: Mapped[float] = mapped_column(default=time.time)
    finished: Mapped[float | None] = mapped_column(default=None)
    last_status: Mapped[int | None] = mapped_column(default=None)
    last_error: Mapped[str] = mapped_column(Text, default="")
