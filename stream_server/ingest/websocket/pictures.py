"""Encoded pictures to RGB arrays, without trusting a byte of them."""

from __future__ import annotations

import io
import warnings

import numpy as np
import simplejpeg
from PIL import Image as Pillow

from stream_server.protocol import FrameHeader, ProtocolError
from stream_server.vision.types import Image

FORMATS = ("JPEG", "WEBP", "PNG")


def decode(picture: memoryview, header: FrameHeader, max_pixels: int) -> Image:
    """Decode a frame's picture to uint8 ``[H, W, 3]`` RGB.

    The size is read from the picture's own header before a pixel is decoded. Raises
    ``ProtocolError``: ``too_many_pixels`` above ``max_pixels``; ``bad_frame`` for what is not one
    of the three formats, is truncated, or has another size than ``header`` says.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)  # checked below
            opened = Pillow.open(io.BytesIO(picture), formats=FORMATS)
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        if isinstance(error, Pillow.DecompressionBombError):
            raise ProtocolError(
                "too_many_pixels",
                f"the picture has far more pixels than the limit of {max_pixels}",
                header.frame_id,
            ) from None
        raise ProtocolError(
            "bad_frame",
            f"the frame's {len(picture)} bytes are not a whole JPEG, WebP or PNG picture",
            header.frame_id,
        ) from None
    width, height = opened.size
    if width * height > max_pixels:
        raise ProtocolError(
            "too_many_pixels",
            f"the picture has {width}x{height} pixels; the limit is {max_pixels} in all",
            header.frame_id,
        )
    if (width, height) != (header.width, header.height):
        raise ProtocolError(
            "bad_frame",
            f"the header says {header.width}x{header.height}, the picture is {width}x{height}",
            header.frame_id,
        )
    try:
        image = _sound_jpeg(picture, width, height) if opened.format == "JPEG" else None
        return np.asarray(opened.convert("RGB"), np.uint8) if image is None else image
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        problem = f"the {opened.format} picture cannot be decoded: {str(error)[:80]}"
        raise ProtocolError("bad_frame", problem, header.frame_id) from None


def _sound_jpeg(picture: memoryview, width: int, height: int) -> Image | None:
    """The pixels of a colour JPEG of that size without a fault, ``None`` of any other.

    They are Pillow's to the byte, in three fifths of the time. Pillow still decides what can be
    made of a damaged one, and knows the inks of print.
    """
    try:
        if simplejpeg.decode_jpeg_header(picture)[:3] != (height, width, "YCbCr"):
            return None
        return np.asarray(simplejpeg.decode_jpeg(picture, "RGB"), np.uint8)
    except ValueError:
        return None
