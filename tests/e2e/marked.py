"""Where the overlay's box belongs: around the face that the detector finds in the very picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stream_server.vision.detect import FaceDetector
from tests.e2e.overlay_view import Box

# Of the video's width: how far each side of a box may be from where it belongs.
NEAR = 0.03
_AIR = 0.07  # between a face and the line around it, in face widths; extension/overlay/layout.js


@lru_cache(maxsize=1)
def _detector() -> FaceDetector:
    return FaceDetector()


def boxes_in(picture: NDArray[np.uint8]) -> list[Box]:
    """The boxes that the overlay draws for ``picture``, in fractions of it, from left to right."""
    height, width = picture.shape[:2]
    found = []
    for left, top, right, bottom in _detector().detect(picture).boxes.tolist():
        air = _AIR * (right - left)
        across, down = right - left + 2 * air, bottom - top + 2 * air
        found.append(((left - air) / width, (top - air) / height, across / width, down / height))
    return sorted(found)


def is_near(box: Box, wanted: Box, shape: tuple[float, float]) -> bool:
    """Whether each side is within ``NEAR`` of the width; ``shape`` is the video's size."""
    tall = shape[1] / shape[0]
    off = [
        box[0] - wanted[0],
        box[0] + box[2] - wanted[0] - wanted[2],
        (box[1] - wanted[1]) * tall,
        (box[1] + box[3] - wanted[1] - wanted[3]) * tall,
    ]
    return max(map(abs, off)) <= NEAR
