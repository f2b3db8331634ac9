"""Monitors that are watched in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from stream_server.monitors.guard import Guarded
from stream_server.monitors.shown import Shown, shown
from stream_server.monitors.status import Status
from stream_server.monitors.store.tables import Monitor
from stream_server.monitors.watch import Watch


@dataclass
class _Watched:
    guarded: Guarded
    task: asyncio.Task[None]


class WatchersHere:
    """``make`` gives what watches a monitor; ``changed`` is told of a status that changed."""

    def __init__(self, make: Callable[[Monitor], Watch], changed: Callable[[Watch], None]) -> None:
        self._make = make
        self._changed = changed
        self._watched: dict[str, _Watched] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def align(self, wanted: Mapping[str, Monitor]) -> list[str]:
        """Watch these and no others; returns those that are watched no more."""
        stale = [one for one in self._watched if one not in wanted]
        await self.stop(*stale)
        for monitor in wanted.values():
            make = partial(self._make, monitor)
            if monitor.id in self._watched:
                self._rename(self._watched[monitor.id].guarded, monitor, make)
            else:
                guarded = Guarded(make, self._changed)
                self._watched[monitor.id] = _Watched(guarded, asyncio.create_task(guarded.run()))
        return stale

    async def stop(self, *monitors: str) -> None:
        """Leave off for good: what is open is closed."""
        for monitor in monitors:
            if (watch := self.watch(monitor)) is not None:
                watch.close_incidents()
        await self._end(*monitors)

    async def leave(self) -> None:
        """Leave off for now; incidents stay open for whoever goes on."""
        await self._end(*self._watched)
        await _over(self._ending)

    async def retry(self, monitor: str) -> None:
        """Forget one that is over, so that it is watched again."""
        watched = self._watched.get(monitor)
        if watched is not None and watched.task.done():
            del self._watched[monitor]

    def watch(self, monitor: str) -> Watch | None:
        """What watches it."""
        watched = self._watched.get(monitor)
        return None if watched is None else watched.guarded.watch

    def status(self, monitor: str) -> Status | None:
        """How it stands, if it is watched here."""
        watch = self.watch(monitor)
        return None if watch is None else watch.status

    async def picture(self, monitor: str, side: int) -> Shown | None:
        """The newest picture, of at most ``side`` pixels a side."""
        watch = self.watch(monitor)
        return None if watch is None else await asyncio.to_thread(shown, watch, side)

    async def timeline(self, monitor: str) -> list[list[float]]:
        """Pairs of Unix seconds and probability of the last minutes."""
        watch = self.watch(monitor)
        return [] if watch is None else watch.timeline.as_json()

    def _rename(self, guarded: Guarded, monitor: Monitor, make: Callable[[], Watch]) -> None:
        guarded.make = make
        before, guarded.watch.monitor = guarded.watch.monitor, monitor
        if monitor.name != before.name:
            self._changed(guarded.watch)

    async def _end(self, *monitors: str) -> None:
        tasks = {self._watched.pop(one).task for one in monitors if one in self._watched}
        for task in tasks:
            task.cancel()
        self._ending |= tasks
        await _over(tasks)
        self._ending -= tasks


async def _over(tasks: set[asyncio.Task[None]]) -> None:
    """Wait for tasks that were cancelled. Who waits may be cancelled as well, and that must not
    break off how they wind up: there are processes to be ended."""
    if tasks:
        await asyncio.wait(tasks)
