"""Places that a live stream may be pushed to, for whoever waits there: a monitor.

Somebody pushes by WHIP, goes away, and comes again; who reads sees one source that is connecting
meanwhile. There is room for one picture: the newest.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Protocol

from stream_server.ingest.urls.conditions import REASONS, PictureWatch
from stream_server.ingest.urls.source import Kind, SourceFrame, SourceState
from stream_server.live import Job
from stream_server.problem import ProblemError
from stream_server.protocol import ProtocolError

_log = logging.getLogger(__name__)
_STALLED_AFTER = 4.0  # seconds


class FrameSink(Protocol):
    """Where the frames of a source go; ``LiveStream`` is one. ``trouble`` is why none can be
    used."""

    trouble: str | None

    def offer(self, job: Job) -> None: ...

    def skip(self) -> None: ...

    def control(self, kind: str) -> None: ...

    def refuse_frame(self, error: ProtocolError) -> None: ...

    def refuse(self, error: ProtocolError) -> None: ...


class PushPoint:
    """One such place, and the source that is read there: see ``UrlSource``, which is another.

    ``clock`` is in seconds, for tests.
    """

    def __init__(
        self, leave: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._leave = leave
        self._clock = clock
        self._pusher: Pusher | None = None
        self._job: tuple[Job, float] | None = None
        self._refused = ""
        self._changed = asyncio.Event()
        self._pictures = PictureWatch()
        self._base = 0.0
        self._last: tuple[float, float] | None = None  # media time, clock
        self._frames = 0

    async def __aenter__(self) -> PushPoint:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def push(self) -> Pusher:
        """Begin to push. Raises ``ProblemError`` (409) while somebody else does."""
        if self._pusher is not None:
            raise ProblemError(409, "somebody pushes to this monitor already")
        self.begin_anew()
        self._pusher = Pusher(self)
        self._changed.set()
        return self._pusher

    def gone(self) -> None:
        """Whoever pushed has left."""
        self._pusher, self._job = None, None
        self._changed.set()

    def take(self, job: Job) -> None:
        """The newest picture."""
        self._job = (job, time.time())
        self._changed.set()

    def refuse(self, why: str) -> None:
        """What comes cannot be used."""
        self._refused = why
        self._changed.set()

    def begin_anew(self) -> None:
        """Times go on after the last, and the time between."""
        if self._last is not None:
            media_time, at = self._last
            self._base = media_time + max(self._clock() - at, 0.0)

    async def __aiter__(self) -> AsyncIterator[SourceFrame | SourceState]:
        told: SourceState | None = None
        while True:
            self._changed.clear()
            waiting, self._job = self._job, None
            frame = None if waiting is None else await self._frame(*waiting)
            state = self._state(frame, told)
            if state is not None and state != told:
                told = state
                yield state
            if frame is not None and told is not None and told.kind == "playing":
                yield frame
            if self._job is None:
                await self._wait()

    def _state(self, frame: SourceFrame | None, told: SourceState | None) -> SourceState | None:
        """How it is; ``None`` where nothing new is known."""
        if self._pusher is None:
            return SourceState("connecting", "nobody pushes to it")
        if frame is not None:
            kind: Kind = self._condition(frame)
            return SourceState(kind, REASONS.get(kind, ""))
        if self._refused:
            return SourceState("stalled", self._refused)
        silent = self._last is None or self._clock() - self._last[1] >= _STALLED_AFTER
        played = told is not None and told.kind != "connecting"
        return SourceState("stalled", "nothing comes any more") if silent and played else None

    def _condition(self, frame: SourceFrame) -> Kind:
        found = self._pictures.saw(frame.image, frame.media_time)
        return "black" if found == "black" else "frozen" if found == "frozen" else "playing"

    async def _frame(self, job: Job, captured_at: float) -> SourceFrame | None:
        try:
            image = await asyncio.to_thread(job.decode)
        except Exception:
            _log.exception("a pushed picture cannot be decoded")
            return None
        before = 0.0 if self._last is None else self._last[0]
        media_time = max(self._base + job.header.media_time, before)
        self._last = (media_time, self._clock())
        self._refused = ""
        self._frames += 1
        return SourceFrame(image, media_time, self._frames, captured_at)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_STALLED_AFTER):
                await self._changed.wait()
        except TimeoutError:
            return


class Pusher:
    """What somebody pushes through: a ``FrameSink``. ``close`` makes room for the next."""

    def __init__(self, point: PushPoint) -> None:
        self.trouble: str | None = None
        self._point: PushPoint | None = point

    def offer(self, job: Job) -> None:
        """The newest picture; it takes the place of one that waits."""
        if self._point is not None:
            self._point.take(job)

    def skip(self) -> None:
        """A picture that need not be looked at."""

    def control(self, kind: str) -> None:
        """Of what a client says only a jump of its clock matters."""
        if kind == "seek" and self._point is not None:
            self._point.begin_anew()

    def refuse_frame(self, error: ProtocolError) -> None:
        """A picture that cannot be used."""
        self.refuse(error)

    def refuse(self, error: ProtocolError) -> None:
        """What comes cannot be used."""
        if self._point is not None:
            self._point.refuse(str(error))

    def close(self) -> None:
        """Nothing more comes."""
        point, self._point = self._point, None
        if point is not None:
            point.gone()


class PushPoints:
    """All such places of a server, by name."""

    def __init__(self) -> None:
        self._open: dict[str, PushPoint] = {}

    def open(self, name: str) -> PushPoint:
        """A place under that name, until the source is left."""
        point = PushPoint(lambda: self._forget(name, point))
        self._open[name] = point
        return point

    def push(self, name: str) -> Pusher:
        """Begin to push there. Raises ``ProblemError`` (404, 409)."""
        point = self._open.get(name)
        if point is None:
            raise ProblemError(404, f"no monitor {name[:40]!r} waits for a push")
        return point.push()

    def _forget(self, name: str, point: PushPoint) -> None:
        if self._open.get(name) is point:
            del self._open[name]
