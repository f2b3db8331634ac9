"""One WebRTC source: its peer connection, the session behind it, and their common end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

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
from stream_server.ingest.push import Pusher
from stream_server.ingest.webrtc import h264, ice
from stream_server.ingest.webrtc.aiortc_private import connection_of
from stream_server.ingest.webrtc.dtls import take_rsa
from stream_server.ingest.webrtc.ice_session import IceSession
from stream_server.ingest.webrtc.intake import Intake
from stream_server.ingest.webrtc.outlets import CHANNEL, Outlets
from stream_server.ingest.webrtc.sdp import Bitrates, OfferError, munge_answer
from stream_server.problem import ProblemError
from stream_server.protocol import Close, Source
from stream_server.server.auth import Caller
from stream_server.server.services import Services

_log = logging.getLogger(__name__)
_LOOK_EVERY = 1.0  # seconds between two looks at whether the source is still there
_GOODBYE = 0.2  # seconds for the last message to leave by the data channel


class Peer:
    """A WHIP session. ``answer`` opens it, ``run`` lives as long as it does, ``let_go`` gives it
    back where it never ran. With ``monitor`` its pictures go there instead of to the session.

    Raises ``OverLimitError`` when its caller, or all together, have as many streams open as there
    may be, ``ProblemError`` where no such monitor waits for a push.
    """

    def __init__(
        self,
        services: Services,
        caller: Caller,
        source: Source,
        window: int | None,
        monitor: str | None = None,
    ) -> None:
        self.outlets = Outlets()
        self.session = services.streams.open(self.outlets.send, caller, source, window)
        self._settings = services.settings
        self._pusher: Pusher | None = None
        if monitor is not None:
            try:
                self._pusher = services.pushes.push(monitor)
            except ProblemError:
                self.session.release()
                raise
        servers = ice.ice_servers(services.settings)
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        take_rsa(self._pc)
        self._pc.on("track", self._on_track)
        self._pc.on("datachannel", self._on_channel)
        self._pc.on("connectionstatechange", self._on_state)
        self._intake: Intake | None = None
        self._parameter_sets: dict[int, bytes] = {}
        self._ice_session: IceSession | None = None
        self._connected = asyncio.Event()
        self._heard = time.monotonic()

    @property
    def ice(self) -> IceSession:
        """The network path of a session that has been answered."""
        assert self._ice_session is not None, "answer() comes first"
        return self._ice_session

    async def answer(self, offer: str) -> str:
        """The answer to a checked offer. Raises ``OfferError`` for one that the stack refuses."""
        settings = self._settings
        offered = h264.taken(offer)
        self._parameter_sets = offered.sets
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(offered.text, "offer"))
            self._refuse_sound()
            transport = self._ice_transport()
            ice.use_addresses(connection_of(transport), settings)
            self._ice_session = IceSession(
                self.session.id,
                transport,
                settings,
                candidates=offer.count("a=candidate:"),
                connected=self._connected.is_set,
            )
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        except Exception as error:  # the stack raises whatever its parser stumbles over
            _log.info("stream %s: the offer was refused: %r", self.session.id, error)
            raise OfferError(
                400, f"the offer cannot be used: {error or type(error).__name__}"
            ) from None
        if self._intake is None:
            raise OfferError(422, "the offer has no video that this server can decode")
        self.outlets.greeting = self.session.welcome()
        rates = Bitrates(
            settings.webrtc_start_kbit, settings.webrtc_min_kbit, settings.webrtc_max_kbit
        )
        answer = h264.answered(self._pc.localDescription.sdp, offered.changed)
        return munge_answer(answer, rates)

    async def run(self) -> None:
        """Everything between the answer and the end."""
        assert self._intake is not None, "answer() comes first"
        try:
            ending = await self.session.run(self._intake.run(), self._watch(self._intake))
            self.outlets.send(protocol.closed(ending.code, ending.reason))
        finally:
            await self.let_go()

    async def let_go(self) -> None:
        """Give back everything, also of a session whose answer never left."""
        self.outlets.close()
        if self._pusher is not None:
            self._pusher.close()
        self.session.release()
        if self._connected.is_set():
            await asyncio.sleep(_GOODBYE)
        if self._ice_session is not None:
            await self._ice_session.abandon_restarts()
        with contextlib.suppress(Exception):  # a half-open connection may fail in any way
            await self._pc.close()
            if self._ice_session is not None:
                await self._ice_session.close()

    def _ice_transport(self) -> RTCIceTransport:
        return self._receiver().transport.transport

    def _receiver(self) -> RTCRtpReceiver:
        return next(one.receiver for one in self._pc.getTransceivers() if one.kind == "video")

    def _refuse_sound(self) -> None:
        for transceiver in self._pc.getTransceivers():
            if transceiver.kind == "audio":
                transceiver.direction = "inactive"  # sound is not judged, so it is not taken

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            sink = self._pusher or self.session.live
            self._intake = Intake(
                sink, self._settings, track, self._receiver(), self._parameter_sets
            )

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL:
            channel.on("message", self._on_message)
            self.outlets.use_channel(channel)

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if state == "connected":
            self._connected.set()
            self._heard = time.monotonic()
        elif state == "closed" or (state == "failed" and not self._may_come_back()):
            self.session.close(Close.NORMAL, "the connection to the source is gone")

    def _may_come_back(self) -> bool:
        """Whether only the network is gone: DTLS still stands, and waits on the proxy."""
        return self._connected.is_set() and self._receiver().transport.state == "connected"

    def _on_message(self, text: object) -> None:
        self._heard = time.monotonic()
        self.session.read(text)

    async def _watch(self, intake: Intake) -> None:
        """End a session that never connects, or that is connected and silent."""
        settings, session = self._settings, self.session
        try:
            async with asyncio.timeout(settings.webrtc_connect_seconds):
                await self._connected.wait()
        except TimeoutError:
            session.close(
                Close.NORMAL, f"no connection within {settings.webrtc_connect_seconds:g} s"
            )
            return
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            intake.look_at_size()
            intake.look_at_decoding()
            heard = max(self._heard, intake.heard, self.ice.renewed)
            if time.monotonic() - heard > settings.idle_seconds and not session.live.paused:
                session.close(Close.NORMAL, f"nothing came for {settings.idle_seconds:g} s")
                return
