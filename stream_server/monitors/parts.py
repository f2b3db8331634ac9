"""What watching takes, in a server or in a process of its own: sources, analysis, tables."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from stream_server.database import Database
from stream_server.engine import Engine
from stream_server.ingest.push import PushPoints
from stream_server.ingest.urls.source import SourceOptions, UrlSource
from stream_server.live import LiveStream
from stream_server.monitors.alerts.service import tell_of_incident
from stream_server.monitors.guard import Guarded
from stream_server.monitors.incidents import Patience
from stream_server.monitors.source import PUSHED, Source
from stream_server.monitors.store.incidents import IncidentTable
from stream_server.monitors.store.monitors import MonitorTable, SupersededError
from stream_server.monitors.store.tables import Monitor
from stream_server.monitors.watch import MakeLive, Watch
from stream_server.server.services import Services
from stream_server.session import Send
from stream_server.settings import Settings
from stream_server.window_limits import MIN_WINDOW


@asynccontextmanager
async def watch_alone(settings: Settings, engine: Engine, monitor: str) -> AsyncIterator[Guarded]:
    """What watches one monitor in a process of its own, over the server's database."""
    services = Services(settings, secrets.token_urlsafe(), engine)
    database = Database(settings.database)
    monitors, incidents = MonitorTable(database), IncidentTable(database, (tell_of_incident,))
    patience = Patience(quiet=settings.incident_quiet, gap=settings.incident_gap)

    try:
        row = await asyncio.to_thread(monitors.get, monitor)
        if row is None:
            raise SupersededError(monitor)
        make = partial(
            Watch,
            row,
            sources(settings),
            streams(services),
            monitors,
            incidents,
            patience,
            lambda watch: None,
            lambda incident, change: None,
        )
        await services.start()
        yield Guarded(make, lambda watch: None)
    finally:
        await services.close()
        database.close()


def sources(settings: Settings, pushes: PushPoints | None = None) -> Callable[[Monitor], Source]:
    """What opens the source of a monitor; ``pushes`` are the server's, where it is one."""

    def source(monitor: Monitor) -> Source:
        if monitor.url == PUSHED and pushes is not None:
            return pushes.open(monitor.id)
        return UrlSource(monitor.url, SourceOptions.chosen(settings, monitor.sample_hz))

    return source


def streams(services: Services) -> MakeLive:
    """What makes the analysis of a monitor."""
    settings = services.settings

    def live(send: Send, monitor: Monitor) -> LiveStream:
        # A window looks back over the same time at every rate.
        share = min(monitor.sample_hz / settings.sample_hz, 1.0)
        window = max(round(settings.window * share), MIN_WINDOW)

        def heard(message: dict[str, Any]) -> None:
            if message["type"] == "verdict":
                services.metrics.observe_monitor(time.time() - message["captured_at"])
            send(message)

        return services.new_stream(heard, window, monitor.sample_hz)

    return live
