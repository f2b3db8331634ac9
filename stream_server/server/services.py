"""What the parts of a server share, made once and held in one place."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from weakref import WeakSet

from stream_server.engine import Engine, MicroBatcher
from stream_server.evidence import StreamOptions
from stream_server.ingest.push import PushPoints
from stream_server.languages import worded
from stream_server.live import LiveStream
from stream_server.protocol import Close
from stream_server.scan.scanner import Scanner
from stream_server.server.auth import Authority
from stream_server.server.loaded import Loaded
from stream_server.server.metrics import Metrics
from stream_server.server.pairing.access import PairingAccess
from stream_server.server.pairing.pairings import Pairings
from stream_server.server.pairing.tickets import Tickets
from stream_server.server.readiness import Readiness
from stream_server.server.registry import Registry
from stream_server.session import Send
from stream_server.settings import Settings
from stream_server.stream import Stream
from stream_server.turns import Turns
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker

# Of a live stream's scores while no network has looked anew: the others would say much the same,
# and take a thirtieth of its time. A monitor, which has a rate of its own, has few to be sure by.
_UNCHANGED = 0.5
# Beats from one stream's grid of looks to the next one's: it has no factor in common with the beats
# between two looks, which are 2, 4, 10 and 40, so that ten or forty streams lie evenly on them.
_APART = 7


class Services:
    """Made once per server; ``close`` ends every stream and lets go of the engine.

    Raises ``ValueError`` where the model repository carries no usable thresholds.
    """

    def __init__(self, settings: Settings, token: str, engine: Engine) -> None:
        self.settings = settings
        self._loaded = Loaded(engine)
        self._phases = count(step=_APART)
        self._lives: WeakSet[LiveStream] = WeakSet()
        self._scanners: WeakSet[Scanner] = WeakSet()
        self.stopping = asyncio.Event()
        self.metrics = Metrics()
        self._access = PairingAccess(settings)
        self.pairings = Pairings(self._access, observe=self.metrics.pairing)
        self.authority = Authority(token, settings.tokens, self.pairings, settings.metrics_token)
        self.tickets = Tickets(self._access)
        self.detector = FaceDetector(min_face=settings.min_face, threads=settings.threads)
        self.executor = ThreadPoolExecutor(settings.workers, thread_name_prefix="vision")
        # So many that no thread, and no place in a batch of the engine's, waits for a frame.
        self.turns = Turns(
            lambda: 2 * settings.workers + self.engine.crop_batch * self.engine.parallel
        )
        self.streams = Registry(settings, engine, self.new_stream, self.metrics)
        self.metrics.show(self.streams, engine, self.batcher)
        self.readiness = Readiness(engine)
        self.pushes = PushPoints()

    @property
    def engine(self) -> Engine:
        """The engine in use."""
        return self._loaded.engine

    @property
    def batcher(self) -> MicroBatcher:
        """What joins the streams' calls to it."""
        return self._loaded.batcher

    @property
    def policy(self) -> VerdictPolicy:
        """Where the lines are drawn for its models."""
        return self._loaded.policy

    def switch(self, loaded: Loaded) -> Loaded:
        """Use other models from now on, each stream from its next frame on; what was used until
        now, for the caller to close once ``uses`` says that nobody does."""
        old, self._loaded = self._loaded, loaded
        for live in list(self._lives):
            live.switch(loaded.batcher, loaded.policy, loaded.explainer)
        self.streams.switch(loaded.engine)
        self.metrics.show(self.streams, loaded.engine, loaded.batcher)
        self.readiness.switch(loaded.engine)
        return old

    def uses(self, loaded: Loaded) -> bool:
        """Whether a frame or a scan is still under way with these models."""
        return any(live.scorer is loaded.batcher for live in list(self._lives)) or any(
            scanner.engine is loaded.engine for scanner in list(self._scanners)
        )

    def new_stream(self, send: Send, window: int, sample_hz: float | None = None) -> LiveStream:
        """A stream that hands its messages to ``send``, at the settings' rate if none is given."""
        settings = self.settings
        tracker = FaceTracker(
            self.detector,
            detect_every=settings.detect_every,
            longest_side=settings.detect_side,
            max_faces=settings.max_faces,
        )
        options = StreamOptions(
            sample_hz=sample_hz or settings.sample_hz,
            window=window,
            first_verdict=settings.first_verdict,
            verdict_hz=settings.verdict_hz,
            spread=True,
            unchanged=_UNCHANGED if sample_hz is None else 1.0,
            phase=next(self._phases),
        )
        live = LiveStream(
            secrets.token_urlsafe(9),
            Stream(tracker, self.batcher, self.policy, options, self.executor),
            send,
            max_fps=settings.max_fps,
            observe=self.metrics.observe,
            dropped=self.metrics.dropped,
            explainer=self._loaded.explainer,
            turns=self.turns,
        )
        self._lives.add(live)
        return live

    def scanner(self) -> Scanner:
        """A scanner over what the streams use, for one file.

        People who watch something live come first: while there are any it takes one core at most,
        but for the tenth of a second that a heat map takes.
        """
        readers = 1 if self.streams else min(self.settings.workers, 2)
        scanner = Scanner(self.settings, self.engine, self.batcher, self.detector, readers)
        self._scanners.add(scanner)
        return scanner

    async def start(self) -> None:
        """Begin what the engine does unasked, such as watching a Triton server."""
        await self.engine.start()

    def stop(self) -> None:
        """Tell every client that it is over; nobody should wait for anything any more."""
        self.stopping.set()
        self.streams.close_all(Close.STOPPING, worded("the server is stopping"))

    async def close(self) -> None:
        """Let go of everything."""
        self.stop()
        self._access.close()
        await self._loaded.close()
        self.executor.shutdown(wait=False, cancel_futures=True)
