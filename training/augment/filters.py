"""Changes to a picture that several augmentations share."""

from __future__ import annotations

import cv2

from stream_server.vision.types import Image
from training.arrays import as_image


def saturated(image: Image, factor: float) -> Image:
    """``image`` with its colours ``factor`` times as far from grey; 1 leaves it."""
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return as_image(cv2.addWeighted(image, factor, gray, 1 - factor, 0))


def sharpened(image: Image, strength: float, radius: float = 1.5) -> Image:
    """An unsharp mask of ``radius`` pixels; a ``strength`` of 0 leaves the picture."""
    blurred = cv2.GaussianBlur(image, (0, 0), radius)
    return as_image(cv2.addWeighted(image, 1 + strength, blurred, -strength, 0))
