"""One WebRTC source: its peer connection, the stream behind it, and their common end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from typing import Any

from aioice import Candidate, Connection
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceTransport,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)

from stream_server import protocol
from stream_server.ingest.webrtc import ice
from stream_server.ingest.webrtc.dtls import take_rsa
from stream_server.ingest.webrtc.intake import Intake
from stream_server.ingest.webrtc.outlets import CHANNEL, Outlets
from stream_server.ingest.webrtc.restart import Rope, fragment_of
from stream_server.ingest.webrtc.sdp import (
    MAX_CANDIDATES,
    Bitrates,
    Fragment,
    OfferError,
    munge_answer,
)
from stream_server.protocol import Close, Explain, ProtocolError, Source
from stream_server.server.services import Services

_log = logging.getLogger(__name__)
_STATUS_EVERY = 1.0
MAX_RESTARTS = 64
_PATIENCE = 15.0  # seconds that a lost connection has to come back by a restart
_GOODBYE = 0.2  # seconds for the last message to leave by the data channel


class Peer:
    """A WHIP session. ``answer`` opens it, ``run`` lives as long as it does, ``close`` ends it.

    Raises ``OverLimitError`` when its token has as many streams open as it may.
    """

    def __init__(
        self, services: Services, *, holder: str, source: Source | None, window: int
    ) -> None:
        self.etag = secrets.token_hex(8)
        self.outlets = Outlets()
        self._services = services
        self._stop: asyncio.Future[tuple[Close, str]] = asyncio.get_running_loop().create_future()
        self.live = services.open_stream(self.outlets.send, window, source, holder, self.close)
        self.holder = holder
        self._window = window
        servers = ice.ice_servers(services.settings)
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        take_rsa(self._pc)
        self._pc.on("track", self._on_track)
        self._pc.on("datachannel", self._on_channel)
        self._pc.on("connectionstatechange", self._on_state)
        self._intake: Intake | None = None
        self._rope: Rope | None = None
        self._changing: set[asyncio.Task[None]] = set()
        self._candidates = self._restarts = 0
        self._connected = asyncio.Event()
        self._heard = time.monotonic()

    async def answer(self, offer: str) -> str:
        """The answer to a checked offer. Raises ``OfferError`` for one that the stack refuses."""
        settings = self._services.settings
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            self._refuse_sound()
            ice.use_addresses(self._ice()._connection, settings)
            self._rope = Rope(self._ice(), _PATIENCE)
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        except Exception as error:  # the stack raises whatever its parser stumbles over
            _log.info("stream %s: the offer was refused: %r", self.live.id, error)
            raise OfferError(
                400, f"the offer cannot be used: {error or type(error).__name__}"
            ) from None
        if self._intake is None:
            raise OfferError(422, "the offer has no video that this server can decode")
        self._candidates = offer.count("a=candidate:")
        self.outlets.greeting = protocol.welcome(
            stream=self.live.id,
            engine=self._services.engine_in_use(),
            sample_hz=settings.sample_hz,
            window=self._window,
            limits=self._services.limits(),
            models=self._services.repository.members,
        )
        rates = Bitrates(
            settings.webrtc_start_kbit, settings.webrtc_min_kbit, settings.webrtc_max_kbit
        )
        return munge_answer(self._pc.localDescription.sdp, rates)

    async def trickle(self, fragment: Fragment) -> None:
        """Take further candidates. Raises ``OfferError`` over the limit or for a broken one."""
        self._candidates += len(fragment.candidates)
        if self._candidates > MAX_CANDIDATES:
            raise OfferError(
                422, f"{self._candidates} candidates in this session; the limit is {MAX_CANDIDATES}"
            )
        if self._rope is not None:
            await self._add(self._rope.connection, fragment)

    async def restart(self, fragment: Fragment) -> str:
        """Begin an ICE restart; the answering fragment. Raises ``OfferError``."""
        if not fragment.ufrag or not fragment.password:
            raise OfferError(400, "a restart needs a=ice-ufrag and a=ice-pwd")
        if self._rope is None or not self._connected.is_set():
            raise OfferError(422, "the session has not connected yet; there is nothing to restart")
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise OfferError(422, f"{self._restarts} restarts; the limit is {MAX_RESTARTS}")
        attempt = ice.new_connection(self._services.settings)
        await attempt.gather_candidates()
        attempt.remote_username, attempt.remote_password = fragment.ufrag, fragment.password
        await self._rope.begin(attempt)
        self._candidates = len(fragment.candidates)
        await self._add(attempt, fragment)
        self.etag = secrets.token_hex(8)
        task = asyncio.create_task(self._change(self._rope))
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        return fragment_of(attempt)

    async def _change(self, rope: Rope) -> None:
        try:
            await rope.change(self._services.settings.webrtc_connect_seconds)
        except ConnectionError as error:
            _log.info("stream %s: %s", self.live.id, error)
        else:
            self._heard = time.monotonic()

    @staticmethod
    async def _add(connection: Connection, fragment: Fragment) -> None:
        for line in fragment.candidates:
            try:
                candidate = Candidate.from_sdp(line.removeprefix("candidate:"))
            except (ValueError, IndexError, AssertionError):
                raise OfferError(400, f"the candidate {line[:60]!r} cannot be read") from None
            await connection.add_remote_candidate(candidate)

    def close(self, code: Close, reason: str) -> None:
        """End the session from our side."""
        if not self._stop.done():
            self._stop.set_result((code, reason))

    async def run(self) -> None:
        """Everything between the answer and the end."""
        assert self._intake is not None, "answer() comes first"
        work = (self.live.run(), self._intake.run(), self._report(), self._watch(self._intake))
        tasks = [asyncio.create_task(one) for one in work]
        try:
            waiting: set[asyncio.Future[Any]] = {*tasks, self._stop}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                error = task.exception() if task.done() else None
                if error is not None:
                    _log.error("stream %s ended by an error", self.live.id, exc_info=error)
                    self.close(Close.NORMAL, "an internal error; see the server's log")
            self.close(Close.NORMAL, "the source ended")
            code, reason = self._stop.result()
            self.outlets.send(protocol.closed(code, reason))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.let_go()

    async def let_go(self) -> None:
        """Give back everything, also of a session whose answer never left."""
        self.outlets.close()
        self._services.close_stream(self.live.id)
        if self._connected.is_set():
            await asyncio.sleep(_GOODBYE)
        for task in self._changing:
            task.cancel()
        await asyncio.gather(*self._changing, return_exceptions=True)
        with contextlib.suppress(Exception):  # a half-open connection may fail in any way
            await self._pc.close()
            if self._rope is not None:
                await self._rope.close()

    def _ice(self) -> RTCIceTransport:
        return self._receiver().transport.transport

    def _receiver(self) -> RTCRtpReceiver:
        return next(one.receiver for one in self._pc.getTransceivers() if one.kind == "video")

    def _refuse_sound(self) -> None:
        for transceiver in self._pc.getTransceivers():
            if transceiver.kind == "audio":
                transceiver.direction = "inactive"  # sound is not judged, so it is not taken

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            settings = self._services.settings
            self._intake = Intake(self.live, settings, track, self._receiver())

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL:
            channel.on("message", self._obey)
            self.outlets.use_channel(channel)

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if state == "connected":
            self._connected.set()
            self._heard = time.monotonic()
        elif state == "closed" or (state == "failed" and not self._may_come_back()):
            self.close(Close.NORMAL, "the connection to the source is gone")

    def _may_come_back(self) -> bool:
        """Whether only the network is gone: DTLS still stands, and waits on the rope."""
        return self._connected.is_set() and self._receiver().transport.state == "connected"

    def _obey(self, text: Any) -> None:
        self._heard = time.monotonic()
        try:
            if not isinstance(text, str) or len(text) > protocol.MAX_TEXT_BYTES:
                raise ProtocolError("bad_message", "the channel takes short JSON text only")
            message = protocol.parse_control(text)
        except ProtocolError as error:
            self.live.refuse(error)
            return
        if isinstance(message, Explain):
            self.live.explain(message.track)
        elif message.type == "bye":
            self.close(Close.NORMAL, "bye")
        else:
            self.live.control(message.type)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_STATUS_EVERY)
            services, counters = self._services, self.live.counters
            self.outlets.send(
                protocol.status(
                    engine=services.engine_in_use(),
                    fallback=services.fallback(),
                    received=counters.received,
                    analysed=counters.analysed,
                    dropped=counters.dropped,
                )
            )
            if self._intake is not None:
                self._intake.look_at_size()

    async def _watch(self, intake: Intake) -> None:
        """End a session that never connects, or that is connected and silent."""
        settings = self._services.settings
        try:
            async with asyncio.timeout(settings.webrtc_connect_seconds):
                await self._connected.wait()
        except TimeoutError:
            self.close(Close.NORMAL, f"no connection within {settings.webrtc_connect_seconds:g} s")
            return
        while True:
            await asyncio.sleep(1.0)
            silent = time.monotonic() - max(self._heard, intake.heard)
            if silent > settings.idle_seconds and not self.live.paused:
                self.close(Close.NORMAL, f"nothing came for {settings.idle_seconds:g} s")
                return
