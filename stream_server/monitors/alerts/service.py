"""The alerts of a server: what is set up, what is to be delivered, and who delivers it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from stream_server.addresses import AllowedHosts
from stream_server.database import Database
from stream_server.languages import worded
from stream_server.monitors.alerts.courier import Courier
from stream_server.monitors.alerts.dispatcher import Dispatcher
from stream_server.monitors.alerts.http_sender import HttpSender
from stream_server.monitors.alerts.mail import MailSender
from stream_server.monitors.alerts.message import TEST, payload
from stream_server.monitors.alerts.outbox import Outbox, enqueue
from stream_server.monitors.alerts.outcome import AttemptResult, Outcome
from stream_server.monitors.alerts.schedule import Schedule
from stream_server.monitors.alerts.webhooks import WebhookTable
from stream_server.monitors.described import described_incident
from stream_server.monitors.store.incidents import Change
from stream_server.monitors.store.tables import Incident
from stream_server.monitors.store.webhook_tables import Webhook
from stream_server.problem import ProblemError
from stream_server.settings import Settings

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}


class Alerts:
    """Delivers once ``start`` has handed it a database, which it does not close.

    ``observe`` is told what came of each attempt, for metrics.
    """

    def __init__(
        self,
        settings: Settings,
        schedule: Schedule | None = None,
        observe: Callable[[AttemptResult], None] = lambda result: None,
    ) -> None:
        self.allowed = AllowedHosts.parse(settings.monitor_hosts)
        self.mail = MailSender(settings)
        self._schedule = schedule
        self._observe = observe
        self._courier = Courier(HttpSender(self.allowed), self.mail, _base(settings))
        self._webhooks: WebhookTable | None = None
        self._outbox: Outbox | None = None
        self._dispatcher: Dispatcher | None = None
        self._stopped = False

    @property
    def webhooks(self) -> WebhookTable:
        """The table. Raises ``ProblemError`` (503) while there is no database."""
        return self._webhooks or _away()

    @property
    def outbox(self) -> Outbox:
        """The table of deliveries. Raises ``ProblemError`` (503) while there is no database."""
        return self._outbox or _away()

    async def start(self, database: Database) -> None:
        """Deliver from now on, first what an earlier run has left."""
        if self._stopped:
            return
        self._webhooks = WebhookTable(database)
        self._outbox = Outbox(database, self._schedule)
        self._dispatcher = Dispatcher(self._outbox, self._courier, self._observe)
        self._dispatcher.start()

    async def stop(self) -> None:
        """Leave off; the next run goes on with it."""
        self._stopped = True
        if self._dispatcher:
            await self._dispatcher.stop()
        await self._courier.close()

    async def test(self, webhook: Webhook) -> Outcome:
        """Send something to it at once, once."""
        message = f"msg_{secrets.token_hex(16)}"
        body = payload(TEST, time.time(), {"webhook": webhook.id})
        return await self._courier.carry(webhook, message, body)


def tell_of_incident(session: Session, incident: Incident, change: Change) -> None:
    """The hook of ``store.incidents``: what webhooks are told of ``incident``."""
    data = described_incident(incident)
    if change == "opened":
        data["closed_at"] = None  # it may be closed already, which is told apart
    happened = incident.opened_at if change == "opened" else incident.closed_at
    enqueue(session, f"incident.{change}", incident.id, happened or time.time(), data)


def _away() -> Any:
    raise ProblemError(503, worded("the monitors' database is not there; see the log"))


def _base(settings: Settings) -> str:
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = _WILDCARDS.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{settings.port}"
