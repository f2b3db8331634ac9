"""One monitor on a node of a Ray cluster: what ``on_ray`` places there."""

from __future__ import annotations

import asyncio
import logging
import os
import threading

from stream_server import resources
from stream_server.engine.configured import configured_engine
from stream_server.engine.fingerprint import fingerprint
from stream_server.monitors.guard import Guarded
from stream_server.monitors.parts import watch_alone
from stream_server.monitors.shown import Shown, shown
from stream_server.monitors.store.monitors import SupersededError
from stream_server.ray_cluster import ClusterError, this_node
from stream_server.settings import Settings

_log = logging.getLogger(__name__)
DATABASE = "FAKELIGHT_DATABASE"


class MonitorActor:
    """What watches one monitor on a node; Ray makes it anew on another when the node dies."""

    def __init__(
        self, settings: Settings, own_models: bool, models_fingerprint: str, monitor: str
    ) -> None:
        address = os.environ.get(DATABASE, "")
        if not address:
            raise ClusterError(f"node {this_node()} has no {DATABASE} in its environment")
        models = {"models": resources.models_dir()} if own_models else {}
        self._settings = settings.model_copy(update={"database": address, **models})
        if fingerprint(self._settings.models) != models_fingerprint:
            where = self._settings.models
            raise ClusterError(f"node {this_node()} has other models in {where} than the server")
        self._monitor = monitor
        self._guarded: Guarded | None = None
        self.done = threading.Event()  # nothing more is watched here
        threading.Thread(target=self._work, daemon=True).start()

    def picture(self, side: int) -> Shown | None:
        """The newest picture, of at most ``side`` pixels a side."""
        return None if self._guarded is None else shown(self._guarded.watch, side)

    def timeline(self) -> list[list[float]]:
        """Pairs of Unix seconds and probability of the last minutes."""
        return [] if self._guarded is None else self._guarded.watch.timeline.as_json()

    def _work(self) -> None:
        try:
            asyncio.run(self._watch())
        except SupersededError:
            _log.info("monitor %s is gone", self._monitor)
        except BaseException:
            _log.exception("monitor %s cannot be watched on %s", self._monitor, this_node())
            os._exit(1)  # Ray starts another one
        finally:
            self.done.set()

    async def _watch(self) -> None:
        engine = await asyncio.to_thread(configured_engine, self._settings)
        async with watch_alone(self._settings, engine, self._monitor) as guarded:
            self._guarded = guarded
            await guarded.run()
