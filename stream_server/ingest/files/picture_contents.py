"""All the pictures that a file of pictures holds, and the video that a phone puts behind one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stream_server.ingest.files import pages
from stream_server.ingest.files.behind import Behind, behind
from stream_server.ingest.files.file_range import FileRange, Place
from stream_server.ingest.files.jpeg_xl import JpegXl, is_jpeg_xl
from stream_server.ingest.files.media import Contents, Part, Unread, within
from stream_server.ingest.files.picture_ends import BOXED
from stream_server.ingest.files.pictures import (
    BROKEN,
    Animation,
    StillPicture,
    check_size,
    checked,
    damaged,
    identified,
)
from stream_server.ingest.files.unusable import UnusableError
from stream_server.ingest.files.video_contents import recording_contents
from stream_server.languages import worded
from stream_server.picture_limits import MAX_PICTURE_PIXELS, MAX_VIDEO_PIXELS

_RAW = worded(
    "of a camera's raw picture only the small copy beside it can be read; export it as JPEG"
)
MUCH_LEFT = 0.05
"""Of a file behind its pictures, from which it is said that it was not read."""

_GAIN_MAP = worded("it tells screens how bright to be and is no picture of its own")


def picture_contents(
    path: Path,
    name: str,
    max_pixels: int = MAX_PICTURE_PIXELS,
    max_video_pixels: int = MAX_VIDEO_PIXELS,
    threads: int = 1,
) -> Contents | None:
    """Every picture in ``path``, or ``None`` where Pillow knows no such format, or only the first
    picture of a Motion JPEG.

    Raises ``UnusableError`` for too many pixels and for what is broken beyond use.
    """
    with identified(path, name, max_pixels) as opened:
        if opened is None:
            return None
        more = behind(path, opened.format, pages.last_place(opened))
        if more.stream:
            return None
        if opened.format not in BOXED or more.end is None or more.end == path.stat().st_size:
            first = _pictures(path, name, opened, max_pixels)
        else:
            alone = FileRange(path, 0, more.end)
            with identified(alone, name, max_pixels) as again:
                first = _pictures(alone, name, again, max_pixels)
    return with_what_follows(path, name, first, more, max_pixels, max_video_pixels, threads)


def with_what_follows(
    path: Path,
    name: str,
    first: Contents,
    more: Behind,
    max_pixels: int = MAX_PICTURE_PIXELS,
    max_video_pixels: int = MAX_VIDEO_PIXELS,
    threads: int = 1,
) -> Contents:
    """``first``, read from ``path`` as its first picture, and the ``more`` that lies behind it."""
    found = [first]
    for number, place in enumerate(more.pictures, 2):
        found.append(
            _behind(place, name, max_pixels, worded("picture {number} in the file", number=number))
        )
    if more.video is not None:
        found.append(_video(more.video, name, max_video_pixels, threads))
    unread = [unread for one in found for unread in one.unread]
    if more.left > MUCH_LEFT * path.stat().st_size:
        reason = worded(
            "{count} bytes follow the last picture that can be read, as of another one",
            count=more.left,
        )
        unread.append(Unread(worded("the end of the file"), "damaged", reason, pictures=1))
    return Contents(tuple(part for one in found for part in one.parts), tuple(unread))


def _pictures(place: Place, name: str, opened: Any, max_pixels: int) -> Contents:
    first = checked(place, name, opened, max_pixels)
    if isinstance(first, Animation):
        if not getattr(opened, "default_image", False):
            return Contents((Part(first),))
        still = StillPicture(place, name, opened)
        moving = Animation(place, name, opened, begin=1)
        return Contents(
            (
                Part(moving, worded("the animation")),
                Part(still, worded("the picture instead of it")),
            )
        )
    count = pages.count(opened)
    parts: list[Part] = []
    unread: list[Unread] = []
    refusal: UnusableError | None = None
    for page in range(count):
        label = ""
        if count > 1:
            label = worded("picture {number} of {count}", number=page + 1, count=count)
        if page >= pages.MOST:
            reason = worded(
                "only the first {count} pictures of a file are looked at", count=pages.MOST
            )
            rest = worded("pictures {number} to {count}", number=page + 1, count=count)
            unread.append(Unread(rest, "too_many_pages", reason, pictures=count - page))
            break
        try:
            still = StillPicture(place, name, opened, page)
            if page and opened.format == "MPO" and pages.is_gain_map(opened):
                unread.append(Unread(label, "gain_map", _GAIN_MAP))
                continue
            check_size(name, opened, max_pixels)
        except UnusableError as error:
            refusal = refusal or error
            unread.append(Unread(label, error.code, error.detail, pictures=1))
        except BROKEN as error:
            refusal = refusal or damaged(name, error)
            unread.append(Unread(label, "truncated", damaged(name, error).detail, pictures=1))
        else:
            parts.append(Part(still, label))
        if pages.is_copy_of_raw(opened):
            unread.append(Unread(worded("the raw picture"), "codec", _RAW, pictures=1))
    if not parts and refusal is not None:
        raise refusal
    return Contents(tuple(parts), tuple(unread))


def _behind(place: Place, name: str, max_pixels: int, label: str) -> Contents:
    """What follows another picture; it cannot make that one unusable."""
    try:
        if is_jpeg_xl(place):
            return Contents((Part(JpegXl(place, name, max_pixels), label),))
        with identified(place, name, max_pixels) as opened:
            if opened is None:
                return Contents(
                    (), (Unread(label, "not_media", worded("it cannot be read"), pictures=1),)
                )
            if opened.format == "JPEG" and pages.is_gain_map(opened):
                return Contents((), (Unread(label, "gain_map", _GAIN_MAP),))
            found = _pictures(place, name, opened, max_pixels)
    except UnusableError as error:
        return Contents((), (Unread(label, error.code, error.detail, pictures=1),))
    parts = tuple(Part(one.media, within(label, one.label)) for one in found.parts)
    return Contents(parts, found.unread)


def _video(place: Place, name: str, max_pixels: int, threads: int) -> Contents:
    """The video of a motion photo."""
    label = worded("the video behind the picture")
    try:
        found = recording_contents(place, name, max_pixels, threads)
    except UnusableError as error:
        return Contents((), (Unread(label, "motion_photo", error.detail, pictures=1),))
    parts = tuple(Part(one.media, within(label, one.label)) for one in found.parts)
    return Contents(parts, found.unread)
