"""The small parts of the WebRTC transport: offers, the receiver's queues, the clock, outlets."""

from __future__ import annotations

import asyncio
import json
import threading
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from aiortc.codecs import depayload
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from av import VideoFrame

from stream_server.ingest.webrtc import ice
from stream_server.ingest.webrtc.clock import MediaClock
from stream_server.ingest.webrtc.outlets import Outlets, TooManyReadersError
from stream_server.ingest.webrtc.receiver import (
    BACKLOG,
    RECOVERABLE,
    EncodedFrames,
    FrameBuffer,
    key_frame_size,
    tame,
)
from stream_server.ingest.webrtc.sdp import (
    Bitrates,
    OfferError,
    check_offer,
    munge_answer,
    read_fragment,
)
from stream_server.settings import SettingsError, load

OFFER = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789012345678901",
    "a=fingerprint:sha-256 AB",
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
    "a=sendonly",
    "a=mid:0",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:97 rtx/90000",
    "a=candidate:1 1 udp 2130706431 10.0.0.1 5000 typ host",
    "a=candidate:2 1 udp 2130706431 abc.local 5000 typ host",
    "a=candidate:3 1 tcp 2130706431 10.0.0.1 9 typ host tcptype active",
    "a=end-of-candidates",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "a=mid:1",
]


def test_an_offer_loses_what_slows_it_down():
    cleaned = check_offer("\n".join(OFFER)).split("\r\n")
    assert [line for line in OFFER if line not in cleaned] == OFFER[14:17]


@pytest.mark.parametrize(
    ("old", "new", "status", "says"),
    [
        ("m=video", "m=audio", 422, "no video track"),
        ("m=video 9", "m=video 0", 422, "no video track"),
        ("a=sendonly", "a=inactive", 422, "inactive"),
        ("VP8/90000", "AV1/90000", 422, "AV1"),
        ("a=group:BUNDLE 0 1", "a=x:y", 422, "BUNDLE"),
        ("m=application", "m=text", 422, "text"),
        ("a=ice-ufrag:", "a=x:", 400, "ice-ufrag"),
        ("a=fingerprint:", "a=x:", 400, "fingerprint"),
        ("typ host tcptype active", "", 201, ""),
    ],
)
def test_offers_that_ask_for_what_there_is_not(old, new, status, says):
    text = "\r\n".join(OFFER).replace(old, new)
    if status == 201:
        text = text.replace("10.0.0.1 9 ", "10.0.0.1 9 typ host")
        check_offer(text)
        return
    with pytest.raises(OfferError, match=says) as refused:
        check_offer(text)
    assert refused.value.status == status


def test_bitrates_go_on_video_codecs_alone():
    answer = "\r\n".join(
        [
            "m=audio 9 X 0",
            "a=rtpmap:0 PCMU/8000",
            "m=video 9 X 96 97 98",
            "a=rtpmap:96 VP8/90000",
            "a=rtpmap:97 rtx/90000",
            "a=fmtp:97 apt=96",
            "a=rtpmap:98 H264/90000",
            "a=fmtp:98 packetization-mode=1",
        ]
    )
    wanted = "x-google-start-bitrate=2;x-google-min-bitrate=1;x-google-max-bitrate=3"
    changed = munge_answer(answer, Bitrates(2, 1, 3)).split("\r\n")
    assert f"a=fmtp:96 {wanted}" in changed
    assert f"a=fmtp:98 packetization-mode=1;{wanted}" in changed
    assert "a=fmtp:97 apt=96" in changed
    assert sum("x-google" in line for line in changed) == 2


def test_a_fragment():
    fragment = read_fragment("a=ice-ufrag:u\r\na=ice-pwd:p\r\na=mid:0\r\n" + OFFER[13] + "\r\n")
    assert (fragment.ufrag, fragment.password) == ("u", "p")
    assert fragment.candidates == (OFFER[13].removeprefix("a="),)


def packet(number: int, timestamp: int, marker: bool = False, data: bytes = b"x"):
    return SimpleNamespace(
        sequence_number=number % 65536, timestamp=timestamp, marker=marker, _data=data
    )


