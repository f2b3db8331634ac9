"""Faces for tests: the astronaut portrait of scikit-image, a real face in the public domain."""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from skimage import data

from stream_server.vision.types import Image

_HEAD = (slice(0, 260), slice(120, 340))  # the astronaut's head in the 512 px portrait


@cache
def person() -> Image:
    """The astronaut's head, uint8 ``[260, 220, 3]``."""
    return np.ascontiguousarray(data.astronaut()[_HEAD])


@cache
def other_person() -> Image:
    """Somebody else: mirrored, with another skin colour, other light and another head shape."""
    head = person()[:, ::-1].astype(np.float32)
    height, width = head.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    wide = columns + 14 * np.sin(rows / height * np.pi) * np.sin((columns / width - 0.5) * np.pi)
    long = rows + 10 * np.sin(rows / height * 2 * np.pi)
    head = cv2.remap(head, wide, long, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shade = np.linspace(1.05, 0.45, width, dtype=np.float32)[None, :, None]
    return np.clip(head * shade * np.array([0.85, 0.7, 0.6], np.float32), 0, 255).astype(np.uint8)


def backdrop(width: int = 640, height: int = 360, seed: int = 0) -> Image:
    """A smooth coloured background without faces, another one for each ``seed``."""
    return _backdrop(width, height, seed).copy()


@lru_cache(maxsize=16)
def _backdrop(width: int, height: int, seed: int) -> Image:
    noise = np.random.default_rng(seed).uniform(20, 200, (6, 8, 3)).astype(np.float32)
    return (
        cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        .clip(0, 255)
        .astype(np.uint8)
    )


def paste(frame: Image, head: Image, centre: tuple[float, float], height: float) -> Image:
    """``frame`` with ``head`` at ``centre`` (x, y in pixels, may be fractional), that tall."""
    scale = height / head.shape[0]
    shift_x = centre[0] - head.shape[1] * scale / 2
    shift_y = centre[1] - height / 2
    matrix = np.array([[scale, 0, shift_x], [0, scale, shift_y]], np.float32)
    size = (frame.shape[1], frame.shape[0])
    source = head
    if scale < 0.5:
        source = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        matrix = np.array([[1, 0, shift_x], [0, 1, shift_y]], np.float32)
    moved = cv2.warpAffine(source, matrix, size)
    mask = cv2.warpAffine(np.full(source.shape[:2], 255, np.uint8), matrix, size)
    return np.where(mask[..., None] > 127, moved, frame)
