"""RTP packets in order, and frames out of them the moment they are whole.

aiortc hands a frame on only when the next one begins, which costs a frame's time, and waits for a
gap until all is full.
"""

from __future__ import annotations

from typing import Any

from aiortc.jitterbuffer import JitterFrame

from stream_server.ingest.webrtc.aiortc_private import PacketBuffer

CAPACITY = 512  # packets, a power of two: more than the largest key frame has
RECOVERABLE = 128  # packets back that are still asked for and sent again (aiortc's history)


class RtpFrame(JitterFrame):
    """An encoded frame. The stack rewrites ``timestamp``; ``rtp`` stays as it was on the wire."""

    def __init__(self, data: bytes, timestamp: int) -> None:
        super().__init__(data, timestamp)
        self.rtp = timestamp


class FrameBuffer(PacketBuffer):
    """Puts packets in order and gives a frame out with its last packet (its RTP marker bit)."""

    def __init__(self) -> None:
        super().__init__(capacity=CAPACITY, is_video=True)
        self.lost = False  # packets were given up: what follows needs a key frame

    def add(self, packet: Any) -> tuple[bool, JitterFrame | None]:
        ask, frame = super().add(packet)
        if frame is None and not ask and self._give_up(packet.sequence_number):
            ask, frame = True, self.complete()
        self.lost = self.lost or ask
        return ask, frame

    def complete(self) -> RtpFrame | None:
        """The next frame if all of its packets are there."""
        if self.origin is None:
            return None
        data: list[bytes] = []
        timestamp: int | None = None
        for count in range(self.capacity):
            packet = self.packet(count)
            if packet is None:
                return None
            if timestamp is not None and packet.timestamp != timestamp:
                self.remove(count)
                return RtpFrame(data=b"".join(data), timestamp=timestamp)
            timestamp = packet.timestamp
            data.append(self.payload(packet))
            if packet.marker:
                self.remove(count + 1)
                return RtpFrame(data=b"".join(data), timestamp=timestamp)
        return None

    def _give_up(self, newest: int) -> bool:
        """Pass over a gap that is too old to be mended, instead of waiting until all is full."""
        assert self.origin is not None
        span = (newest - self.origin) % 65536
        if not RECOVERABLE <= span < CAPACITY:
            return False
        gap = next((place for place in range(span) if self.packet(place) is None), span)
        if span - gap < RECOVERABLE:
            return False
        self.smart_remove(gap + 1)
        return True
