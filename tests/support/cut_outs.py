"""What a client sends of a large video once it has a face: its part, and the whole in small."""

from __future__ import annotations

import cv2
import numpy as np

from stream_server.vision.types import Image
from stream_server.vision.views import Sight, View

SIZE = (1920, 1080)
SMALL = 640


def sight(image: Image, *parts: tuple[int, int, int], whole: bool = False) -> Sight:
    """Square ``parts`` (left, top, side) of ``image`` (uint8 ``[H, W, 3]``) at its own scale, and
    the ``whole`` at most ``SMALL`` pixels wide."""
    height, width = image.shape[:2]
    views = [
        View(image[top : top + side, left : left + side], left, top, 1.0, False)
        for left, top, side in parts
    ]
    if whole:
        scale = SMALL / width
        small = cv2.resize(image, (SMALL, round(height * scale)), interpolation=cv2.INTER_AREA)
        views.append(View(np.asarray(small, np.uint8), 0, 0, scale, True))
    return Sight((width, height), tuple(views))
