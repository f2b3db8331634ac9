"""A live stream: the newest frame in, messages out, and nothing that grows in between.

Reading a frame never waits for its analysis. There is one place for a waiting frame; a newer one
takes it, and the one before counts as dropped. Any transport drives this class.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from stream_server import protocol, tracing
from stream_server.clock_watch import ClockWatch
from stream_server.engine.base import EngineError
from stream_server.explain.explainer import Explainer
from stream_server.explain.requests import ExplainRequests
from stream_server.foveated import WholeWatch, frame_of
from stream_server.languages import worded
from stream_server.protocol import FrameHeader, ProtocolError
from stream_server.rate_limit import RateLimit
from stream_server.stream import Face, Scorer, Stream
from stream_server.turns import Share, Turns
from stream_server.upkeep import Upkeep
from stream_server.verdict import VerdictPolicy
from stream_server.vision.types import Floats, Frame, Image

_log = logging.getLogger(__name__)
_JUMP_BACK = 0.5  # seconds: a longer step back is a seek that nobody announced
DropReason = Literal[
    "newer_frame", "too_fast", "paused", "seek", "not_due", "refused", "engine", "internal"
]
_REPEAT_ERRORS = 5.0  # seconds between two errors of the kinds that every frame would raise


@dataclass(frozen=True)
class Job:
    """A frame that waits: how to get its picture, what came with it, and when (monotonic)."""

    header: FrameHeader
    decode: Callable[[], Image]
    arrived: float


@dataclass
class Counters:
    """Frames of one stream: ``received`` is ``analysed`` and ``dropped``, and those in hand.

    ``refused`` counts the messages, frames among them, that were answered with an error.
    """

    received: int = 0
    analysed: int = 0
    dropped: int = 0
    refused: int = 0

    def add(self, other: Counters) -> None:
        """Count what ``other`` has counted too."""
        self.received += other.received
        self.analysed += other.analysed
        self.dropped += other.dropped
        self.refused += other.refused


class LiveStream:
    """Runs one ``Stream`` over the newest frames and hands every message to ``send``.

    ``send`` must not block; ``observe`` is told of each analysed frame (seconds from arrival to
    verdict, and its faces) and ``dropped`` why one was not, for metrics. ``trouble`` says in words
    what keeps it from seeing anything. ``turns`` it shares with the other streams of the machine.
    """

    def __init__(
        self,
        stream_id: str,
        stream: Stream,
        send: Callable[[dict[str, Any]], None],
        *,
        max_fps: int,
        clock: Callable[[], float] = time.monotonic,
        observe: Callable[[float, list[Face]], None] = lambda lag, faces: None,
        dropped: Callable[[DropReason], None] = lambda reason: None,
        explainer: Explainer | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.id = stream_id
        self.counters = Counters()
        self.paused = False
        self.trouble: str | None = None
        self.faces: list[Face] = []
        self._stream = stream
        self._send = send
        self._clock = clock
        self._observe = observe
        self._dropped = dropped
        self._turns = turns or Turns(lambda: 1)
        self._share = Share()
        self._upkeep = Upkeep(stream.options.sample_hz)
        self._waiting: tuple[int, Job] | None = None
        self._wake = asyncio.Event()
        self._rate = RateLimit(max_fps, clock)
        self._clock_watch = ClockWatch()
        self._last_error: dict[str, float] = {}
        self._whole_watch = WholeWatch()
        self._explain_requests = (
            None if explainer is None else ExplainRequests(explainer, stream.moment, send, clock)
        )
        self._analysing = False
        self._change: Callable[[], None] | None = None
        self._epoch = 0  # how many seeks were announced,
        self._analysed_epoch = 0  # and how many of them the stream has been told of

    @property
    def scorer(self) -> Scorer:
        """What it asks just now."""
        return self._stream.scorer

    @property
    def rate(self) -> float:
        """Frames analysed a second, of late."""
        return self._upkeep.rate(self._clock())

    @property
    def degraded(self) -> bool:
        """Whether clearly fewer frames are analysed than should be: the machine has too much to
        do."""
        return self._upkeep.behind(self._clock())

    def switch(self, scorer: Scorer, policy: VerdictPolicy, explainer: Explainer) -> None:
        """Go over to other models, after the frame that is in hand."""

        def change() -> None:
            self._stream.switch(scorer, policy)
            if self._explain_requests is not None:
                self._explain_requests.explainer = explainer

        if self._analysing:
            self._change = change
        else:
            change()

    def offer(self, job: Job) -> None:
        """Take a frame for analysis; it may be dropped for a newer one, or for coming too fast."""
        self.counters.received += 1
        if not self._rate.allows():
            self._refuse_rarely(
                "too_fast", f"more than {self._rate.per_second} frames per second", job
            )
            self._drop("too_fast")
            return
        if self.paused:
            self._drop("paused")
            return
        complaint = self._clock_watch.note(job.header.media_time, job.arrived)
        if complaint is not None:
            self._refuse_rarely("bad_clock", complaint, job)
        if self._waiting is not None:
            self._drop("newer_frame")
        self._upkeep.came(self._clock())
        self._waiting = (self._epoch, job)
        self._wake.set()

    def skip(self, reason: DropReason = "not_due") -> None:
        """Count a frame that need not be analysed."""
        self.counters.received += 1
        self._drop(reason)

    def refuse_frame(self, error: ProtocolError) -> None:
        """Answer a frame that cannot be used before it could be offered."""
        self.skip("refused")
        self.refuse(error)

    def refuse(self, error: ProtocolError) -> None:
        """Answer something that cannot be used."""
        self.counters.refused += 1
        self._send(protocol.error(error.code, str(error), error.frame_id))

    def control(self, kind: str) -> None:
        """Obey ``seek``, ``pause`` or ``resume``."""
        self._clock_watch.reset()
        if kind == "seek":
            self._epoch += 1
        elif kind == "pause":
            self.paused = True
        elif kind == "resume":
            self.paused = False

    def explain(self, track: int) -> None:
        """Answer an ``explain``: where in that face the evidence lies."""
        if self._explain_requests is None:
            self._send(
                protocol.error("no_explanation", worded("nothing is explained here"), track=track)
            )
        else:
            self._explain_requests.ask(track)

    def signatures(self) -> dict[int, Floats]:
        """What every face that is followed looks like, by track; see ``vision.identity``."""
        return self._stream.signatures()

    async def run(self) -> None:
        """Analyse frames until cancelled. One frame that fails never ends the stream."""
        try:
            await self._run()
        finally:
            if self._explain_requests is not None:
                self._explain_requests.stop()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            async with self._turns.turn(self._share):
                self._wake.clear()
                waiting, self._waiting = self._waiting, None
                if waiting is not None:
                    await self._take(*waiting)

    async def _take(self, epoch: int, job: Job) -> None:
        self._analysing = True
        try:
            with tracing.span(
                "frame", "server", since=job.arrived, stream=self.id, frame=job.header.frame_id
            ):
                await self._analyse(epoch, job)
        except ProtocolError as error:
            self._fail("refused")
            self.refuse(error)
        except EngineError as error:
            self._fail("engine")
            self._refuse_rarely("analysis_failed", f"the engine gave no answer: {error}", job)
        except Exception:
            self._fail("internal")
            _log.exception("stream %s: frame %s failed", self.id, job.header.frame_id)
            self._refuse_rarely("analysis_failed", "an internal error; see the log", job)
        finally:
            self._analysing = False
            change, self._change = self._change, None
            if change is not None:
                change()

    async def _analyse(self, epoch: int, job: Job) -> None:
        header = job.header
        if epoch != self._epoch:  # from before a seek
            self._fail("seek")
            return
        if epoch != self._analysed_epoch:
            self._analysed_epoch = epoch
            self._stream.reset()
        before = self._stream.media_time
        if header.media_time < before:
            if before - header.media_time > _JUMP_BACK:
                self._stream.reset()
            raise ProtocolError(
                "time_backwards",
                f"media_time {header.media_time} after {before}: send seek before going back",
                header.frame_id,
            )
        self._stream.share = self._upkeep.share(self._clock())
        unseen: list[str | None] = []

        def decode() -> Frame:
            frame = frame_of(job.decode(), header)
            unseen.append(self._whole_watch.note(frame))
            return frame

        try:
            faces = await self._stream.analyse_at(header.media_time, decode)
        finally:
            self._share.worked = self._stream.worked
        if epoch != self._epoch:
            self._fail("seek")
            return
        lag = self._clock() - job.arrived
        self.faces = faces
        self.counters.analysed += 1
        self._upkeep.analysed(self._clock())
        self._observe(lag, faces)
        if unseen[0] is not None:
            self._refuse_rarely("no_whole", unseen[0], job)
        if self._stream.crowded:
            limit = self._stream.max_faces
            found = limit + self._stream.crowded
            self._refuse_rarely(
                "too_many_faces",
                f"{found} faces; the limit is {limit}, the largest are judged",
                job,
            )
        messages = [face.as_message() for face in faces]
        self._send(protocol.verdict(header, lag * 1000, messages))

    def _fail(self, reason: DropReason) -> None:
        """Drop a frame that was taken in hand."""
        self._upkeep.failed()
        self._drop(reason)

    def _drop(self, reason: DropReason) -> None:
        self.counters.dropped += 1
        self._dropped(reason)

    def _refuse_rarely(self, code: str, message: str, job: Job) -> None:
        now = self._clock()
        if now - self._last_error.get(code, -_REPEAT_ERRORS) >= _REPEAT_ERRORS:
            self._last_error[code] = now
            self._send(protocol.error(code, message, job.header.frame_id))
