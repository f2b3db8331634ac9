"""What frames are converted to, and what that takes of the process that does it."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import psutil
import pytest
from av.video.reformatter import ColorRange, Colorspace

from stream_server.ingest.files.rgb import upright_rgb
from tests.support.scan_media import every, moving_face, write_video


def test_no_thread_is_left_behind_by_a_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(10, 3))
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        frames = list(container.decode(video=0))
        before = psutil.Process().num_threads()
        for side in (640, 200):
            for frame in frames:
                upright_rgb(frame, side)
        assert psutil.Process().num_threads() == before


def test_pictures_do_not_pile_up(tmp_path: Path) -> None:
    picture = moving_face((1280, 720))(0.0)
    path = write_video(tmp_path / "a.mp4", lambda _: picture, every(30, 5))
    held: list[int] = []
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for number, frame in enumerate(container.decode(video=0)):
            upright_rgb(frame, 640)
            if number in (30, 149):
                held.append(psutil.Process().memory_info().rss)
    # Those 119 frames are 165 MB.
    assert held[1] - held[0] < 80 * 2**20


def _smooth(form: str) -> av.VideoFrame:
    small = np.random.default_rng(0).integers(0, 256, (9, 16, 3), np.uint8)
    image = cv2.resize(small, (1280, 720), interpolation=cv2.INTER_CUBIC)
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=form)


@pytest.mark.parametrize("scale", [Colorspace.ITU709, Colorspace.ITU601])
@pytest.mark.parametrize("range_", [ColorRange.MPEG, ColorRange.JPEG])
@pytest.mark.parametrize(
    "form", ["yuv420p", "yuvj420p", "nv12", "yuv422p", "yuv444p", "yuv420p10le", "rgb24"]
)
@pytest.mark.parametrize("side", [960, 640, 800])
def test_a_frame_that_is_shrunk_has_the_colours_of_the_whole(
    form: str, scale: Colorspace, range_: ColorRange, side: int
) -> None:
    frame = _smooth(form)
    frame.colorspace, frame.color_range = scale, range_
    whole = upright_rgb(frame, 1280)
    shrunk = upright_rgb(frame, side)
    assert shrunk.shape == (round(side * 9 / 16), side, 3)
    wanted = cv2.resize(whole, shrunk.shape[1::-1], interpolation=cv2.INTER_AREA)
    difference = shrunk.astype(int) - wanted
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.5
    assert np.abs(difference).mean() < 1.5
