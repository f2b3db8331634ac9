"""Encoded frames on their way to the decoder: bounded, whole, and looked at for their size.

aiortc keeps every encoded frame that its decoder has not got to, and decodes pictures of any size.
"""

from __future__ import annotations

import queue
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from stream_server.ingest.webrtc import h264
from stream_server.ingest.webrtc.jitter_buffer import FrameBuffer, RtpFrame

BACKLOG = 60  # encoded frames that may wait for the decoder
_ASK_AGAIN = 1.0  # seconds between two requests for a key frame
_PATIENCE = 3.0
_REMEMBERED = 256
_CYCLE = 1 << 32


class EncodedFrames(queue.Queue[Any]):
    """What waits for the decoder thread: at most ``BACKLOG`` frames.

    After a loss, or when the decoder falls behind, everything up to the next key frame is left out:
    pictures built on missing ones are torn, and a torn face looks manipulated. Timestamps are RTP's
    own, unwrapped, so that ``pts % 2**32`` of a decoded frame is what the sender put on the wire.
    ``came`` counts all of them. ``parameter_sets`` are H.264's from the offer, by payload type, for
    senders that do not put them into the stream.
    """

    def __init__(
        self, buffer: FrameBuffer, ask_key_frame: Callable[[], None], max_pixels: int
    ) -> None:
        super().__init__()
        self._buffer = buffer
        self._ask = ask_key_frame
        self._max_pixels = max_pixels
        self._last: int | None = None
        self._asked = self._since = 0.0
        self._arrivals: OrderedDict[int, float] = OrderedDict()
        self.waiting_for_key = False
        self.left_out = 0
        self.came = 0
        self.parameter_sets: dict[int, bytes] = {}
        self.too_large: tuple[int, int] | None = None

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is None:
            super().put(None, block, timeout)
            return
        codec, frame = item
        while frame is not None:  # a filled gap completes several frames at once
            self._take(codec, frame)
            frame = self._buffer.complete()

    def arrived(self, pts: int) -> float | None:
        """When the last packet of the frame came, on the monotonic clock."""
        return self._arrivals.pop(pts, None)

    def _take(self, codec: Any, frame: RtpFrame) -> None:
        now = time.monotonic()
        self.came += 1
        sets = self.parameter_sets.get(codec.payloadType)
        if sets is not None:
            frame.data = h264.with_parameter_sets(frame.data, sets)
        size = key_frame_size(codec.name, frame.data)
        if self._buffer.lost or self.qsize() >= BACKLOG:
            self._buffer.lost = False
            self._wait_for_key(now)
        if size is not None:
            too_large = size[0] * size[1] > self._max_pixels
            self.too_large = size if too_large else None
            self.waiting_for_key = too_large or self.qsize() >= BACKLOG
        elif self.waiting_for_key and not self.too_large and now - self._since > _PATIENCE:
            self.waiting_for_key = False  # some senders refresh bit by bit and send no key frame
        if self.waiting_for_key:
            self.left_out += 1
            if now - self._asked >= _ASK_AGAIN and not self.too_large:
                self._asked = now
                self._ask()
            return
        frame.timestamp = self._unwrapped(frame.rtp)
        self._arrivals[frame.timestamp] = now
        while len(self._arrivals) > _REMEMBERED:
            self._arrivals.popitem(last=False)
        super().put((codec, frame))

    def _wait_for_key(self, now: float) -> None:
        if not self.waiting_for_key:
            self.waiting_for_key = True
            self._since = now

    def _unwrapped(self, rtp: int) -> int:
        if self._last is None:
            self._last = rtp
        else:  # the nearest value that is the same modulo 2**32
            self._last += (rtp - self._last + _CYCLE // 2) % _CYCLE - _CYCLE // 2
            if self._last < 0:
                self._last += _CYCLE
        return self._last


def key_frame_size(codec: str, data: bytes) -> tuple[int, int] | None:
    """Width and height of a key frame, ``None`` for any other frame.

    VP8 tells its size in ten bytes (RFC 6386, 9.1). An H.264 key frame counts as 0 by 0: its
    decoder checks the size by itself before it allocates.
    """
    if codec == "VP8":
        if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
            return None
        return (
            int.from_bytes(data[6:8], "little") & 0x3FFF,
            int.from_bytes(data[8:10], "little") & 0x3FFF,
        )
    if codec == "H264":
        start = data.find(b"\x00\x00\x01")
        while 0 <= start < len(data) - 3:
            if data[start + 3] & 0x1F in (5, 7):
                return (0, 0)
            start = data.find(b"\x00\x00\x01", start + 3, 1024)
    return None
