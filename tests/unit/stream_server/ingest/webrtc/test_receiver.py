from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from stream_server.ingest.webrtc import aiortc_private as private
from stream_server.ingest.webrtc.jitter_buffer import FrameBuffer
from stream_server.ingest.webrtc.receiver import DECODER_PIXELS, bound


async def test_a_receiver_gets_queues_that_end() -> None:
    receiver = RTCRtpReceiver("video", SimpleNamespace(state="new"))
    frames = bound(receiver, 10**6)
    assert getattr(receiver, private.DECODER_QUEUE) is frames
    assert isinstance(getattr(receiver, private.JITTER_BUFFER), FrameBuffer)
    with pytest.raises(AttributeError):
        bound(SimpleNamespace(), 10**6)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_decoders_are_told_how_large_a_picture_may_be(codec: str) -> None:
    from aiortc import rtcrtpreceiver

    decoder: Any = vars(rtcrtpreceiver)["get_decoder"](SimpleNamespace(mimeType=f"video/{codec}"))
    assert decoder.codec.options == {"max_pixels": str(DECODER_PIXELS)}
