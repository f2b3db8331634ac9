"""Webhooks and messages for them, written straight into a database."""

from __future__ import annotations

import time

from stream_server.database import Database
from stream_server.monitors.alerts.outbox import enqueue
from stream_server.monitors.alerts.signature import new_secret
from stream_server.monitors.alerts.webhooks import WebhookTable, new_id
from stream_server.monitors.store.monitors import MonitorTable
from stream_server.monitors.store.tables import Monitor
from stream_server.monitors.store.webhook_tables import Webhook


def add_webhook(
    database: Database, url: str, *events: str, kind: str = "standard", enabled: bool = True
) -> Webhook:
    """A webhook that is set up."""
    made = Webhook(
        id=new_id(),
        name="",
        kind=kind,
        url=url,
        events=list(events),
        secret=new_secret(),
        enabled=enabled,
    )
    WebhookTable(database).add(made)
    return made


def add_message(database: Database, subject: str, event: str = "incident.opened") -> None:
    """Something to tell every webhook that asks for it."""
    data = {
        "id": subject,
        "monitor": "m1",
        "monitor_name": "Studio",
        "opened_at": 1_700_000_000.0,
        "closed_at": None,
        "peak": 0.9,
        "mean": 0.8,
    }
    with database.write() as session:
        enqueue(session, event, subject, time.time(), data)


def add_monitor(database: Database, monitor: str, name: str) -> None:
    """A monitor that nobody watches."""
    url = "http://source.example/live.m3u8"
    row = Monitor(id=monitor, name=name, url=url, sample_hz=10.0, paused=True)
    MonitorTable(database).add(row, 1000)
