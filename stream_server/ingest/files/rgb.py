"""A decoded frame of a video as an upright RGB picture of ordinary brightness range."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from stream_server.ingest.files import tone
from stream_server.ingest.files.geometry import orientation_of, shown_size
from stream_server.vision.types import Image

#: FFmpeg starts as many threads as there are cores for the conversion of each frame anew, and they
#: last until Python collects its garbage: a reader runs into its limit on memory within seconds.
_ONE = 1


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
            format="rgb48le", width=size[0], height=size[1], interpolation="AREA", threads=_ONE
        )
        return tone.to_sdr(deep, frame.color_trc)
    if factor < 0.5:
        # Converting all of a 4K picture to RGB only to shrink it would cost more than decoding it.
        small = frame.to_ndarray(
            format="rgb24", width=size[0], height=size[1], interpolation="AREA", threads=_ONE
        )
        return np.asarray(small, np.uint8)
    image = np.asarray(frame.to_ndarray(format="rgb24", threads=_ONE), np.uint8)
    if size == (frame.width, frame.height):
        return image
    grows = size[0] > frame.width or size[1] > frame.height
    way = cv2.INTER_CUBIC if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
