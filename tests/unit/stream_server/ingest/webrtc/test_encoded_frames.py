"""What reaches the decoder, and what does not."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from aiortc.codecs import depayload
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from av import VideoFrame

from stream_server.ingest.webrtc.encoded_frames import BACKLOG, EncodedFrames, key_frame_size
from stream_server.ingest.webrtc.jitter_buffer import RECOVERABLE, FrameBuffer
from tests.unit.stream_server.ingest.webrtc.packets import packet


def filled(max_pixels: int = 10**6) -> Any:
    buffer, asked = FrameBuffer(), []
    frames = EncodedFrames(buffer, lambda: asked.append(1), max_pixels)
    return buffer, frames, asked


VP8 = SimpleNamespace(name="VP8", payloadType=96)
KEY = b"\x10\x00\x00\x9d\x01\x2a" + (640).to_bytes(2, "little") + (360).to_bytes(2, "little")
HUGE = b"\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f"
DELTA = b"\x11" + b"\x00" * 9


def test_a_filled_gap_lets_all_waiting_frames_out_in_order() -> None:
    buffer, frames, _ = filled()
    assert buffer.add(packet(0, 0, True, KEY))[1] is not None
    for number in (2, 3, 4):
        assert buffer.add(packet(number, number, True, DELTA))[1] is None
    _, frame = buffer.add(packet(1, 1, True, DELTA))
    frames.put((VP8, frame))
    assert [frames.get()[1].timestamp for _ in range(frames.qsize())] == [1, 2, 3, 4]


def feed(buffer: Any, frames: Any, number: int, data: bytes) -> None:
    _, frame = buffer.add(packet(number, number * 9000, True, data))
    if frame is not None:
        frames.put((VP8, frame))


def test_what_waits_for_the_decoder_is_bounded_and_starts_again_at_a_key_frame() -> None:
    buffer, frames, asked = filled()
    feed(buffer, frames, 0, KEY)
    for number in range(1, 500):
        feed(buffer, frames, number, DELTA)
    assert frames.qsize() == BACKLOG
    assert frames.left_out == 500 - BACKLOG
    assert len(asked) == 1
    while frames.qsize():
        frames.get()
    feed(buffer, frames, 500, DELTA)
    assert frames.qsize() == 0
    feed(buffer, frames, 501, KEY)
    feed(buffer, frames, 502, DELTA)
    assert frames.qsize() == 2


def test_after_lost_packets_nothing_torn_is_decoded() -> None:
    buffer, frames, asked = filled()
    feed(buffer, frames, 0, KEY)
    for number in range(2, 600):  # 1 never comes
        feed(buffer, frames, number, DELTA)
    assert frames.qsize() == 1
    assert asked
    feed(buffer, frames, 600, KEY)
    assert frames.qsize() == 2


def test_a_gap_is_given_up_when_it_cannot_be_mended_any_more() -> None:
    buffer, frames, asked = filled()
    feed(buffer, frames, 0, KEY)
    for number in range(2, 1 + RECOVERABLE):  # 1 does not come
        feed(buffer, frames, number, DELTA)
    assert not asked
    feed(buffer, frames, 1 + RECOVERABLE, KEY)
    assert asked
    feed(buffer, frames, 2 + RECOVERABLE, DELTA)
    stamps = [frames.get()[1].timestamp // 9000 for _ in range(frames.qsize())]
    assert stamps == [0, 1 + RECOVERABLE, 2 + RECOVERABLE]


def test_a_frame_of_many_packets_is_no_gap() -> None:
    buffer, frames, asked = filled()
    for number in range(300):
        _, frame = buffer.add(packet(number, 0, number == 299, KEY if number == 0 else b"x"))
    frames.put((VP8, frame))
    assert frames.qsize() == 1
    assert not asked


def test_a_huge_key_frame_never_reaches_the_decoder() -> None:
    buffer, frames, _ = filled(max_pixels=640 * 360)
    feed(buffer, frames, 0, HUGE)
    feed(buffer, frames, 1, DELTA)
    assert frames.qsize() == 0
    assert frames.too_large == (16383, 16383)
    feed(buffer, frames, 2, KEY)
    assert frames.qsize() == 1
    assert frames.too_large is None


def test_timestamps_go_on_over_the_wrap() -> None:
    buffer, frames, _ = filled()
    for number, timestamp in enumerate((2**32 - 3000, 0, 3000)):
        _, frame = buffer.add(packet(number, timestamp, True, KEY))
        frames.put((VP8, frame))
    stamps = [frames.get()[1].timestamp for _ in range(3)]
    assert stamps == [2**32 - 3000, 2**32, 2**32 + 3000]
    assert frames.arrived(stamps[0]) is not None
    assert frames.arrived(stamps[0]) is None


def encoded(encoder: Any, size: tuple[int, int], count: int) -> list[bytes]:
    packets = []
    for number in range(count):
        picture = np.full((size[1], size[0], 3), 40 + number * 20, np.uint8)
        frame = VideoFrame.from_ndarray(picture, "rgb24")
        frame.pts, frame.time_base = number * 3000, Fraction(1, 90_000)
        packets.append(encoder.encode(frame)[0])
    return packets


def test_key_frames_of_real_encoders_are_known() -> None:
    vp8, h264 = SimpleNamespace(name="VP8"), SimpleNamespace(name="H264")
    for encoder, codec, size in ((Vp8Encoder(), vp8, (320, 240)), (H264Encoder(), h264, (0, 0))):
        sizes = [
            key_frame_size(codec.name, b"".join(depayload(codec, one) for one in packets))
            for packets in encoded(encoder, (320, 240), 3)
        ]
        assert sizes == [size, None, None]


@pytest.mark.parametrize("codec", ["VP8", "H264", "AV1"])
@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x00\x00\x01", b"\x10\x00\x00\x9d\x01\x2a", b"ab"]
)
def test_rubbish_is_no_key_frame(codec: str, data: bytes) -> None:
    assert key_frame_size(codec, data) is None
