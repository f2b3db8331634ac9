"""How a stored picture has to be turned, mirrored and stretched to stand as a player shows it."""

from __future__ import annotations

import gc
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type

from stream_server.vision.types import Image

_MOST_WAITING = 64 * 1024**2  # bytes of pictures that wait for Python's collector
_waiting = 0
_STRANGEST = 10  # times as wide as high, or the other way: beyond it a header is nonsense


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways a picture can lie: first rows and columns change places, then left
    and right, then top and bottom."""

    transposed: bool = False
    left_right: bool = False
    top_down: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether it takes a mirror, not turns alone."""
        return (self.transposed + self.left_right + self.top_down) % 2 == 1

    def upright(self, image: Image) -> Image:
        """``image`` (uint8 ``[H, W, 3]``) as it is to be shown."""
        if self.transposed:
            image = image.transpose(1, 0, 2)
        if self.left_right:
            image = image[:, ::-1]
        if self.top_down:
            image = image[::-1]
        return np.ascontiguousarray(image)


AS_STORED = Orientation()
_BY_QUARTERS = (
    AS_STORED,
    Orientation(True, False, True),
    Orientation(False, True, True),
    Orientation(True, True, False),
)
"""By quarter turns counterclockwise."""


def orientation_of(frame: Any) -> Orientation:
    """What the display matrix of a decoded frame asks for (ISO/IEC 14496-12, 8.3.2: nine 16.16
    numbers, of which a, b, c, d take x, y to ax + cy, bx + dy). The nearest of the eight."""
    _tidy(frame)
    try:
        # Not frame.side_data: a frame that has been asked for that is never freed (PyAV 18.1).
        container: Any = SideDataContainer
        matrix = container(frame).get(Type.DISPLAYMATRIX)
    except ValueError:  # beside it lies something that PyAV has no name for
        return _BY_QUARTERS[round(frame.rotation / 90) % 4]
    if matrix is None:
        return AS_STORED
    a, b, _, c, d, *_ = struct.unpack("9i", bytes(matrix)[:36])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def _tidy(frame: Any) -> None:
    """A frame and its side data refer to each other, so only Python's collector frees them, and
    that counts objects, not the megabytes of a picture: call it when there are many of those."""
    global _waiting
    _waiting += 3 * frame.width * frame.height
    if _waiting >= _MOST_WAITING:
        _waiting = 0
        gc.collect(1)


def pixel_aspect(ratio: Fraction | None) -> float:
    """How many times as wide as high a pixel is; 1 where that is not said or cannot be."""
    if not ratio or not Fraction(1, _STRANGEST) <= ratio <= _STRANGEST:
        return 1.0
    return float(ratio)


def shown_size(width: int, height: int, aspect: float) -> tuple[int, int]:
    """The size in square pixels; none are thrown away."""
    if aspect >= 1:
        return round(width * aspect), height
    return width, round(height / aspect)
