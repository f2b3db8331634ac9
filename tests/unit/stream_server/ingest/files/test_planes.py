"""Planes that OpenCV shrinks, beside the same shrunk by FFmpeg."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from stream_server.ingest.files.planes import has_planes_of, shrunk


def _noise(form: str, size: tuple[int, int] = (640, 384)) -> av.VideoFrame:
    image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=form)


def _flipped(frame: av.VideoFrame) -> av.VideoFrame:
    """Upside down, as FFmpeg does it: the same memory, read from its last row to its first."""
    graph = av.filter.Graph()
    frame.pts = 0
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
    )
    graph.link_nodes(source, graph.add("vflip"), graph.add("buffersink")).configure()
    graph.push(frame)
    flipped = graph.pull()
    assert isinstance(flipped, av.VideoFrame) and flipped.planes[0].line_size < 0
    return flipped


def _planes(frame: Any) -> list[np.ndarray]:
    rows = [np.frombuffer(p, np.uint8).reshape(p.height, p.line_size) for p in frame.planes]
    return [row[:, : p.width].astype(int) for row, p in zip(rows, frame.planes, strict=True)]


@pytest.mark.parametrize("form", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12"])
@pytest.mark.parametrize("size", [(320, 192), (160, 96), (480, 288), (64, 38)])
def test_the_means_are_those_of_ffmpeg(form: str, size: tuple[int, int]) -> None:
    frame = _noise(form)
    small, wanted = shrunk(frame, size), frame.reformat(*size, interpolation="AREA")
    assert (small.format.name, small.width, small.height) == (form, *size)
    for plane, other in zip(_planes(small), _planes(wanted), strict=True):
        assert np.abs(plane - other).max() <= 1


def test_of_a_half_each_value_is_the_mean_of_four() -> None:
    frame = _noise("yuv420p")
    for plane, whole in zip(_planes(shrunk(frame, (320, 192))), _planes(frame), strict=True):
        fours = whole.reshape(plane.shape[0], 2, plane.shape[1], 2).mean(axis=(1, 3))
        assert np.abs(plane - fours).max() <= 0.5


def test_a_picture_that_lies_upside_down_in_memory_is_read_from_its_first_row() -> None:
    frame = _noise("yuv420p")
    small, flipped = shrunk(frame, (320, 192)), shrunk(_flipped(frame), (320, 192))
    upright = small.to_ndarray(format="rgb24").astype(int)
    assert np.abs(upright - flipped.to_ndarray(format="rgb24")[::-1]).mean() < 1


def test_what_its_numbers_mean_goes_along() -> None:
    frame = _noise("yuv420p")
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.JPEG
    small = shrunk(frame, (320, 192))
    assert (small.colorspace, small.color_range) == (Colorspace.ITU709, ColorRange.JPEG)


@pytest.mark.parametrize(
    ("form", "size", "has"),
    [("yuv420p", (320, 192), True), ("yuv420p", (321, 192), False), ("rgb24", (320, 192), False)],
)
def test_planes_are_shrunk_where_there_are_some(
    form: str, size: tuple[int, int], has: bool
) -> None:
    assert has_planes_of(_noise(form), size) is has
