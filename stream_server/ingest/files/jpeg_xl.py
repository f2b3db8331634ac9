"""JPEG XL pictures (ISO/IEC 18181), read by imagecodecs, which is an extra.

Only the size is parsed here, before anything is decoded: a header of a few bytes may ask for
gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import cv2
import numpy as np

from stream_server.ingest.files.file_range import Place, open_at
from stream_server.ingest.files.media import MediaInfo, ReadCounts, Stretch, Unread
from stream_server.ingest.files.region import longest_side
from stream_server.ingest.files.unusable import UnusableError
from stream_server.languages import worded
from stream_server.picture_limits import MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE
from stream_server.vision.types import Frame, Image

_BARE = b"\xff\x0a"
_BOXED = b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a"
_OWN = 0.95  # of a file: what a picture needs at least that is alone in it
_LOOKED_THROUGH = 65536  # bytes of boxes before the picture's own
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZE_BITS = (9, 13, 18, 30)


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    turned: bool
    moves: bool


class JpegXl:
    """A still picture; see ``Media``. Raises ``UnusableError`` for what cannot be analysed."""

    def __init__(self, place: Place, name: str, max_pixels: int = MAX_PICTURE_PIXELS) -> None:
        self._place = place
        self._name = name
        try:
            with open_at(place) as file:
                header = _header(_codestream(file.read(_LOOKED_THROUGH)))
        except (IndexError, ValueError):
            raise _damaged(name) from None
        width, height = header.width, header.height
        if width * height > max_pixels:
            raise UnusableError(
                "too_many_pixels",
                worded(
                    "{file} has {width}x{height} pixels; the limit is {limit} in all",
                    file=name,
                    width=width,
                    height=height,
                    limit=max_pixels,
                ),
                413,
            )
        if header.moves:
            raise UnusableError(
                "codec",
                worded("{file} is a moving JPEG XL; only still ones can be read", file=name),
            )
        self._codecs = _imagecodecs(name)
        if header.turned:
            width, height = height, width
        self.info = MediaInfo("picture", "JPEG XL", width, height, 0.0, 0.0, 1)

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """See ``Media.read``."""
        del rate
        with open_at(self._place) as file:
            content = file.read()
        try:
            # The decoder turns it upright by itself.
            image = _rgb(np.asarray(self._codecs.jpegxl_decode(content, index=0)))
        except (self._codecs.JpegxlError, ValueError, MemoryError):
            raise _damaged(self._name) from None
        side = longest_side(self.info.width, self.info.height, MAX_PICTURE_SIDE)
        factor = side / max(image.shape[:2])
        if factor < 1:
            size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        counts.passed += 1
        yield stretches[0], Frame(image, 0.0)

    def unread(self) -> tuple[Unread, ...]:
        """That much follows the picture, which only decoding tells where its boxes do not."""
        with open_at(self._place) as file:
            content = file.read()
        try:
            self._codecs.jpegxl_decode(content[: int(_OWN * len(content))], index=0)
        except (self._codecs.JpegxlError, ValueError, MemoryError):
            return ()
        reason = worded(
            "the picture ends before the last twentieth of the file; what follows is not known"
        )
        return (Unread(worded("the end of the file"), "damaged", reason, pictures=1),)


def is_jpeg_xl(place: Place) -> bool:
    """Whether ``place`` begins as one; raises ``OSError``."""
    with open_at(place) as file:
        start = file.read(len(_BOXED))
    return start.startswith(_BARE) or start == _BOXED


def _imagecodecs(name: str) -> ModuleType:
    try:
        import imagecodecs
    except ImportError:
        raise UnusableError(
            "codec",
            worded(
                "{file} is a {format} picture; reading it takes an extra: {command}",
                file=name,
                format="JPEG XL",
                command="pip install 'fakelight[jxl]'",
            ),
        ) from None
    return imagecodecs


def _rgb(image: np.ndarray) -> Image:
    """uint8 ``[H, W, 3]`` of what the decoder gives: any depth, grey or coloured, with alpha."""
    if image.dtype.kind == "f":
        image = (image.clip(0, 1) * 255).round()
    elif image.dtype.itemsize > 1:
        image = image >> 8
    if image.ndim == 2:
        image = image[..., None]
    coloured = image[..., :3] if image.shape[2] >= 3 else np.repeat(image[..., :1], 3, axis=2)
    return np.ascontiguousarray(coloured, np.uint8)


def _codestream(content: bytes) -> bytes:
    """The beginning of the picture itself, out of the boxes that it may lie in."""
    if content.startswith(_BARE):
        return content
    place = 0
    while place + 16 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 :][:4]
        if kind in (b"jxlc", b"jxlp"):
            start = place + (16 if length == 1 else 8) + (4 if kind == b"jxlp" else 0)
            return content[start:]
        place += int.from_bytes(content[place + 8 : place + 16], "big") if length == 1 else length
        if length == 0:
            break
    raise ValueError("no picture among the first boxes")


def _header(codestream: bytes) -> _Header:
    """ISO/IEC 18181-1, D.2 and D.3, as far as to whether it moves."""
    if not codestream.startswith(_BARE):
        raise ValueError("no JPEG XL codestream")
    bits = _Bits(codestream[2:])
    width, height = _size(bits)
    turned = moves = False
    default = bits.take(1)
    if not default and bits.take(1):  # extra fields
        turned = bits.take(3) >= 4
        if bits.take(1):  # the size that it is to be shown at
            _size(bits)
        if bits.take(1):  # a preview: such files are hardly made, and what follows lies elsewhere
            raise ValueError("a preview comes first")
        moves = bool(bits.take(1))
    return _Header(width, height, turned, moves)


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        return 8 * (1 + bits.take(5)) if small else 1 + bits.take(_SIZE_BITS[bits.take(2)])

    height = side()
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height
    return side(), height


class _Bits:
    """The lowest bit of each byte comes first."""

    def __init__(self, content: bytes) -> None:
        self._value = int.from_bytes(content[:64], "little")
        self._left = 8 * min(len(content), 64)

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the header breaks off")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value


def _damaged(name: str) -> UnusableError:
    return UnusableError(
        "truncated",
        worded("{file} is damaged or breaks off too early: {why}", file=name, why="a JPEG XL"),
    )
