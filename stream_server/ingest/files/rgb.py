"""A decoded frame of a video as an upright RGB picture of ordinary brightness range."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from stream_server.ingest.files import tone
from stream_server.vision.types import Image


def upright_rgb(frame: Any, longest_side: float) -> Image:
    """``frame`` as uint8 ``[H, W, 3]``, turned as its file asks for, its longer side at most
    ``longest_side`` pixels."""
    quarters = round(frame.rotation / 90) % 4  # counterclockwise
    image = _rgb(frame, longest_side)
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image


def is_hdr(frame: Any) -> bool:
    """Whether its brightness is coded for screens that few people have."""
    return frame.color_trc in (tone.PQ, tone.HLG)


def _rgb(frame: Any, longest_side: float) -> Image:
    factor = min(longest_side / max(frame.width, frame.height), 1.0)
    size = (max(round(frame.width * factor), 1), max(round(frame.height * factor), 1))
    if is_hdr(frame):
        deep = frame.to_ndarray(
            format="rgb48le", width=size[0], height=size[1], interpolation="AREA"
        )
        return tone.to_sdr(deep, frame.color_trc)
    if factor < 0.5:
        # Converting all of a 4K picture to RGB only to shrink it would cost more than decoding it.
        small = frame.to_ndarray(
            format="rgb24", width=size[0], height=size[1], interpolation="AREA"
        )
        return np.asarray(small, np.uint8)
    image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    if factor < 1:
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image
