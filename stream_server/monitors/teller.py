"""Tells of monitors and incidents as they change, wherever they are watched."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from stream_server.monitors.described import described_incident, described_monitor
from stream_server.monitors.events import EventBus, EventName
from stream_server.monitors.status import Status
from stream_server.monitors.store.incidents import Change, IncidentTable
from stream_server.monitors.store.tables import Incident, Monitor
from stream_server.monitors.watch import Watch

_TELL = 0.5  # seconds between two events of a monitor whose state stays


class Teller:
    """``events`` has the listeners; ``status`` is how a monitor stands where that is known in this
    process. ``count`` is told of each incident that opens or closes, for metrics."""

    def __init__(
        self,
        status: Callable[[str], Status | None],
        count: Callable[[Change], None] = lambda change: None,
    ) -> None:
        self.events = EventBus()
        self._status = status
        self._count = count
        self._open_ones: set[str] | None = None
        self._said: dict[str, tuple[float, str]] = {}
        self._known: dict[str, dict[str, Any]] = {}

    def described(self, monitor: Monitor) -> dict[str, Any]:
        """As ``GET /v1/monitors/{id}`` gives it."""
        return described_monitor(monitor, self._status(monitor.id))

    def states(self) -> dict[str, int]:
        """How many monitors are in each state, as far as is known here."""
        return Counter(str(shown["state"]) for shown in self._known.values())

    def watch_changed(self, watch: Watch) -> None:
        """Tell how a monitor stands that is watched here; not every picture of it."""
        status, now = watch.status, time.monotonic()
        at, said = self._said.get(watch.monitor.id, (0.0, ""))
        saying = status.state + status.reason + watch.monitor.name
        if saying == said and now - at < _TELL:
            return
        self._said[watch.monitor.id] = (now, saying)
        self._tell(described_monitor(watch.monitor, status))

    def monitors(self, rows: Iterable[Monitor], watched_here: Callable[[str], bool]) -> None:
        """Tell of those that are not watched here and have changed: paused, new, gone, or another
        server's. ``rows`` are all there are."""
        there = {row.id: row for row in rows}
        for row in there.values():
            shown = self.described(row)
            if not watched_here(row.id) and self._known.get(row.id) != shown:
                self._tell(shown)
        for gone in [one for one in self._known if one not in there]:
            self.removed(gone)

    def removed(self, monitor: str) -> None:
        """Tell that there is no such monitor any more."""
        self._known.pop(monitor, None)
        self._said.pop(monitor, None)
        self.events.publish("monitor", {"id": monitor, "removed": True})

    def incident(self, incident: Incident, change: Change) -> None:
        """Tell that one was opened or closed."""
        name: EventName = "incident.opened" if change == "opened" else "incident.closed"
        self._count(change)
        self.events.publish(name, described_incident(incident))

    async def incidents_elsewhere(self, table: IncidentTable) -> None:
        """Tell of those that other processes have opened and closed since the last call."""
        rows = {one.id: one for one in await asyncio.to_thread(table.find, state="open")}
        before, self._open_ones = self._open_ones, set(rows)
        if before is None:
            return
        for opened in set(rows) - before:
            self.incident(rows[opened], "opened")
        for gone in before - set(rows):
            incident = await asyncio.to_thread(table.get, gone)
            if incident is not None:
                self.incident(incident, "closed")

    def _tell(self, shown: dict[str, Any]) -> None:
        self._known[shown["id"]] = shown
        self.events.publish("monitor", shown)
