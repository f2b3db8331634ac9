"""Pictures made smaller."""

from __future__ import annotations

import math

import cv2
import numpy as np

from stream_server.vision.types import Image


def averaged(image: Image, size: tuple[int, int]) -> Image:
    """``image`` (uint8 ``[H, W, 3]``) shrunk to ``size`` (width, height), each pixel made of all
    that it covers.

    OpenCV's own way for that adds up shares of pixels. It takes a fraction of the time to bring the
    picture to the nearest size that is halved to the wanted one without a rest.
    """
    halvings = round(math.log2(min(image.shape[1] / size[0], image.shape[0] / size[1])))
    if halvings < 1:
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    doubled = (size[0] << halvings, size[1] << halvings)
    small = cv2.resize(image, doubled, interpolation=cv2.INTER_LINEAR)
    for more in range(halvings - 1, -1, -1):
        half = (size[0] << more, size[1] << more)
        small = cv2.resize(small, half, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def every_third(image: Image) -> Image:
    """``image[::3, ::3]``, in less time than copying takes NumPy."""
    height, width = image.shape[:2]
    size = ((width + 2) // 3, (height + 2) // 3)
    thrice = np.array([[3, 0, 0], [0, 3, 0]], np.float32)
    way = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, thrice, size, flags=way), np.uint8)
