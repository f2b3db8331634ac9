"""Decoded frames on their way to a live stream: which are offered, and under what name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from av import AudioFrame, VideoFrame

from stream_server.ingest.webrtc.intake import Intake
from stream_server.live import Counters
from stream_server.settings import load


class Clip(MediaStreamTrack):
    """A track that gives out what it was made of, and ends."""

    kind = "video"

    def __init__(self, frames: Any) -> None:
        super().__init__()
        self.frames = list(frames)

    async def recv(self) -> Any:
        if not self.frames:
            raise MediaStreamError
        return self.frames.pop(0)


class Offered:
    """Stands in for a live stream: keeps what it is offered instead of analysing it."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.jobs: list[Any] = []
        self.errors: list[Any] = []
        self.controls: list[Any] = []
        self.trouble: str | None = None

    def offer(self, job: Any) -> None:
        self.jobs.append(job)

    def skip(self) -> None:
        self.counters.dropped += 1

    def refuse_frame(self, error: Any) -> None:
        self.errors.append(error)

    def refuse(self, error: Any) -> None:
        self.errors.append(error)

    def control(self, kind: str) -> None:
        self.controls.append(kind)


def frame(pts: int | None, size: tuple[int, ...] = (64, 48)) -> VideoFrame:
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    made = VideoFrame.from_ndarray(picture, "rgb24")
    made.pts = pts
    return made


async def taken(frames: Any, max_pixels: int = 640 * 480) -> Offered:
    live = Offered()
    settings = load(max_pixels=max_pixels)
    receiver = RTCRtpReceiver("video", SimpleNamespace(state="new"))
    await Intake(live, settings, Clip(frames), receiver).run()
    return live


async def test_ten_of_thirty_frames_a_second_are_offered_and_the_rest_are_counted() -> None:
    live = await taken(frame(i * 3000) for i in range(30))
    assert [job.header.frame_id for job in live.jobs] == [i * 9000 for i in range(10)]
    assert [job.header.media_time for job in live.jobs] == pytest.approx(
        [i / 10 for i in range(10)]
    )
    assert live.counters.dropped == 20
    assert live.jobs[0].decode().shape == (48, 64, 3)


async def test_a_frame_s_name_is_what_was_on_the_wire() -> None:
    live = await taken([frame(2**32 + 5)])
    assert live.jobs[0].header.frame_id == 5
    assert live.jobs[0].header.captured_at is None


async def test_a_jump_is_a_seek() -> None:
    live = await taken([frame(90_000), frame(0), frame(9000)])
    assert live.controls == ["seek"]
    assert len(live.jobs) == 3


async def test_a_picture_over_the_limit_is_told_once() -> None:
    live = await taken(
        [frame(0, (640, 360)), frame(9000, (640, 360)), frame(18_000)], max_pixels=320 * 240
    )
    assert [error.code for error in live.errors] == ["too_many_pixels"]
    assert "640x360" in str(live.errors[0]) and "76800" in str(live.errors[0])
    assert len(live.jobs) == 1


async def test_what_is_no_picture_is_passed_over() -> None:
    live = await taken([AudioFrame(), frame(None), frame(0)])
    assert len(live.jobs) == 1


async def test_pictures_that_cannot_be_decoded_are_told_once_and_until_one_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = Offered()
    receiver = RTCRtpReceiver("video", SimpleNamespace(state="new"))
    intake = Intake(live, load(), Clip([]), receiver)
    now = intake.heard
    monkeypatch.setattr("stream_server.ingest.webrtc.intake.time.monotonic", lambda: now)
    told = []
    for _ in range(8):
        now += 1.0
        intake._encoded.came += 30
        intake.look_at_decoding()
        told.append(live.trouble is not None)
    assert [error.code for error in live.errors] == ["undecodable"]
    assert told.index(True) < 5 and told[-1]
    intake.heard = now
    intake.look_at_decoding()
    assert live.trouble is None


async def test_where_nothing_comes_nothing_is_undecodable(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Offered()
    receiver = RTCRtpReceiver("video", SimpleNamespace(state="new"))
    intake = Intake(live, load(), Clip([]), receiver)
    now = intake.heard
    monkeypatch.setattr("stream_server.ingest.webrtc.intake.time.monotonic", lambda: now)
    for _ in range(10):
        now += 1.0
        intake.look_at_decoding()
    assert live.errors == [] and live.trouble is None
