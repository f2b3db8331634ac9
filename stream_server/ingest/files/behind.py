"""What lies behind a picture in its file: more pictures, or a phone's video of the moment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stream_server.ingest.files.file_bytes import FileBytes
from stream_server.ingest.files.file_range import FileRange
from stream_server.ingest.files.picture_ends import form_at, picture_end

STREAM = 9
"""Pictures in a row from which they are a video: what cameras call Motion JPEG."""

_BOX = re.compile(rb"ftyp(?<=\x00\x00\x00.ftyp)([ -~]{4})", re.DOTALL)
_BEFORE = 4  # bytes of it that come before its name
_PICTURES = (
    b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
    b"jp2 ", b"jpx ", b"jxl ",
)  # fmt: skip


@dataclass(frozen=True)
class Behind:
    """``pictures`` that follow the first one, of whatever kind, with nothing but padding between
    them, ``STREAM`` at most; the ``video`` behind them; how many bytes are ``left`` that belong to
    none of these; whether it is a ``stream``: all of them JPEGs, ``STREAM`` with the first; where
    the first one's ``end`` is, ``None`` where its format does not say."""

    pictures: tuple[FileRange, ...]
    video: FileRange | None
    left: int
    stream: bool
    end: int | None


def behind(path: Path, form: str, last: int = 0) -> Behind:
    """What follows the picture in ``path``. ``form`` is Pillow's name for it; ``last`` is where the
    last of the pictures begins that Pillow reads from it.

    Google's motion photos (and Samsung's, and both in the ``mpvd`` box of a HEIC) say in their
    metadata how long their video is, in several ways that changed with the years; its first box is
    told by its name.
    """
    with FileBytes(path) as content:
        video = _video(content)
        end = own_end = picture_end(content, form, last)
        starts: list[int] = []
        while end is not None and len(starts) < STREAM:
            start = _picture(content, end)
            if start is None or start in starts[-1:]:  # that one has no length that is known
                break
            starts.append(start)
            end = picture_end(content, form_at(content, start), start)
        jpegs = [form_at(content, start) == "JPEG" for start in starts]
        size = len(content)
        stop = size if video is None else video
        left = 0 if end is None else content.without_padding(end, stop)
    ranges = zip(starts, [*starts[1:], size], strict=False)
    return Behind(
        tuple(FileRange(path, a, b) for a, b in ranges),
        None if video is None else FileRange(path, video, size),
        left,
        form == "JPEG" and len(jpegs) >= STREAM - 1 and all(jpegs),
        own_end,
    )


def _video(content: FileBytes) -> int | None:
    for place, found in content.find_all(_BOX, b"ftyp"):
        if place > 2 * _BEFORE and found[1] not in _PICTURES:
            return place - _BEFORE
    return None


def _picture(content: FileBytes, place: int) -> int | None:
    """Where the next picture begins: directly, or behind padding, which may look like its first
    bytes."""
    padded = content.after_padding(place)
    starts = (place, padded, padded - 1, padded - 3)
    return next((at for at in starts if at >= place and form_at(content, at)), None)
