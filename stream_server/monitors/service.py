"""All monitors of a server: which there are, which are watched here, and what they come to.

What a person wants is written down first; then one loop brings what is watched in line with it. So
it is all the same whether a monitor was added here, by another server or before a restart.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from stream_server.database import Database, DatabaseAddressError
from stream_server.languages import worded
from stream_server.monitors.here import WatchersHere
from stream_server.monitors.incidents import Patience
from stream_server.monitors.shown import Shown
from stream_server.monitors.source import Source
from stream_server.monitors.status import Status
from stream_server.monitors.storage import Storage
from stream_server.monitors.store.incidents import Change, Hook, IncidentTable
from stream_server.monitors.store.monitors import FullError, MonitorTable, SupersededError
from stream_server.monitors.store.tables import Monitor
from stream_server.monitors.teller import Teller
from stream_server.monitors.watch import MakeLive, Watch
from stream_server.problem import ProblemError
from stream_server.ray_cluster import ClusterError
from stream_server.settings import Settings

_log = logging.getLogger(__name__)
_LOOK = 1.0  # seconds between two looks at what is wanted
_TIDY = 3600.0


class Watchers(Protocol):
    """Those who watch, wherever they are: see ``WatchersHere``, which is one."""

    async def align(self, wanted: Mapping[str, Monitor]) -> list[str]: ...

    async def stop(self, *monitors: str) -> None: ...

    async def leave(self) -> None: ...

    async def retry(self, monitor: str) -> None: ...

    def status(self, monitor: str) -> Status | None: ...

    async def picture(self, monitor: str, side: int) -> Shown | None: ...

    async def timeline(self, monitor: str) -> list[list[float]]: ...


class MonitorService:
    """``check`` refuses an address at once, ``source`` opens a monitor's source, ``live`` makes its
    analysis, ``hooks`` are called in the transactions that open and close incidents, ``opened``
    once the database is open. ``stopping`` is set when the server is about to stop.
    ``elsewhere`` are those who watch where it is not this process. ``count`` is told of each
    incident that opens or closes."""

    def __init__(
        self,
        settings: Settings,
        stopping: asyncio.Event,
        check: Callable[[str], Awaitable[None]],
        source: Callable[[Monitor], Source],
        live: MakeLive,
        hooks: Iterable[Hook] = (),
        opened: Callable[[Database], Awaitable[None]] | None = None,
        elsewhere: Watchers | None = None,
        count: Callable[[Change], None] = lambda change: None,
    ) -> None:
        self.settings = settings
        self.check = check
        self.teller = Teller(lambda monitor: self.watchers.status(monitor), count)
        self.events = self.teller.events
        self._stopping = stopping
        self._source = source
        self._live = live
        self._storage = Storage(settings, hooks, opened)
        here = WatchersHere(self._watch, self.teller.watch_changed)
        self.watchers: Watchers = elsewhere or here
        self._here = elsewhere is None
        self._ours = False
        self._settled = False  # nothing is open of a monitor that is not to be watched
        self._given_up = 0  # how many monitors were paused or removed
        self._woken = asyncio.Event()
        # Who is to be watched is read and then done: nobody is paused or removed in between.
        self._aligning = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._tidied = -_TIDY
        self._patience = Patience(quiet=settings.incident_quiet, gap=settings.incident_gap)

    @property
    def monitors(self) -> MonitorTable:
        """The table. Raises ``ProblemError`` (503) while the database is away."""
        return self._storage.monitors

    @property
    def incidents(self) -> IncidentTable:
        """The table. Raises ``ProblemError`` (503) while the database is away."""
        return self._storage.incidents

    async def start(self) -> None:
        """Open the database, or go on trying, and watch what was watched before."""
        # What cannot be opened takes no live stream and no scan with it; ``_run`` says why.
        with suppress(SQLAlchemyError, OSError, CommandError, DatabaseAddressError):
            await self._storage.open()
        self._tasks = [asyncio.create_task(part) for part in (self._run(), self._say_goodbye())]

    async def stop(self) -> None:
        """Leave off; incidents stay open for the next run, which goes on with them."""
        self.events.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.watchers.leave()
        await self._storage.close()

    async def create(self, url: str, name: str, sample_hz: float, evidence: bool) -> Monitor:
        """Keep a new monitor and begin to watch it. Raises ``ProblemError`` (429) at the limit."""
        monitor = Monitor(
            id=secrets.token_urlsafe(9),
            name=name,
            url=url,
            sample_hz=sample_hz,
            evidence=evidence,
            paused=False,
            created=time.time(),
            generation=0,
            state="connecting",
            reason="",
            since=time.time(),
            faces=[],
        )
        limit = self.settings.max_monitors
        try:
            await asyncio.to_thread(self.monitors.add, monitor, limit)
        except FullError:
            raise ProblemError(
                429,
                worded(
                    "there are {count} monitors, which is the limit (FAKELIGHT_MAX_MONITORS)",
                    count=limit,
                ),
            ) from None
        self._woken.set()
        return monitor

    async def change(self, monitor: Monitor, **values: Any) -> Monitor:
        """Pause, resume, rename. To resume one that has failed tries it again."""
        status: dict[str, Any] = {}
        if "paused" in values and values["paused"] != monitor.paused:
            state = "paused" if values["paused"] else "connecting"
            status = {"state": state, "reason": "", "since": time.time(), "faces": []}
            status["lag_s"] = None
        async with self._aligning:
            await asyncio.to_thread(self.monitors.change, monitor.id, **values, **status)
            if values.get("paused"):
                self._give_up()
                await self.watchers.stop(monitor.id)
        if values.get("paused"):
            await self._close_left(monitor.id)
            if status:  # the last word of its watcher was another
                await asyncio.to_thread(self.monitors.change, monitor.id, **status)
        elif values.get("paused") is False:
            await self.watchers.retry(monitor.id)
        changed = await asyncio.to_thread(self.monitors.get, monitor.id)
        self._woken.set()
        return changed or monitor

    async def remove(self, monitor: Monitor) -> None:
        """Stop to watch it and forget it; its incidents are closed and stay."""
        async with self._aligning:
            await self.watchers.stop(monitor.id)
            await asyncio.to_thread(self.monitors.remove, monitor.id)
            self._give_up()
        await self._close_left(monitor.id)
        self.teller.removed(monitor.id)

    def described(self, monitor: Monitor) -> dict[str, Any]:
        """As ``GET /v1/monitors/{id}`` gives it."""
        return self.teller.described(monitor)

    async def _say_goodbye(self) -> None:
        await self._stopping.wait()
        self.events.end()

    async def _run(self) -> None:
        troubled = False
        while True:
            self._woken.clear()
            try:
                await self._look()
                troubled = False
            except CommandError as error:
                _log.error("the monitors' database is of another version: %s", error)
                self._storage.trouble = f"it is of another version: {error}"
                return
            except DatabaseAddressError as error:
                _log.error("the monitors' database cannot be opened: %s", error)
                self._storage.trouble = str(error)
                return
            except (SQLAlchemyError, OSError) as error:
                if not troubled:  # once, not every second
                    _log.error("monitors wait for their database (%s)", type(error).__name__)
                troubled = True
            except ClusterError as error:
                if not troubled:
                    _log.error("monitors wait for their cluster: %s", error)
                troubled = True
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._woken.wait()

    async def _look(self) -> None:
        await self._storage.open()
        if self._ours != await self._storage.is_ours():
            self._ours = not self._ours
            self._settled = False
            if not self._ours:
                await self.watchers.leave()
        stale: set[str] = set()
        async with self._aligning:
            rows = {row.id: row for row in await asyncio.to_thread(self.monitors.all)}
            wanted = {row.id: row for row in rows.values() if not row.paused}
            if self._ours:
                stale = set(await self.watchers.align(wanted))
        if self._ours and (stale or not self._settled):
            await self._settle(stale, set(wanted))
        self.teller.monitors(rows.values(), self._is_watched_here)
        if not (self._ours and self._here):
            await self.teller.incidents_elsewhere(self.incidents)
        if time.monotonic() - self._tidied > _TIDY:
            self._tidied = time.monotonic()
            before = time.time() - self.settings.incident_days * 86400
            limit = self.settings.incident_bytes
            await asyncio.to_thread(self.incidents.expire, before, limit)

    def _watch(self, monitor: Monitor) -> Watch:
        return Watch(
            monitor,
            self._source,
            self._live,
            self.monitors,
            self.incidents,
            self._patience,
            self.teller.watch_changed,
            self.teller.incident,
        )

    def _is_watched_here(self, monitor: str) -> bool:
        return self._here and self.watchers.status(monitor) is not None

    def _give_up(self) -> None:
        """Nobody is to watch a monitor any more. The database may go away before what is open of it
        is closed; then it is closed when the database is back."""
        self._given_up += 1
        self._settled = False

    async def _settle(self, stale: set[str], wanted: set[str]) -> None:
        """Close what is open of monitors that nobody is to watch: of those that were watched until
        now, and of those that a killed server had stopped to watch and did not come to close."""
        self._settled = False
        before = self._given_up
        left = await asyncio.to_thread(self.incidents.monitors_with_open)
        for monitor in stale | (left - wanted):
            await self._close_left(monitor)
        self._settled = before == self._given_up

    async def _close_left(self, monitor: str) -> None:
        """Close what is open of a monitor that nobody watches any more."""
        with suppress(SupersededError):
            await asyncio.to_thread(self.monitors.take_over, monitor)  # nobody writes after this
        open_ones = await asyncio.to_thread(self.incidents.open_of, monitor)
        closed = [one.closed() for one in open_ones]
        for incident, change in await asyncio.to_thread(self.incidents.save, closed, None):
            self.teller.incident(incident, change)
