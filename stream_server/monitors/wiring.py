"""What a server's monitors are made of: its settings, its engine, and the sources there are."""

from __future__ import annotations

from stream_server.monitors.alerts.service import Alerts, tell_of_incident
from stream_server.monitors.on_ray import WatchersOnRay
from stream_server.monitors.parts import sources, streams
from stream_server.monitors.service import MonitorService
from stream_server.monitors.source_check import check_source
from stream_server.server.services import Services


def monitor_service(services: Services, alerts: Alerts | None = None) -> MonitorService:
    """The monitors over what ``services`` share; ``alerts`` tell of them, where there are any.

    Raises ``SettingsError`` where they cannot be watched as the settings ask.
    """
    settings = services.settings

    async def check(url: str) -> None:
        await check_source(url, settings)

    service = MonitorService(
        settings,
        services.stopping,
        check,
        sources(settings, services.pushes),
        streams(services),
        hooks=() if alerts is None else (tell_of_incident,),
        opened=None if alerts is None else alerts.start,
        elsewhere=WatchersOnRay(settings) if settings.ray else None,
        count=services.metrics.incident,
    )
    services.metrics.watch(service.teller.states)
    return service
