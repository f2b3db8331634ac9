"""aiortc's video receiver, bounded: frames leave at once, queues end, huge pictures are refused."""

from __future__ import annotations

from typing import Any

from aiortc.rtcrtpreceiver import RTCRtpReceiver

from stream_server.ingest.webrtc.aiortc_private import (
    change_decoders,
    key_frame_request,
    replace_queues,
)
from stream_server.ingest.webrtc.encoded_frames import EncodedFrames
from stream_server.ingest.webrtc.jitter_buffer import FrameBuffer

DECODER_PIXELS = 7680 * 4320  # what a decoder allocates for at most; the settings ask for less


def _modest(context: Any) -> None:
    """Let a decoder refuse huge pictures and take one thread: streams outnumber cores."""
    context.options = {"max_pixels": str(DECODER_PIXELS)}
    context.thread_count = 1


change_decoders(_modest)


def bound(receiver: RTCRtpReceiver, max_pixels: int) -> EncodedFrames:
    """Bound the queues of a receiver that has not started yet.

    Raises ``AttributeError`` where this release of aiortc has no such parts.
    """
    buffer = FrameBuffer()
    frames = EncodedFrames(buffer, key_frame_request(receiver).set, max_pixels)
    replace_queues(receiver, buffer, frames)
    return frames
