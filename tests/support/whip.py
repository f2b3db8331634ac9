"""A WHIP client made of aiortc's own client side, as an independent source would be."""

from __future__ import annotations

import asyncio
import json
import time
from fractions import Fraction
from typing import Any

import httpx2 as httpx
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamTrack
from av import VideoFrame

from tests.support.server import TOKEN

SDP = "application/sdp"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


class Pictures(MediaStreamTrack):
    """A video track that shows ``pictures`` (uint8 ``[H, W, 3]``) again and again."""

    kind = "video"

    def __init__(self, pictures: Any, rate: float = 30.0) -> None:
        super().__init__()
        self.pictures = pictures
        self.rate = rate
        self.sent = 0
        self.started: float | None = None
        self.sent_at: dict[int, float] = {}

    async def recv(self) -> VideoFrame:
        now = time.monotonic()
        if self.started is None:
            self.started = now
        await asyncio.sleep(max(0.0, self.started + self.sent / self.rate - now))
        frame = VideoFrame.from_ndarray(self.pictures[self.sent % len(self.pictures)], "rgb24")
        frame.pts = round(self.sent * 90_000 / self.rate)
        frame.time_base = Fraction(1, 90_000)
        self.sent_at[frame.pts] = time.monotonic()
        self.sent += 1
        return frame


class WhipClient:
    """Publishes tracks and collects what the server says."""

    def __init__(self, url: str, token: str = TOKEN, **http: Any) -> None:
        self.url = url
        self.http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60, **http
        )
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.path = "/whip"
        self.location = ""
        self.etag = ""
        self.answer = ""
        self.offer = ""
        self.channel: Any = None

    async def __aenter__(self) -> WhipClient:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.pc.close()
        await self.http.aclose()

    def video(self, track: MediaStreamTrack, codec: str | None = None) -> None:
        self.pc.addTransceiver(track, direction="sendonly")
        if codec is not None:
            known = RTCRtpSender.getCapabilities("video").codecs
            chosen = [one for one in known if one.mimeType in (f"video/{codec}", "video/rtx")]
            self.pc.getTransceivers()[-1].setCodecPreferences(chosen)

    def listen(self) -> None:
        self.channel = self.pc.createDataChannel("verdicts")
        self.channel.on("message", lambda text: self.messages.put_nowait(json.loads(text)))

    async def make_offer(self) -> str:
        """The offer, with candidates on 127.0.0.1 only: tests need no other network."""
        for transceiver in self.pc.getTransceivers():
            only_loopback(transceiver.sender.transport.transport._connection)
        if self.pc.sctp is not None:
            only_loopback(self.pc.sctp.transport.transport._connection)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self.offer = self.pc.localDescription.sdp
        return self.offer

    async def post(self, offer: str, **headers: str) -> httpx.Response:
        return await self.http.post(
            self.path, content=offer, headers={"Content-Type": SDP, **headers}
        )

    async def publish(
        self, change: Any = lambda answer: answer, told: Any = lambda offer: offer
    ) -> httpx.Response:
        """Open the stream; ``told`` is what the server gets to read of the offer, ``change`` what
        the client's own stack gets to read of the answer."""
        answer = await self.post(told(await self.make_offer()))
        assert answer.status_code == 201, answer.text
        self.location, self.etag = answer.headers["location"], answer.headers["etag"]
        self.answer = answer.text
        await self.pc.setRemoteDescription(RTCSessionDescription(change(answer.text), "answer"))
        return answer

    async def next(self, *kinds: str, patience: float = 60.0) -> dict[str, Any]:
        """The next message of one of ``kinds`` (any but status if none is named)."""
        async with asyncio.timeout(patience):
            while True:
                message = await self.messages.get()
                if message["type"] in kinds or (not kinds and message["type"] != "status"):
                    return message


def only_loopback(connection: Any) -> None:
    gather = connection.get_component_candidates

    async def gather_loopback(component: Any, addresses: Any) -> Any:
        del addresses
        return await gather(component=component, addresses=["127.0.0.1"])

    connection.get_component_candidates = gather_loopback


__all__ = ["AUTH", "SDP", "Pictures", "VideoStreamTrack", "WhipClient", "only_loopback"]
