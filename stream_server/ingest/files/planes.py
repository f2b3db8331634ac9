"""Shrinking the planes of a decoded frame, before they become colours."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

_PLANES = ("yuv", "nv12")
#: Luma and two of chroma, eight bits each.
_EVEN = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")
#: FFmpeg starts as many threads as there are cores for the conversion of each frame anew, and they
#: last until Python collects its garbage: a reader runs into its limit on memory within seconds.
ONE_THREAD = 1


def has_planes_of(frame: Any, size: tuple[int, int]) -> bool:
    """Whether it has chroma of its own that can be shrunk to ``size`` (width, height): an odd side
    would have no half, and FFmpeg gets the colours of such a picture wrong by one or two of 255."""
    return frame.format.name.startswith(_PLANES) and not (size[0] % 2 or size[1] % 2)


def shrunk(frame: Any, size: tuple[int, int]) -> Any:
    """``frame`` at ``size``, in the same format: means over areas of each plane.

    One that ``has_planes_of`` that size. Where the size is a whole part of the frame's, as half of
    1920x1080, OpenCV adds up whole pixels in a tenth of the time that FFmpeg takes to weigh them,
    to the same values but for rounding. Only that FFmpeg leaves chroma at the left of its pixels,
    where H.264 has it, and keeps the fields of an interlaced picture apart; both are farther from
    the colours of the whole.
    """
    times = frame.width // size[0]
    whole = (size[0] * times, size[1] * times) == (frame.width, frame.height)
    # Rows may lie from the last to the first, each a negative number of bytes after the other.
    downwards = all(plane.line_size >= plane.width for plane in frame.planes)
    if not (whole and downwards and frame.format.name in _EVEN):
        return frame.reformat(size[0], size[1], interpolation="AREA", threads=ONE_THREAD)
    small = av.VideoFrame(size[0], size[1], frame.format.name)
    for source, target in zip(frame.planes, small.planes, strict=True):
        side = (target.width, target.height)
        part = _pixels(source)[: side[1] * times, : side[0] * times]
        cv2.resize(part, side, dst=_pixels(target), interpolation=cv2.INTER_AREA)
    small.colorspace, small.color_range = frame.colorspace, frame.color_range
    return small


def _pixels(plane: Any) -> NDArray[np.uint8]:
    """uint8 ``[h, w]``, the plane's own memory."""
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]
