"""Opening an input of any kind."""

from __future__ import annotations

from pathlib import Path

from stream_server.ingest.files.media import Contents, Media
from stream_server.ingest.files.pictures import open_picture, picture_contents
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.ingest.files.video import VideoFile, video_contents
from stream_server.picture_limits import MAX_PICTURE_PIXELS, MAX_VIDEO_PIXELS


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
    found = open_picture(path, name, max_picture_pixels)
    return found if found is not None else VideoFile(path, name, max_pixels, threads)


def open_contents(
    path: Path,
    name: str,
    max_pixels: int = MAX_VIDEO_PIXELS,
    max_picture_pixels: int = MAX_PICTURE_PIXELS,
    threads: int = 1,
) -> Contents:
    """Everything in ``path`` that can be looked at, and what cannot; else as ``open_media``."""
    _check(path, name)
    found = picture_contents(path, name, max_picture_pixels)
    return found if found is not None else video_contents(path, name, max_pixels, threads)


def _check(path: Path, name: str) -> None:
    try:
        if path.is_dir():
            raise UnusableError("folder", f"{name} is a folder, not a file")
        size = path.stat().st_size
    except OSError as error:
        raise from_os_error(error, name) from None
    if size == 0:
        raise UnusableError("empty", f"{name} is empty: 0 bytes")
