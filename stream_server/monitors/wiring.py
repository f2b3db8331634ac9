"""What a server's monitors are made of: its settings, its engine, and the sources there are."""

from __future__ import annotations

from stream_server.ingest.urls.source import SourceOptions, UrlSource
from stream_server.live import LiveStream
from stream_server.monitors.alerts.service import Alerts, tell_of_incident
from stream_server.monitors.service import MonitorService
from stream_server.monitors.source_check import check_source
from stream_server.monitors.store.tables import Monitor
from stream_server.protocol import MIN_WINDOW
from stream_server.server.services import Services
from stream_server.session import Send


def monitor_service(services: Services, alerts: Alerts) -> MonitorService:
    """The monitors of the server that ``services`` are shared by; ``alerts`` tell of them."""
    settings = services.settings

    async def check(url: str) -> None:
        await check_source(url, settings)

    def source(monitor: Monitor) -> UrlSource:
        return UrlSource(monitor.url, SourceOptions.chosen(settings, monitor.sample_hz))

    def live(send: Send, monitor: Monitor) -> LiveStream:
        # A window looks back over the same time at every rate.
        share = min(monitor.sample_hz / settings.sample_hz, 1.0)
        window = max(round(settings.window * share), MIN_WINDOW)
        return services.new_stream(send, window, monitor.sample_hz)

    return MonitorService(
        settings,
        services.stopping,
        check,
        source,
        live,
        hooks=(tell_of_incident,),
        opened=alerts.start,
    )
