from __future__ import annotations

from aiortc.jitterbuffer import JitterBuffer

from stream_server.ingest.webrtc.jitter_buffer import FrameBuffer
from tests.unit.stream_server.ingest.webrtc.packets import packet


def test_a_frame_leaves_with_its_last_packet() -> None:
    ours, theirs = FrameBuffer(), JitterBuffer(capacity=512, is_video=True)
    for buffer, comes in ((ours, 1), (theirs, 2)):
        assert buffer.add(packet(0, 10))[1] is None
        frame = buffer.add(packet(1, 10, marker=True, data=b"y"))[1]
        if comes == 1:
            assert frame is not None
            assert (frame.data, frame.timestamp) == (b"xy", 10)
        else:
            assert frame is None  # the stack's own waits for the next frame
            assert buffer.add(packet(2, 20))[1] is not None


def test_a_frame_without_a_marker_leaves_with_the_next() -> None:
    buffer = FrameBuffer()
    assert buffer.add(packet(65535, 10))[1] is None
    frame = buffer.add(packet(65536, 20))[1]
    assert frame is not None
    assert frame.timestamp == 10
