"""The one face crop, used in training and serving alike."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream_server.vision.shrink import averaged
from stream_server.vision.types import Floats, Image

Transform = NDArray[np.float64]
"""A 2x3 matrix from one picture's coordinates to another's, in pixels."""

CROP_SIZE = 224
MARGIN = 1.3

# Where the landmarks lie in the square around a face (its side is the box's longer side): the
# mean over MTCNN's detections on several hundred frontal faces, made symmetric.
_TEMPLATE = np.array(
    [[0.3135, 0.3498], [0.6865, 0.3498], [0.5, 0.5361], [0.3481, 0.7543], [0.6519, 0.7543]],
    np.float32,
)


def align_crop(
    image: Image,
    landmarks: Floats,
    size: int = CROP_SIZE,
    margin: float = MARGIN,
    quick: bool = False,
) -> Image:
    """Cut one face out of ``image`` (uint8 ``[H, W, 3]``) upright, centred and at one scale.

    A similarity transform (Umeyama, PAMI 1991) carries the five ``landmarks`` (float32
    ``[5, 2]``, pixels of ``image``) to a fixed template whose face square, enlarged by
    ``margin``, fills the result: uint8 ``[size, size, 3]``. What lies outside the picture is
    mirrored from its edge. Raises ``ValueError`` where the landmarks fall into one point.
    ``quick``: see ``cut``.
    """
    return cut(image, alignment(landmarks, size, margin), size, quick)


def cut(image: Image, transform: Transform, size: int = CROP_SIZE, quick: bool = False) -> Image:
    """The crop that an ``alignment`` matrix describes, uint8 ``[size, size, 3]``.

    Of a part of a picture it is the same crop, to the byte, as of the whole. ``quick`` shrinks in
    another way, for crops that no network sees.
    """
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    factor = min(2 * scale, 1.0)
    # OpenCV warps in single precision: near the origin it has digits to spare.
    image, transform = _surroundings(image, transform, size, 4 / factor)
    if factor < 1:  # warping samples four pixels: shrink first, or fine structure aliases
        image, transform = _shrunk(image, transform, factor, quick)
    # Of four channels OpenCV warps two in the time that it takes for one of three.
    crop = cv2.warpAffine(
        cv2.cvtColor(image, cv2.COLOR_RGB2RGBA),
        transform,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGBA2RGB), np.uint8)


def alignment(landmarks: Floats, size: int = CROP_SIZE, margin: float = MARGIN) -> Transform:
    """The 2x3 matrix from picture to crop coordinates, both in pixels.

    Raises ``ValueError`` where the landmarks fall into one point.
    """
    centre, around = _template(size, margin)
    # As complex numbers a rotation with scaling is one factor, and least squares gives it. Plain
    # ones: NumPy takes several times as long for five.
    points = [complex(x, y) for x, y in landmarks.tolist()]
    middle = sum(points) / len(points)
    offsets = [point - middle for point in points]
    spread = sum(abs(offset) ** 2 for offset in offsets)
    if not spread > 1e-6:
        raise ValueError(f"the landmarks {landmarks.tolist()} fall into one point")
    pairs = zip(offsets, around, strict=True)
    factor = sum(offset.conjugate() * target for offset, target in pairs) / spread
    shift = centre - factor * middle
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


@cache
def _template(size: int, margin: float) -> tuple[complex, tuple[complex, ...]]:
    """The template's centre in a crop, and where its points are from there."""
    target = ((_TEMPLATE - 0.5) / margin + 0.5) * size
    centre = target.mean(axis=0)
    return complex(*centre), tuple(complex(*point) for point in target - centre)


def corners(transform: Transform, size: int = CROP_SIZE) -> Floats:
    """Where an ``alignment``'s crop lies in the picture: float32 ``[4, 2]`` in its pixels, from
    the crop's top left clockwise. They may lie outside of the picture."""
    inverse = cv2.invertAffineTransform(transform)
    # Outer edges of the crop's pixels, whose centres are at whole numbers.
    edge = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32) - 0.5
    return (edge @ inverse[:, :2].T + inverse[:, 2] + 0.5).astype(np.float32)


def to_crop(landmarks: Floats, transform: Transform) -> Floats:
    """``landmarks`` (float32 ``[5, 2]``) carried through an ``alignment`` matrix."""
    return (landmarks @ transform[:, :2].T + transform[:, 2]).astype(np.float32)


def _surroundings(
    image: Image, transform: Transform, size: int, pad: float
) -> tuple[Image, Transform]:
    """The part of ``image`` that the crop shows or mirrors, and the matrix from there."""
    spans = []
    inverse = cv2.invertAffineTransform(transform).tolist()
    for way, end in zip(inverse, image.shape[1::-1], strict=True):
        # Plain numbers: arrays of four take several times as long.
        reached = [way[0] * x + way[1] * y + way[2] for x in (0, size) for y in (0, size)]
        low, high = math.floor(min(reached) - pad), math.ceil(max(reached) + pad)
        first = min(max(min(low, 2 * (end - 1) - high), 0), end - 1)
        spans.append((first, min(max(high, -low, first), end - 1) + 1))
    (left, right), (top, bottom) = spans
    moved = transform.copy()
    moved[:, 2] += transform[:, :2] @ (left, top)
    return image[top:bottom, left:right], moved


def _shrunk(
    image: Image, transform: Transform, factor: float, quick: bool
) -> tuple[Image, Transform]:
    """``image`` shrunk by ``factor``, and the matrix from there."""
    target = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    if quick:
        small = averaged(image, target)
    else:
        small = np.asarray(cv2.resize(image, target, interpolation=cv2.INTER_AREA), np.uint8)
    ratio = np.array([image.shape[1] / target[0], image.shape[0] / target[1]])
    moved = transform.copy()
    # resize maps pixel centres: x_source = (x_small + 0.5) * ratio - 0.5
    moved[:, 2] += moved[:, :2] @ (0.5 * ratio - 0.5)
    moved[:, :2] = moved[:, :2] * ratio[None, :]
    return small, moved
