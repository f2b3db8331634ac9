"""``fakelight serve --ray``: each monitor an actor of its own on a Ray cluster.

An actor is detached and has a name: it goes on while the server is away, and the server finds it
again. Ray restarts it on another node when its node dies. What it knows lies in PostgreSQL, under
the generation that it took over; a node that is cut off and goes on writes under an older one,
which is refused.

Credentials are not sent: whatever is, can be read by everyone on the cluster. A node has
``FAKELIGHT_DATABASE`` in its own environment.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from stream_server import __version__, resources
from stream_server.engine.fingerprint import fingerprint
from stream_server.monitors.actor import MonitorActor
from stream_server.monitors.shown import Shown
from stream_server.monitors.status import Status
from stream_server.monitors.store.tables import Monitor
from stream_server.ray_cluster import join, short_error
from stream_server.settings import Settings, SettingsError

_log = logging.getLogger(__name__)
NAMESPACE = "fakelight"
_PATIENCE = 5.0  # seconds for an answer of an actor


class WatchersOnRay:
    """The same as ``WatchersHere``, on the cluster at ``settings.ray``.

    Raises ``SettingsError`` for a database that no node could share.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.database.startswith("postgres"):
            raise SettingsError(
                "with --ray, FAKELIGHT_DATABASE is the PostgreSQL that all nodes share"
            )
        self._settings = settings
        self._ray: Any = None
        self._actors: dict[str, Any] = {}
        self._starting: dict[Any, str] = {}
        self._failed: dict[str, Status] = {}

    async def align(self, wanted: Mapping[str, Monitor]) -> list[str]:
        """Have these watched and no others. Raises ``ClusterError`` where the cluster does not
        answer."""
        return await asyncio.to_thread(self._align, list(wanted))

    async def stop(self, *monitors: str) -> None:
        """Leave off for good."""
        await asyncio.to_thread(self._stop, monitors)

    async def leave(self) -> None:
        """The actors go on without this server."""
        if self._ray is not None:
            await asyncio.to_thread(self._ray.shutdown)

    async def retry(self, monitor: str) -> None:
        """End one that may be over, so that it is watched again."""
        await self.stop(monitor)

    def status(self, monitor: str) -> Status | None:
        """How it stands where no actor can say so; else it is in the database."""
        return self._failed.get(monitor)

    async def picture(self, monitor: str, side: int) -> Shown | None:
        """The newest picture, of at most ``side`` pixels a side."""
        found: Shown | None = await asyncio.to_thread(self._ask, monitor, "picture", None, side)
        return found

    async def timeline(self, monitor: str) -> list[list[float]]:
        """Pairs of Unix seconds and probability of the last minutes."""
        return await asyncio.to_thread(self._ask, monitor, "timeline", [])

    def _align(self, wanted: list[str]) -> list[str]:
        if self._ray is None:
            self._ray = join(self._settings.ray, NAMESPACE)
            self._adopt(wanted)
        stale = [one for one in self._actors if one not in wanted]
        self._stop(stale)
        for monitor in wanted:
            if monitor not in self._actors:
                self._actors[monitor] = actor = self._place(monitor)
                self._starting[actor.__ray_ready__.remote()] = monitor
        self._look_at_starts()
        return stale

    def _look_at_starts(self) -> None:
        """An actor that cannot even begin is not begun again by Ray; somebody has to hear why."""
        started, _ = (
            self._ray.wait(list(self._starting), num_returns=len(self._starting), timeout=0)
            if self._starting
            else ([], [])
        )
        for ref in started:
            monitor = self._starting.pop(ref)
            try:
                self._ray.get(ref)
            except self._ray.exceptions.RayError as error:
                reason = short_error(error)
                _log.error("monitor %s cannot be watched: %s", monitor, reason)
                self._failed[monitor] = Status("failed", reason, time.time())

    def _adopt(self, wanted: list[str]) -> None:
        """Take over what a former server has left, and end what nobody wants any more."""
        names = {_name(monitor): monitor for monitor in wanted}
        for name in self._ray.util.list_named_actors():
            if name.startswith("monitor/") and name not in names:
                self._kill(self._ray.get_actor(name))

    def _place(self, monitor: str) -> Any:
        remote = self._ray.remote(MonitorActor).options(
            name=_name(monitor),
            get_if_exists=True,
            lifetime="detached",
            max_restarts=-1,
            num_cpus=self._settings.monitor_cores,
            max_concurrency=4,
        )
        own = self._settings.models == resources.models_dir()
        known = fingerprint(self._settings.models)
        return remote.remote(sent_settings(self._settings), own, known, monitor)

    def _stop(self, monitors: Any) -> None:
        for monitor in monitors:
            self._failed.pop(monitor, None)
            actor = self._actors.pop(monitor, None)
            if actor is not None:
                self._kill(actor)

    def _kill(self, actor: Any) -> None:
        self._ray.kill(actor, no_restart=True)

    def _ask(self, monitor: str, what: str, otherwise: Any, *arguments: Any) -> Any:
        actor = self._actors.get(monitor)
        if actor is None:
            return otherwise
        try:
            return self._ray.get(getattr(actor, what).remote(*arguments), timeout=_PATIENCE)
        except self._ray.exceptions.RayError:  # it is being restarted, or its node is gone
            return otherwise


def sent_settings(settings: Settings) -> Settings:
    """What the nodes need to know, and nothing secret."""
    return settings.without_secrets().model_copy(update={"models": settings.models.absolute()})


def _name(monitor: str) -> str:
    """Of another version's actor the name differs, so that it is ended and not adopted."""
    return f"monitor/{__version__}/{monitor}"
