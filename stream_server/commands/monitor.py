"""``fakelight monitor``: live streams watched from a terminal, without a server."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from stream_server.engine import ModelRepository
from stream_server.engine.configured import configured_engine
from stream_server.languages import _, marked, tell, worded
from stream_server.monitors.events import Event
from stream_server.monitors.reasons import told_later
from stream_server.monitors.service import MonitorService
from stream_server.monitors.store.tables import Monitor
from stream_server.monitors.wiring import monitor_service
from stream_server.problem import ProblemError
from stream_server.redaction import without_secrets
from stream_server.server.services import Services
from stream_server.settings import Settings

QUIET, FOUND, UNUSABLE = 0, 3, 2
_STATES = {
    "connecting": worded("connecting"),
    "watching": worded("watching"),
    "stalled": worded("stalled"),
    "failed": worded("failed"),
    "removed": worded("removed"),
}
_INCIDENTS = {
    "incident.opened": marked("opened: face {number}, up to {peak}%, {start} to {end} s"),
    "incident.closed": marked("closed: face {number}, up to {peak}%, {start} to {end} s"),
}


@dataclass(frozen=True)
class MonitorRequest:
    """What stands on the command line: ``json`` is where incidents go as lines of JSON, ``-`` for
    stdout; ``seconds`` how long it watches, ``None`` until it is stopped."""

    urls: Sequence[str]
    json: str | None = None
    seconds: float | None = None


def monitor(settings: Settings, request: MonitorRequest) -> int:
    """Watch until the time is over, a person stops it, or nothing is left to watch.

    Returns the exit status: 0 nothing was suspicious, 3 an incident opened, 2 a source was refused
    or never showed a picture; 2 wins. Raises ``ValueError`` for a time that is not positive and
    ``OSError`` where the JSON cannot be written.
    """
    if request.seconds is not None and not request.seconds > 0:
        raise ValueError(f"--seconds {request.seconds:g}: it must be more than 0")
    untrained = ModelRepository.load(settings.models).untrained
    if untrained:
        sys.stderr.write(f"fakelight: UNTRAINED MODELS: {untrained}\n")
    # What is found goes with the run: who wants it kept runs a server, or keeps the lines.
    with tempfile.TemporaryDirectory(prefix="fakelight-", ignore_cleanup_errors=True) as folder:
        limit = max(len(request.urls), settings.max_monitors)
        changes = {"state_dir": Path(folder), "database": "", "max_monitors": limit}
        own = settings.model_copy(update=changes)
        if request.json is None or request.json == "-":
            return asyncio.run(_Terminal(own, request, sys.stdout).run())
        with Path(request.json).open("a", encoding="utf-8") as out:
            return asyncio.run(_Terminal(own, request, out).run())


@dataclass
class _Watched:
    monitor: Monitor
    shown: str
    said: str = ""
    seen: bool = False
    over: bool = False


@dataclass
class _Terminal:
    """Says what the monitors come to: incidents on ``out``, states on stderr."""

    settings: Settings
    request: MonitorRequest
    out: TextIO
    found: bool = False
    refused: bool = False
    watched: dict[str, _Watched] = field(default_factory=dict)
    _begun: bool = field(default=False, init=False)

    async def run(self) -> int:
        services = Services(self.settings, "", configured_engine(self.settings))
        service = monitor_service(services)
        enough = asyncio.Event()
        loop = asyncio.get_running_loop()
        for stop in (signal.SIGINT, signal.SIGTERM):
            # Not on Windows, where Ctrl-C works all the same.
            with suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(stop, enough.set)
        try:
            await services.start()
            await service.start()
            with service.events.subscribe() as events:
                telling = asyncio.create_task(self._tell(events, enough))
                # Nobody hears it any more, as where what it is piped to has ended.
                telling.add_done_callback(lambda _: enough.set())
                try:
                    await self._begin(service)
                    self._begun = True
                    if all(one.over for one in self.watched.values()):
                        enough.set()
                    if self.watched:
                        with suppress(TimeoutError):
                            async with asyncio.timeout(self.request.seconds):
                                await enough.wait()
                    for one in self.watched.values():
                        await service.change(one.monitor, paused=True)
                finally:
                    events.end()
                    await telling
        finally:
            await service.stop()
            await services.close()
        never = [one for one in self.watched.values() if not one.seen]
        if self.refused or never:
            return UNUSABLE
        return FOUND if self.found else QUIET

    async def _begin(self, service: MonitorService) -> None:
        for url in self.request.urls:
            shown = without_secrets(url)
            try:
                await service.check(url)
            except ProblemError as error:
                self.refused = True
                sys.stderr.write(f"fakelight: {shown}: {tell(error.detail)}\n")
                continue
            made = await service.create(url, shown, self.settings.sample_hz, evidence=False)
            self.watched[made.id] = _Watched(made, shown)

    async def _tell(self, events: Any, enough: asyncio.Event) -> None:
        async for event in events:
            one = self.watched.get(event.payload.get("monitor") or event.payload["id"])
            if one is None:
                continue
            if event.name == "monitor":
                self._state(one, event)
            else:
                self.found = True
                self._incident(one, event)
            if self._begun and all(each.over for each in self.watched.values()):
                enough.set()

    def _state(self, one: _Watched, event: Event) -> None:
        state, reason = event.payload.get("state", "removed"), event.payload.get("reason", "")
        one.seen |= state == "watching"
        one.over = state == "failed"
        words = tell(_STATES[state]) if state in _STATES else state
        said = words + (f": {tell(told_later(reason))}" if reason else "")
        if said != one.said and state != "paused":
            one.said = said
            sys.stderr.write(f"{_clock()} {one.shown} {said}\n")

    def _incident(self, one: _Watched, event: Event) -> None:
        incident = event.payload
        if self.request.json is not None:
            line = json.dumps({"event": event.name, "url": one.shown, **incident}, allow_nan=False)
        else:
            what = _(
                _INCIDENTS[event.name],
                number=incident["track"],
                peak=round(100 * incident["peak"]),
                start=round(incident["media_start_s"], 1),
                end=round(incident["media_end_s"], 1),
            )
            line = f"{_clock()} {one.shown} {what}"
        self.out.write(line + "\n")
        self.out.flush()


def _clock() -> str:
    return time.strftime("%H:%M:%S")
