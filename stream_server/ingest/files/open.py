"""Opening an input of any kind."""

from __future__ import annotations

from pathlib import Path

from stream_server.ingest.files import targa
from stream_server.ingest.files.behind import behind
from stream_server.ingest.files.films import is_film
from stream_server.ingest.files.jpeg_xl import JpegXl, is_jpeg_xl
from stream_server.ingest.files.media import WHOLE, Contents, Media, Part, ReadCounts
from stream_server.ingest.files.picture_contents import picture_contents, with_what_follows
from stream_server.ingest.files.pictures import open_picture
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.ingest.files.video import VideoFile
from stream_server.ingest.files.video_contents import video_contents
from stream_server.languages import worded
from stream_server.picture_limits import MAX_PICTURE_PIXELS, MAX_VIDEO_PIXELS

_TARGA = ("TGA",)


def open_media(
    path: Path,
    name: str,
    max_pixels: int = MAX_VIDEO_PIXELS,
    max_picture_pixels: int = MAX_PICTURE_PIXELS,
    threads: int = 1,
) -> Media:
    """The picture, animation or video that a player shows first of what is in ``path``, told by
    its content and never by its name.

    ``name`` is what messages call it.

    Raises ``UnusableError`` for what cannot be analysed.
    """
    _check(path, name)
    found = _of_its_own(path, name, max_picture_pixels) or open_picture(
        path, name, max_picture_pixels
    )
    if found is not None:
        return found
    try:
        return VideoFile(path, name, max_pixels, threads)
    except UnusableError:
        unsigned = _unsigned_targa(path, name, max_picture_pixels)
        if unsigned is None:
            raise
        return unsigned


def open_contents(
    path: Path,
    name: str,
    max_pixels: int = MAX_VIDEO_PIXELS,
    max_picture_pixels: int = MAX_PICTURE_PIXELS,
    threads: int = 1,
) -> Contents:
    """Everything in ``path`` that can be looked at, and what cannot; else as ``open_media``."""
    _check(path, name)
    own = _of_its_own(path, name, max_picture_pixels)
    if isinstance(own, JpegXl):
        more = behind(path, own.info.form)
        first = Contents((Part(own),), own.unread() if more.end is None else ())
        return with_what_follows(path, name, first, more, max_picture_pixels, max_pixels, threads)
    if own is not None:
        return Contents((Part(own),))
    if not is_film(path):
        found = picture_contents(path, name, max_picture_pixels, max_pixels, threads)
        if found is not None:
            return found
    try:
        return video_contents(path, name, max_pixels, threads)
    except UnusableError:
        unsigned = _unsigned_targa(path, name, max_picture_pixels)
        if unsigned is None:
            raise
        return Contents((Part(unsigned),))


def _of_its_own(path: Path, name: str, max_pixels: int) -> Media | None:
    """A picture in a format that neither Pillow nor FFmpeg can tell."""
    if is_jpeg_xl(path):
        return JpegXl(path, name, max_pixels)
    return open_picture(path, name, max_pixels, _TARGA) if targa.is_signed(path) else None


def _unsigned_targa(path: Path, name: str, max_pixels: int) -> Media | None:
    """What is nothing else and can be decoded as a TGA."""
    if not targa.may_be(path):
        return None
    try:
        found = open_picture(path, name, max_pixels, _TARGA)
        for _ in found.read(WHOLE, 1.0, ReadCounts()) if found else ():
            return found
    except UnusableError as error:
        if error.code == "too_many_pixels":
            raise
    return None


def _check(path: Path, name: str) -> None:
    try:
        if path.is_dir():
            raise UnusableError("folder", worded("{file} is a folder, not a file", file=name))
        size = path.stat().st_size
    except OSError as error:
        raise from_os_error(error, name) from None
    if size == 0:
        raise UnusableError("empty", worded("{file} is empty: 0 bytes", file=name))
