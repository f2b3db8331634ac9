"""One monitor at work: its source through the analysis to incidents, written down and told.

Reading, analysing and writing do not wait for one another. A picture that comes while one is being
analysed takes the place of the one that waits; an incident is told only once it is written; while
the database is away what happened is held and written when it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from stream_server.ingest.urls.source import SourceFrame, SourceState
from stream_server.live import Job, LiveStream
from stream_server.monitors.evidence import Evidence
from stream_server.monitors.incidents import Incidents, Patience, Stretch
from stream_server.monitors.source import Source
from stream_server.monitors.status import BLIND, Status, Throughput, Timeline
from stream_server.monitors.store.incidents import Change, IncidentTable
from stream_server.monitors.store.monitors import MonitorTable, SupersededError
from stream_server.monitors.store.tables import Incident, Monitor
from stream_server.monitors.wall_clock import WallClock
from stream_server.problem import ProblemError
from stream_server.protocol import FrameHeader
from stream_server.session import Send
from stream_server.vision.types import Image

_log = logging.getLogger(__name__)
_TICK = 1.0
_PROGRESS = 2.0  # seconds: how much of an open incident a killed server forgets
_FRESH = 1.0  # seconds: what was judged that long ago is not the newest any more
_JUMP = 5.0  # seconds of media time that no frame shows: another stream
_ASTRAY = 60.0  # seconds: a picture that is stamped so far from now was stamped by another clock
_MAX_TIME = 1e12  # as in a frame's header

MakeLive = Callable[[Send, Monitor], LiveStream]


class Watch:
    """Watches one monitor until it is cancelled, the source ends, or another takes it over.

    ``changed`` is called when the status has changed, ``told`` when an incident was opened or
    closed and that is written down; both on the event loop.
    """

    def __init__(
        self,
        monitor: Monitor,
        source: Callable[[Monitor], Source],
        live: MakeLive,
        monitors: MonitorTable,
        incidents: IncidentTable,
        patience: Patience,
        changed: Callable[[Watch], None],
        told: Callable[[Incident, Change], None],
        clock: WallClock | None = None,
    ) -> None:
        self.monitor = monitor
        self._clock = clock or WallClock()
        self.status = Status("connecting", "", self._clock.now())
        self.timeline = Timeline()
        self.newest: SourceFrame | None = None
        self._in_hand: SourceFrame | None = None
        self._judged: tuple[SourceFrame, list[dict[str, Any]]] | None = None
        self._source = source
        self._live = live(self._hear, monitor)
        self._monitors = monitors
        self._table = incidents
        self._patience = patience
        self._changed = changed
        self._told = told
        self._evidence = Evidence(self._live.explain) if monitor.evidence else None
        self._incidents = Incidents(monitor.id, 0, patience)
        self._generation = 0
        self._unsaved: list[Stretch] = []
        self._saved = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._throughput = Throughput(time.monotonic())
        self._too_slow = ""
        self._woken = asyncio.Event()
        self._stands = SourceState("connecting")
        self._failing = False
        self._media = -1.0
        self._frames = 0

    @property
    def newest_judged(self) -> tuple[SourceFrame, list[dict[str, Any]]] | None:
        """The newest picture with a verdict, and its faces; ``None`` where it is an old one, or
        where what shows is no evidence."""
        if self.newest is None or self._judged is None or self._stands.kind in BLIND:
            return None
        age = self.newest.captured_at - self._judged[0].captured_at
        return self._judged if age < _FRESH else None

    async def run(self) -> None:
        """Watch. Returns when the source is over.

        Raises ``SupersededError``, and ``SQLAlchemyError`` where the database is away at the start.
        """
        monitor = self.monitor.id
        self._generation = await asyncio.to_thread(self._monitors.take_over, monitor)
        former = await asyncio.to_thread(self._table.open_of, monitor)
        self._incidents = Incidents(monitor, self._generation, self._patience, former)
        reading = asyncio.create_task(self._read())
        working = [asyncio.create_task(part) for part in (self._live.run(), self._keep())]
        try:
            await asyncio.wait([reading, *working], return_when=asyncio.FIRST_COMPLETED)
            if _over(reading):
                self.close_incidents()
                await self._until_written(working[1])
            for task in (reading, *working):
                if task.done():
                    task.result()
        finally:
            for task in (reading, *working):
                task.cancel()
            await asyncio.wait([reading, *working])
            await self._farewell()

    def close_incidents(self) -> None:
        """Close what is open, as when a person pauses the monitor; before ``run`` is cancelled."""
        self._unsaved += self._incidents.close()

    async def _read(self) -> None:
        async with self._source(self.monitor) as source:
            async for item in source:
                if isinstance(item, SourceState):
                    self._follow(item)
                else:
                    self._offer(item)

    def _follow(self, state: SourceState) -> None:
        if state.kind == "connecting" and self._stands.kind != "connecting":
            self._begin_anew()
        self._stands = state
        if self.status.follow(state, self._clock.now()):
            self._changed(self)

    def _look_at_clock(self) -> None:
        """Have what is under way go on by a clock that was set meanwhile."""
        by = self._clock.jumped()
        if by:
            _log.warning("monitor %s: the clock was set by %+.0f s", self.monitor.id, by)
            self._incidents.shift(by)
            self.timeline.shift(by)
            self.status.since += by

    def _begin_anew(self) -> None:
        self._live.control("seek")
        self._incidents.cut()
        self._media = -1.0

    def _offer(self, frame: SourceFrame) -> None:
        self._look_at_clock()
        if abs(frame.captured_at - self._clock.now()) > _ASTRAY:
            frame = replace(frame, captured_at=self._clock.now())
        self.newest = frame
        if self._stands.kind in BLIND:
            return
        if self._stands.kind == "connecting":
            self._follow(SourceState("playing"))
        if not self._media - 0.5 <= frame.media_time <= self._media + _JUMP and self._media >= 0:
            self._begin_anew()
        self._media = frame.media_time
        self._frames += 1
        height, width = frame.image.shape[:2]
        header = FrameHeader(
            frame_id=self._frames,
            media_time=min(max(frame.media_time, 0.0), _MAX_TIME),
            captured_at=frame.captured_at,
            width=width,
            height=height,
        )
        self._live.offer(Job(header, lambda: self._picture(frame), time.monotonic()))

    def _picture(self, frame: SourceFrame) -> Image:
        """Called by a worker, for the frames that are analysed."""
        if self._evidence is not None:
            self._evidence.saw(frame.image, frame.captured_at)
        self._in_hand = frame
        return frame.image

    def _hear(self, message: dict[str, Any]) -> None:
        """What the analysis has to say of a picture."""
        if message["type"] == "error":
            # Where no picture is looked at, that one was not analysed is no news.
            if message["code"] == "analysis_failed" and self.status.state == "watching":
                self._failing = True
                if self.status.become("watching", message["message"], self._clock.now()):
                    self._changed(self)
            return
        if message["type"] == "explanation" and self._evidence is not None:
            self._evidence.explained(message)
        if message["type"] != "verdict" or self._stands.kind in BLIND:
            return
        now = self._clock.now()
        at = float(message["captured_at"])
        if abs(now - at) > _ASTRAY:  # the clock was set while it was analysed
            return
        if self._failing:
            self._failing = False
            self.status.follow(self._stands, now)
        faces = self._live.faces
        self.status.saw(message["faces"], max(now - at, 0.0))
        if self._in_hand is not None and self._in_hand.captured_at == at:
            self._judged = (self._in_hand, message["faces"])
        self.timeline.add(at, [f.probability for f in faces if f.probability is not None])
        signatures = self._live.signatures()
        changed = self._incidents.look(at, message["media_time"], faces, signatures)
        if self._evidence is not None:
            self._evidence.judged(at, changed, self._incidents.open)
        self._changed(self)
        if changed:
            self._unsaved += changed
            self._woken.set()

    async def _keep(self) -> None:
        """Write down what happens, and every few seconds how it stands."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._woken.wait()
            self._woken.clear()
            self._look_at_clock()
            self._unsaved += self._incidents.away(self._clock.now())
            self._look_at_throughput()
            try:
                await self._save()
            except SQLAlchemyError:
                _log.exception("monitor %s: the database is away; trying again", self.monitor.id)
                await asyncio.sleep(_TICK)

    def _look_at_throughput(self) -> None:
        counters = self._live.counters
        found = self._throughput.problem(counters.received, counters.analysed, time.monotonic())
        status = self.status
        if found is None or status.state != "watching" or status.reason not in ("", self._too_slow):
            return
        self._too_slow = found
        if status.become("watching", found, self._clock.now()):
            self._changed(self)

    async def _save(self) -> None:
        unsaved = list(self._unsaved)
        if not unsaved and time.monotonic() - self._saved < _PROGRESS:
            return
        status = self.status
        # To its end once it has begun, whoever is cancelled meanwhile: of what is written down
        # already the next write would not tell.
        self._writing = asyncio.create_task(self._write(unsaved))
        await asyncio.shield(self._writing)
        await asyncio.to_thread(
            self._monitors.tell,
            self.monitor.id,
            self._generation,
            state=status.state,
            reason=status.reason,
            since=status.since,
            faces=status.faces,
            lag_s=status.lag_s,
            seen_at=self._clock.now(),
        )
        self._saved = time.monotonic()
        if self._evidence is not None:
            await self._evidence.keep(self._table)

    async def _write(self, unsaved: list[Stretch]) -> None:
        """Write down incidents, and tell what that has opened and closed."""
        stretches = [*unsaved, *self._incidents.open]
        written = await asyncio.to_thread(self._table.save, stretches, self._generation)
        # Only now: a write that fails is tried again, and to write the same twice does no harm.
        self._unsaved = self._unsaved[len(unsaved) :]
        for incident, change in written:
            self._told(incident, change)

    async def _until_written(self, keeping: asyncio.Task[None]) -> None:
        """Wait for what happened to be written down, however long the database is away: nobody
        comes after this watcher who would close what it leaves open."""
        while self._unsaved and not keeping.done():
            self._woken.set()
            await asyncio.sleep(_TICK / 10)

    async def _farewell(self) -> None:
        self._saved = 0.0
        if self._evidence is not None:
            self._evidence.end()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        with suppress(SQLAlchemyError, SupersededError):
            await self._save()


def _over(reading: asyncio.Task[None]) -> bool:
    """Whether the source has ended for good, or is refused: nothing is waited for any more."""
    if not reading.done():
        return False
    error = reading.exception()
    return error is None or isinstance(error, ProblemError)