def test_a_frame_leaves_with_its_last_packet():
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


def test_a_frame_without_a_marker_leaves_with_the_next():
    buffer = FrameBuffer()
    assert buffer.add(packet(65535, 10))[1] is None
    frame = buffer.add(packet(65536, 20))[1]
    assert frame is not None
    assert frame.timestamp == 10


def filled(max_pixels: int = 10**6):
    buffer, asked = FrameBuffer(), []
    frames = EncodedFrames(buffer, lambda: asked.append(1), max_pixels)
    return buffer, frames, asked


VP8 = SimpleNamespace(name="VP8")
KEY = b"\x10\x00\x00\x9d\x01\x2a" + (640).to_bytes(2, "little") + (360).to_bytes(2, "little")
HUGE = b"\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f"
DELTA = b"\x11" + b"\x00" * 9


def test_a_filled_gap_lets_all_waiting_frames_out_in_order():
    buffer, frames, _ = filled()
    assert buffer.add(packet(0, 0, True, KEY))[1] is not None
    for number in (2, 3, 4):
        assert buffer.add(packet(number, number, True, DELTA))[1] is None
    _, frame = buffer.add(packet(1, 1, True, DELTA))
    frames.put((VP8, frame))
    assert [frames.get()[1].timestamp for _ in range(frames.qsize())] == [1, 2, 3, 4]


def feed(buffer, frames, number: int, data: bytes) -> None:
    _, frame = buffer.add(packet(number, number * 9000, True, data))
    if frame is not None:
        frames.put((VP8, frame))


def test_what_waits_for_the_decoder_is_bounded_and_starts_again_at_a_key_frame():
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


def test_after_lost_packets_nothing_torn_is_decoded():
    buffer, frames, asked = filled()
    feed(buffer, frames, 0, KEY)
    for number in range(2, 600):  # 1 never comes
        feed(buffer, frames, number, DELTA)
    assert frames.qsize() == 1
    assert asked
    feed(buffer, frames, 600, KEY)
    assert frames.qsize() == 2


def test_a_gap_is_given_up_when_it_cannot_be_mended_any_more():
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


def test_a_frame_of_many_packets_is_no_gap():
    buffer, frames, asked = filled()
    for number in range(300):
        _, frame = buffer.add(packet(number, 0, number == 299, KEY if number == 0 else b"x"))
    frames.put((VP8, frame))
    assert frames.qsize() == 1
    assert not asked


def test_a_huge_key_frame_never_reaches_the_decoder():
    buffer, frames, _ = filled(max_pixels=640 * 360)
    feed(buffer, frames, 0, HUGE)
    feed(buffer, frames, 1, DELTA)
    assert frames.qsize() == 0
    assert frames.too_large == (16383, 16383)
    feed(buffer, frames, 2, KEY)
    assert frames.qsize() == 1
    assert frames.too_large is None


def test_timestamps_go_on_over_the_wrap():
    buffer, frames, _ = filled()
    for number, timestamp in enumerate((2**32 - 3000, 0, 3000)):
        _, frame = buffer.add(packet(number, timestamp, True, KEY))
        frames.put((VP8, frame))
    stamps = [frames.get()[1].timestamp for _ in range(3)]
    assert stamps == [2**32 - 3000, 2**32, 2**32 + 3000]
    assert frames.arrived(stamps[0]) is not None
    assert frames.arrived(stamps[0]) is None


def encoded(encoder, size: tuple[int, int], count: int) -> list[bytes]:
    packets = []
    for number in range(count):
        picture = np.full((size[1], size[0], 3), 40 + number * 20, np.uint8)
        frame = VideoFrame.from_ndarray(picture, "rgb24")
        frame.pts, frame.time_base = number * 3000, Fraction(1, 90_000)
        packets.append(encoder.encode(frame)[0])
    return packets


def test_key_frames_of_real_encoders_are_known():
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
def test_rubbish_is_no_key_frame(codec, data):
    assert key_frame_size(codec, data) is None


