"""Pictures and animations, read by Pillow."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from stream_server.ingest.files import pages
from stream_server.ingest.files.file_range import Place, open_at
from stream_server.ingest.files.media import (
    WHOLE,
    MediaInfo,
    ReadCounts,
    Stretch,
)
from stream_server.ingest.files.region import longest_side
from stream_server.ingest.files.timeline import Timeline
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.languages import worded
from stream_server.picture_limits import MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE, MAX_SIDE
from stream_server.rhythm import Rhythm
from stream_server.vision.types import Frame, Image

# Only what is told by its first bytes and decoded in Pillow itself, by no other program.
FORMATS = (
    "JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF", "JPEG2000", "ICO", "ICNS",
    "PPM", "QOI", "SGI", "PCX", "DDS", "PSD",
)  # fmt: skip
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
_TOLD_LATE = ("WEBP", "AVIF")  # say how long a frame lasts once it is decoded
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_SHORTEST = 10  # milliseconds: a frame that says no more lasts a tenth of a second
_MAX_ANIMATION = 20_000_000_000  # pixels of all frames: every one has to be decoded
Source = Place | bytes
"""A file, a part of one, or all of its bytes."""

# Pillow's decoders answer a hostile file with exceptions of any kind.
BROKEN = Exception


class StillPicture:
    """One picture, or one page of a file that holds several; see ``Media``.

    Raises ``UnusableError`` for what cannot be analysed.
    """

    def __init__(
        self,
        source: Source,
        name: str,
        opened: Any,
        page: int = 0,
        forms: tuple[str, ...] = FORMATS,
    ) -> None:
        self._source = source
        self._name = name
        self._page = page
        self._forms = forms
        pages.turn_to(opened, page)
        orientation = opened.getexif().get(0x0112, 1)
        size = opened.size[::-1] if orientation in (5, 6, 7, 8) else opened.size
        self.info = MediaInfo(
            "picture", opened.format, size[0], size[1], 0.0, 0.0, 1,
            mirrored=orientation in (2, 4, 5, 7),
        )  # fmt: skip

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """See ``Media.read``."""
        del rate
        side = longest_side(self.info.width, self.info.height, MAX_PICTURE_SIDE)
        with _quiet(self._source, self._forms) as opened:
            try:
                pages.turn_to(opened, self._page)
                # A JPEG need not be decoded whole.
                opened.draft("RGB", (math.ceil(side), math.ceil(side)))
                image = _rgb(ImageOps.exif_transpose(opened), side)
            except BROKEN as error:
                raise damaged(self._name, error) from None
        counts.passed += 1
        yield stretches[0], Frame(image, 0.0)


class Animation:
    """A GIF, WebP, PNG or AVIF that moves; see ``Media``. ``begin`` is its first picture."""

    def __init__(self, source: Source, name: str, opened: Any, begin: int = 0) -> None:
        self._source = source
        self._begin = begin
        count = int(opened.n_frames)
        if count * opened.width * opened.height > _MAX_ANIMATION:
            raise UnusableError(
                "too_many_pixels",
                worded(
                    "{file} has {count} pictures of {width}x{height} pixels; the limit is {limit}"
                    " in all",
                    file=name,
                    count=count,
                    width=opened.width,
                    height=opened.height,
                    limit=_MAX_ANIMATION,
                ),
                413,
            )
        starts, total = [], 0.0
        for number in range(begin, count):
            try:
                opened.seek(number)
                if opened.format in _TOLD_LATE:
                    opened.load()
            except BROKEN:
                break
            starts.append(total)
            duration = opened.info.get("duration") or 0
            # So do browsers: what wants to be shorter is what nobody could have seen.
            total += (duration if duration > _SHORTEST else 100) / 1000
        self._timeline = timeline = Timeline(np.array(starts, np.float64), total)
        orientation = opened.getexif().get(0x0112, 1)
        size = opened.size[::-1] if orientation in (5, 6, 7, 8) else opened.size
        self.info = MediaInfo(
            "animation", opened.format, size[0], size[1], total, timeline.rate, count - begin,
            mirrored=orientation in (2, 4, 5, 7), timeline=timeline,
            broken_off=(count - begin - len(starts)) * total / max(len(starts), 1),
        )  # fmt: skip

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """See ``Media.read``."""
        timeline = self._timeline
        side = longest_side(self.info.width, self.info.height, MAX_SIDE)
        with _quiet(self._source) as opened:
            for stretch in stretches:
                rhythm = Rhythm(rate)
                for number, time in enumerate(timeline.times.tolist()):
                    held = timeline.holds_at(time)
                    if not stretch.start <= time < stretch.end:
                        continue
                    if not (rhythm.due(time) or held):
                        continue
                    try:
                        opened.seek(self._begin + number)
                        image = _rgb(ImageOps.exif_transpose(opened), side)
                    except BROKEN:
                        counts.damaged += 1
                        return
                    counts.passed, counts.last = number + 1, time
                    yield stretch, Frame(image, time, number)
                    for again in timeline.looks_at_held(time, rate) if held else ():
                        if again < stretch.end and rhythm.due(again):
                            yield stretch, Frame(image, again, number)


def open_picture(
    source: Source,
    name: str,
    max_pixels: int = MAX_PICTURE_PIXELS,
    forms: tuple[str, ...] = FORMATS,
) -> StillPicture | Animation | None:
    """The picture in ``source``, of several the first, or ``None`` where it is in none of the
    ``forms``, which are Pillow's names.

    Raises ``UnusableError`` for too many pixels and for what is broken beyond use.
    """
    with identified(source, name, max_pixels, forms) as opened:
        return None if opened is None else checked(source, name, opened, max_pixels, forms)


@contextmanager
def identified(
    source: Source, name: str, max_pixels: int, forms: tuple[str, ...] = FORMATS
) -> Iterator[Any]:
    """What Pillow makes of ``source``; ``None`` for what it does not know."""
    _register_heif()
    stack = ExitStack()
    try:
        opened = stack.enter_context(_quiet(source, forms))
    except Pillow.DecompressionBombError:
        raise UnusableError(
            "too_many_pixels",
            worded(
                "{file} has far more pixels than the limit of {limit}", file=name, limit=max_pixels
            ),
            413,
        ) from None
    except UnidentifiedImageError:
        _explain_heic(source, name)
        yield None
        return
    except OSError as error:
        # Pillow's own are OSErrors too, but without a number.
        raise (from_os_error(error, name) if error.errno else damaged(name, error)) from None
    except BROKEN as error:
        raise damaged(name, error) from None
    with stack:
        try:
            yield opened
        except UnusableError:
            raise
        except BROKEN as error:
            raise damaged(name, error) from None


def picture_in(source: Source, name: str) -> Image:
    """The picture in ``source`` (of an animation the first) as a scan sees it: upright RGB.

    Raises ``UnusableError`` where there is none that can be decoded.
    """
    media = open_picture(source, name)
    if media is None:
        raise UnusableError(
            "not_media", worded("{file} is not a picture that can be read", file=name)
        )
    for _, frame in media.read(WHOLE, 1.0, ReadCounts()):
        return frame.image
    raise UnusableError(
        "truncated", worded("{file} is damaged: no picture in it can be decoded", file=name)
    )


def checked(
    source: Source,
    name: str,
    opened: Any,
    max_pixels: int,
    forms: tuple[str, ...] = FORMATS,
) -> StillPicture | Animation:
    check_size(name, opened, max_pixels)
    if opened.format in _ANIMATED and getattr(opened, "is_animated", False):
        return Animation(source, name, opened)
    return StillPicture(source, name, opened, forms=forms)


def check_size(name: str, opened: Any, max_pixels: int) -> None:
    width, height = opened.size
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


@contextmanager
def _quiet(source: Source, forms: tuple[str, ...] = FORMATS) -> Iterator[Any]:
    with io.BytesIO(source) if isinstance(source, bytes) else open_at(source) as file:
        with warnings.catch_warnings():
            # We check the size ourselves, before a pixel is decoded.
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            opened = Pillow.open(file, formats=[name for name in forms if name in Pillow.OPEN])
        with opened:
            yield opened


def _rgb(opened: Any, longest: float) -> Image:
    if opened.mode.startswith("I"):  # 16 bits a channel, which convert() would clip
        gray = (np.asarray(opened, np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        image = np.repeat(gray[..., None], 3, axis=2)
    else:
        image = np.asarray(opened.convert("RGB"), np.uint8)
    factor = longest / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def damaged(name: str, error: Exception) -> UnusableError:
    return UnusableError(
        "truncated",
        worded("{file} is damaged or breaks off too early: {why}", file=name, why=str(error)[:80]),
    )


def _first_bytes(place: Place, count: int) -> bytes:
    with open_at(place) as file:
        return file.read(count)


def _register_heif() -> None:
    Pillow.init()
    if "HEIF" in Pillow.OPEN:
        return
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()


def _explain_heic(source: Source, name: str) -> None:
    start = source[:12] if isinstance(source, bytes) else _first_bytes(source, 12)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS and "HEIF" not in Pillow.OPEN:
        raise UnusableError(
            "codec",
            worded(
                "{file} is a {format} picture; reading it takes an extra: {command}",
                file=name,
                format="HEIC",
                command="pip install 'fakelight[heic]'",
            ),
        )
