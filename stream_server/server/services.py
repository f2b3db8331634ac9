"""What all streams of a server share: the engine, the detector, the threads, the counts."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from stream_server.engine import Engine, MicroBatcher, ModelRepository
from stream_server.evidence import StreamOptions
from stream_server.explain.explainer import Explainer
from stream_server.live import LiveStream
from stream_server.protocol import Close, Source
from stream_server.server.auth import same
from stream_server.server.metrics import Metrics
from stream_server.server.pairing import Pairings
from stream_server.settings import Role, Settings
from stream_server.stream import Stream
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker

_log = logging.getLogger(__name__)
CloseStream = Callable[[Close, str], None]


class OverLimitError(Exception):
    """More streams than a token may have; the message says how many that is."""


@dataclass(frozen=True)
class OpenStream:
    """A stream that is being watched, and how to end it."""

    live: LiveStream
    source: Source
    holder: str
    opened: float
    window: int
    close: CloseStream


class Services:
    """Made once per server; ``close`` ends every stream and lets go of the engine.

    Raises ``ValueError`` where the model repository carries no usable thresholds.
    """

    def __init__(self, settings: Settings, token: str, engine: Engine) -> None:
        self.settings = settings
        self.token = token
        self.engine = engine
        self.streams: dict[str, OpenStream] = {}
        self.stopping = asyncio.Event()
        self.no_streams = asyncio.Event()
        self.no_streams.set()
        self.metrics = Metrics(self)
        self.pairings = Pairings(settings.state_dir)
        self.policy = VerdictPolicy.from_parameters(engine.repository.parameters)
        self.batcher = MicroBatcher(engine)
        self.explainer = Explainer(engine)
        self.detector = FaceDetector(min_face=settings.min_face, threads=settings.threads)
        self.executor = ThreadPoolExecutor(settings.workers, thread_name_prefix="vision")
        self._probed = (-1e9, "")

    @property
    def repository(self) -> ModelRepository:
        return self.engine.repository

    def accepts(self, token: str, origin: str | None) -> bool:
        """Whether ``token`` opens this server for a client of ``origin``."""
        return self.role(token, origin) is not None

    def role(self, token: str, origin: str | None) -> Role | None:
        """What the holder of ``token`` may do; ``None`` for a token that opens nothing."""
        if same(token, self.token) or self.pairings.accepts(token, origin):
            return "operator"
        named = self.settings.tokens.values()
        return next((one.role for one in named if same(token, one.token)), None)

    def engine_in_use(self) -> str:
        """``embedded`` or ``triton``: which one answers just now."""
        return self.engine.in_use

    def fallback(self) -> bool:
        """Whether the embedded engine stands in for Triton just now."""
        return self.engine.fallback

    def limits(self) -> dict[str, int]:
        """The limits that a ``welcome`` tells a client."""
        settings = self.settings
        return {
            "message_bytes": settings.max_message_bytes,
            "pixels": settings.max_pixels,
            "fps": settings.max_fps,
            "faces": settings.max_faces,
            "streams": settings.max_streams,
        }

    def open_stream(
        self,
        send: Callable[[dict[str, Any]], None],
        window: int,
        source: Source | None,
        holder: str,
        close: CloseStream,
    ) -> LiveStream:
        """A new stream; its transport drives it and calls ``close_stream`` at the end.

        ``holder`` names the token that it came with. Raises ``OverLimitError`` when that token has
        as many streams open as it may.
        """
        limit = self.settings.max_streams
        if sum(stream.holder == holder for stream in self.streams.values()) >= limit:
            raise OverLimitError(f"{limit} streams are open with this token, which is the limit")
        settings = self.settings
        tracker = FaceTracker(
            self.detector,
            detect_every=settings.detect_every,
            longest_side=settings.detect_side,
            max_faces=settings.max_faces,
        )
        options = StreamOptions(
            sample_hz=settings.sample_hz,
            window=window,
            first_verdict=settings.first_verdict,
            verdict_hz=settings.verdict_hz,
        )
        stream = Stream(tracker, self.batcher, self.policy, options, self.executor)
        live = LiveStream(
            secrets.token_urlsafe(9),
            stream,
            send,
            max_fps=settings.max_fps,
            executor=self.executor,
            observe=self.metrics.observe,
            explainer=self.explainer,
        )
        self.no_streams.clear()
        source = source or Source()
        self.streams[live.id] = OpenStream(live, source, holder, time.time(), window, close)
        _log.info("stream %s opened (%s)", live.id, source.kind or "unnamed")
        return live

    def close_stream(self, stream_id: str) -> None:
        """Forget a stream; its frames stay in the metrics."""
        closed = self.streams.pop(stream_id, None)
        if closed is not None:
            self.metrics.closed(closed.live.counters)
            if not self.streams:
                self.no_streams.set()
            _log.info("stream %s closed, %s", stream_id, closed.live.counters)

    async def start(self) -> None:
        """Begin watching the engine, where there is one to fall back from."""
        await self.engine.start()

    async def probe(self) -> str:
        """Empty when a real inference goes through, else what is wrong; asked once a second."""
        now = time.monotonic()
        if now - self._probed[0] >= 1:
            try:
                await self.engine.probe()
                self._probed = (now, "")
            except Exception as error:  # whatever it is, the answer is that we are not ready
                self._probed = (now, str(error) or type(error).__name__)
        return self._probed[1]

    def stop_streams(self, reason: str = "the server is stopping") -> None:
        """Tell every client that it is over."""
        self.stopping.set()
        for stream in list(self.streams.values()):
            stream.close(Close.STOPPING, reason)

    async def close(self) -> None:
        """Let go of everything."""
        self.stop_streams()
        await self.batcher.close()
        await self.engine.close()
        self.executor.shutdown(wait=False, cancel_futures=True)
