"""A decoded frame of a video as an upright RGB picture of ordinary brightness range."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from stream_server.ingest.files import tone
from stream_server.ingest.files.geometry import orientation_of, shown_size
from stream_server.ingest.files.planes import ONE_THREAD, has_planes_of, shrunk
from stream_server.vision.types import Image


def upright_rgb(frame: Any, longest_side: float, aspect: float = 1.0) -> Image:
    """``frame`` as uint8 ``[H, W, 3]``, turned and mirrored as its file asks for, its longer side
    at most ``longest_side`` pixels. ``aspect`` is how many times as wide as high its pixels are;
    those of the answer are square."""
    return orientation_of(frame).upright(_rgb(frame, longest_side, aspect))


def is_hdr(frame: Any) -> bool:
    """Whether its brightness is coded for screens that few people have."""
    return frame.color_trc in (tone.PQ, tone.HLG)


def _rgb(frame: Any, longest_side: float, aspect: float) -> Image:
    width, height = shown_size(frame.width, frame.height, aspect)
    factor = min(longest_side / max(width, height), 1.0)
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    if is_hdr(frame):
        deep = frame.to_ndarray(
            format="rgb48le",
            width=size[0],
            height=size[1],
            interpolation="AREA",
            threads=ONE_THREAD,
        )
        return tone.to_sdr(deep, frame.color_trc)
    shrinks = size[0] <= frame.width and size[1] <= frame.height
    if factor < 1 and shrinks and has_planes_of(frame, size):
        # Shrinking first takes an eighth of the time: luma and half of the chroma are shrunk, and
        # what is left of them becomes colours.
        frame = shrunk(frame, size)
    elif factor < 0.5:
        # Converting all of a 4K picture to RGB only to shrink it would cost more than decoding it.
        small = frame.to_ndarray(
            format="rgb24", width=size[0], height=size[1], interpolation="AREA", threads=ONE_THREAD
        )
        return np.asarray(small, np.uint8)
    image = np.asarray(frame.to_ndarray(format="rgb24", threads=ONE_THREAD), np.uint8)
    if size == (frame.width, frame.height):
        return image
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