async def test_the_stack_still_has_the_parts_that_are_replaced():
    receiver = RTCRtpReceiver("video", SimpleNamespace(state="new"))
    frames = tame(receiver, 10**6)
    assert receiver._RTCRtpReceiver__decoder_queue is frames
    assert isinstance(receiver._RTCRtpReceiver__jitter_buffer, FrameBuffer)
    assert isinstance(receiver._RTCRtpReceiver__decoder_error, threading.Event)
    with pytest.raises(AttributeError):
        tame(SimpleNamespace(), 10**6)


@pytest.mark.parametrize("fps", [15, 24, 25, 29.97, 30, 50, 60])
def test_due_frames_keep_the_rate(fps):
    clock = MediaClock(10)
    due = [clock.tick(round(i * 90_000 / fps)) for i in range(round(fps * 10))]
    assert 95 <= sum(tick.due for tick in due) <= 101
    assert due[-1].media_time == pytest.approx((len(due) - 1) / fps, abs=1e-3)


def test_a_step_back_is_a_jump_and_time_goes_on():
    clock = MediaClock(10)
    times = [clock.tick(pts) for pts in (0, 9000, 18_000, 0, 9000, 90_000_000, 90_009_000)]
    assert [tick.jumped for tick in times] == [False, False, False, True, False, True, False]
    assert [round(tick.media_time, 1) for tick in times] == [0, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4]
    assert all(tick.due for tick in times)


async def test_a_reader_that_sleeps_loses_the_oldest():
    outlets = Outlets()
    outlets.greeting = {"type": "welcome"}
    events = outlets.events()
    assert json.loads((await anext(events)).split("data: ")[1]) == {"type": "welcome"}
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    for number in range(200):
        outlets.send({"type": "verdict", "frame_id": number})
    outlets.close()
    heard = [await waiting] + [one async for one in events]
    numbers = [json.loads(one.split("data: ")[1])["frame_id"] for one in heard]
    assert numbers == list(range(200 - len(numbers), 200))
    assert len(numbers) <= 64


async def test_readers_are_limited():
    outlets = Outlets()
    outlets.greeting = {"type": "welcome"}
    readers = [outlets.events() for _ in range(9)]
    for reader in readers[:8]:
        await anext(reader)
    assert outlets.full
    with pytest.raises(TooManyReadersError, match="8"):
        await anext(readers[8])
    for reader in readers:
        await reader.aclose()
    assert not outlets.full


class Channel:
    readyState = "open"  # noqa: N815  the stack's name

    def __init__(self) -> None:
        self.bufferedAmount = 0  # the stack's name
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)
        self.bufferedAmount += 1000


def test_a_channel_that_does_not_drain_is_left_out():
    outlets, channel = Outlets(), Channel()
    outlets.greeting = {"type": "welcome"}
    outlets.use_channel(channel)
    for number in range(1000):
        outlets.send({"type": "verdict", "frame_id": number})
    assert len(channel.sent) == 66
    channel.bufferedAmount = 0
    outlets.send({"type": "status"})
    assert channel.sent[-1] == '{"type":"status"}'


def test_ice_servers_come_from_the_settings_alone():
    assert ice.ice_servers(load()) == []
    assert ice.link_headers(load()) == []
    settings = load(stun_url="stun:a:1", turn_url="turns:b", turn_username="u", turn_credential="c")
    assert [server.urls for server in ice.ice_servers(settings)] == ["stun:a:1", "turns:b"]
    assert ice.link_headers(settings)[1].startswith('<turns:b>; rel="ice-server"; username="u"')


@pytest.mark.parametrize(
    "more",
    [{"stun_url": "http://x"}, {"turn_url": "stun:x"}, {"tokens": {"a": {"role": "king"}}}],
)
def test_bad_settings_are_refused(more):
    with pytest.raises(SettingsError):
        load(**more)


def test_a_token_in_a_bad_setting_is_not_shown(monkeypatch):
    monkeypatch.setenv("FAKELIGHT_TOKENS", '{"desk": {"role": "viewer", "token": "short-secret"}}')
    with pytest.raises(SettingsError, match="16") as refused:
        load()
    assert "short-secret" not in str(refused.value)
    monkeypatch.setenv("FAKELIGHT_TOKENS", "desk")
    with pytest.raises(SettingsError, match="JSON"):
        load()
