"""Heat over a picture, in colours that colour-blind people tell apart."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image as Pillow

from stream_server.vision.types import Floats, Image

#: Cividis (Nunez, Anderton and Renslow, PLOS ONE 2018), dark blue to yellow: its lightness rises
#: evenly, so that it also reads without colour.
RAMP = ((0, 34, 78), (67, 78, 108), (125, 124, 120), (188, 174, 108), (254, 232, 56))


def heat_over(crop: Image, grid: Floats) -> Image:
    """``crop`` (uint8 ``[H, W, 3]``) with ``grid`` (float32 ``[h, w]``, 0 to 1) over it.

    What carries no evidence is darkened, what carries most is tinted yellow.
    """
    height, width = crop.shape[:2]
    heat = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    places = np.linspace(0, 1, len(RAMP))
    colour = np.stack(
        [np.interp(heat, places, [stop[band] for stop in RAMP]) for band in range(3)], axis=-1
    )
    cover = (0.55 - 1.2 * heat * (1 - heat))[..., None]
    blended: Image = (crop * (1 - cover) + colour * cover).round().astype(np.uint8)
    return blended


def jpeg(picture: Image, side: int, quality: int = 82) -> bytes:
    """``picture`` as a JPEG of ``side`` pixels square."""
    encoded = io.BytesIO()
    small = Pillow.fromarray(picture).resize((side, side), Pillow.Resampling.BILINEAR)
    small.save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()
