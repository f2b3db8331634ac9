"""Decoded frames of a source on their way to its live stream."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from stream_server.ingest.push import FrameSink
from stream_server.ingest.webrtc.clock import MediaClock
from stream_server.ingest.webrtc.receiver import bound
from stream_server.live import Job
from stream_server.protocol import FrameHeader, ProtocolError
from stream_server.settings import Settings
from stream_server.vision.types import Image

_LOOKED_AT = 1.5  # seconds since the last decoded picture from which one is missing
UNDECODABLE_SECONDS = 3.5
"""Seconds in which encoded pictures come and none can be decoded, until the client is told."""


class Intake:
    """Takes every frame at once, names it by its RTP timestamp, and offers those that are due.

    ``heard`` is when the last frame came, on the monotonic clock.
    """

    def __init__(
        self,
        live: FrameSink,
        settings: Settings,
        track: MediaStreamTrack,
        receiver: RTCRtpReceiver,
        parameter_sets: dict[int, bytes] | None = None,
    ) -> None:
        self.heard = time.monotonic()
        self._live = live
        self._limit = settings.max_pixels
        self._track = track
        self._encoded = bound(receiver, settings.max_pixels)
        self._encoded.parameter_sets = parameter_sets or {}
        self._came_before = 0
        self._undecoded_since: float | None = None
        self._clock = MediaClock(settings.sample_hz)
        self._told_too_large = False

    async def run(self) -> None:
        """Until the track ends. It never waits for analysis, so the stack's queue stays empty."""
        while True:
            try:
                frame = await self._track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, VideoFrame) and frame.pts is not None:
                self._take(frame, frame.pts)

    def look_at_size(self) -> None:
        """Tell the client of a picture that was too large to be decoded; asked now and then."""
        if self._encoded.too_large is not None:
            self._refuse_size(*self._encoded.too_large)
        else:
            self._told_too_large = False

    def look_at_decoding(self) -> None:
        """Tell the client where pictures come and none can be decoded; asked now and then."""
        now = time.monotonic()
        coming = self._encoded.came > self._came_before
        self._came_before = self._encoded.came
        if now - self.heard < _LOOKED_AT or self._encoded.too_large is not None:
            self._undecoded_since = self._live.trouble = None
        elif coming and self._undecoded_since is None:
            self._undecoded_since = now
        since = self._undecoded_since
        if since is None or self._live.trouble or now - since < UNDECODABLE_SECONDS - _LOOKED_AT:
            return
        self._live.trouble = (
            "pictures come, but none can be decoded: the sender's codec settings do not fit, or it"
            " sends no key frame"
        )
        self._live.refuse(ProtocolError("undecodable", self._live.trouble))

    def _take(self, frame: VideoFrame, pts: int) -> None:
        if frame.is_corrupt:
            return  # what a decoder makes of an encrypted stream, or of one with holes
        self.heard = time.monotonic()
        arrived = self._encoded.arrived(pts) or self.heard
        tick = self._clock.tick(pts)
        if tick.jumped:
            self._live.control("seek")
        if frame.width * frame.height > self._limit:
            self._refuse_size(frame.width, frame.height)
            return
        if not tick.due:
            self._live.skip()
            return
        header = FrameHeader(
            frame_id=pts % 2**32,
            media_time=tick.media_time,
            width=frame.width,
            height=frame.height,
        )
        self._live.offer(Job(header, partial(_picture, frame), arrived))

    def _refuse_size(self, width: int, height: int) -> None:
        if not self._told_too_large:
            self._told_too_large = True
            limit = f"the limit is {self._limit} pixels"
            self._live.refuse_frame(
                ProtocolError("too_many_pixels", f"the video is {width}x{height}; {limit}")
            )


def _picture(frame: VideoFrame) -> Image:
    """The frame as RGB, uint8 ``[H, W, 3]``."""
    # One thread: more would be started for each frame anew.
    return np.asarray(frame.to_ndarray(format="rgb24", threads=1), np.uint8)
