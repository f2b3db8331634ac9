"""Keeps one monitor watched, whatever happens to it, and to no other."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from stream_server import logs
from stream_server.monitors.store.monitors import SupersededError
from stream_server.monitors.watch import Watch
from stream_server.problem import ProblemError

_log = logging.getLogger(__name__)
_WAIT = (1.0, 60.0)  # seconds before a monitor that broke is watched again, at first and at most
_STEADY = 60.0  # seconds of watching after which it counts as mended


class Guarded:
    """A monitor at work: ``watch`` is the one that watches it now; ``make`` gives the next,
    and may be replaced.

    ``changed`` is called when a status has changed that no ``Watch`` tells of.
    """

    def __init__(self, make: Callable[[], Watch], changed: Callable[[Watch], None]) -> None:
        self.make = make
        self._changed = changed
        self.watch = make()

    async def run(self) -> None:
        """Watch until the source is over, or another server has taken the monitor over."""
        with logs.about(monitor=self.watch.monitor.id):
            await self._run()

    async def _run(self) -> None:
        wait = _WAIT[0]
        while True:
            monitor, began = self.watch.monitor.id, time.monotonic()
            try:
                await self.watch.run()
                return
            except SupersededError:
                _log.info("monitor %s is watched by another server now, or gone", monitor)
                return
            except ProblemError as error:
                self._failed(str(error))
                return
            except SQLAlchemyError as error:
                _log.error("monitor %s waits for the database (%s)", monitor, type(error).__name__)
                self._failed("the database is away")
            except Exception:
                _log.exception("monitor %s broke; it is watched again soon", monitor)
                self._failed("an internal error; see the server's log")
            wait = _WAIT[0] if time.monotonic() - began > _STEADY else min(wait * 2, _WAIT[1])
            await asyncio.sleep(wait * random.uniform(0.75, 1.25))
            self.watch = self.make()

    def _failed(self, reason: str) -> None:
        self.watch.status.become("failed", reason, time.time())
        self._changed(self.watch)
