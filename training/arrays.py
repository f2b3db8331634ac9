"""OpenCV and NumPy answers as the narrow array types that the project uses."""

from __future__ import annotations

import numpy as np

from stream_server.vision.types import Floats, Image


def as_image(array: object) -> Image:
    """``array`` as uint8; the values must fit already."""
    result: Image = np.asarray(array).astype(np.uint8, copy=False)
    return result


def as_floats(array: object) -> Floats:
    """``array`` as float32."""
    result: Floats = np.asarray(array).astype(np.float32, copy=False)
    return result
