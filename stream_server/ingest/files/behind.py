"""What lies behind a picture in its file: more pictures, or a phone's video of the moment."""

from __future__ import annotations

import itertools
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from stream_server.ingest.files.file_range import FileRange

STREAM = 9
"""Pictures in a row from which they are a video: what cameras call Motion JPEG."""

_ENTROPY_ENDS = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_PNG_NEXT = re.compile(rb"IEND\xaeB`\x82(?=\x89PNG\r\n\x1a\n)")
_GIF_NEXT = re.compile(rb"\x00;(?=GIF8[79]a)")
_BOX = re.compile(rb"\x00\x00\x00.ftyp([ -~]{4})", re.DOTALL)
_PICTURES = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"jp2 ", b"jpx ")


def pictures_behind(path: Path, form: str) -> list[FileRange]:
    """The pictures that follow directly behind the first, of the same kind, ``STREAM`` at most.
    ``form`` is Pillow's name for it."""
    size = path.stat().st_size
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        starts = list(itertools.islice(_following(content, form), STREAM))
    return [FileRange(path, a, b) for a, b in zip(starts, [*starts[1:], size], strict=False)]


def video_behind(path: Path) -> FileRange | None:
    """The MP4 behind a picture, from its first box to the end of the file.

    Google's motion photos (and Samsung's, and both in the ``mpvd`` box of a HEIC) say in their
    metadata how long it is, in several ways that changed with the years; its first box is told by
    its name.
    """
    size = path.stat().st_size
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for found in _BOX.finditer(content, 2):
            if found[1] not in _PICTURES:
                return FileRange(path, found.start(), size)
    return None


def _following(content: mmap.mmap, form: str) -> Iterator[int]:
    if form == "JPEG":
        place = _jpeg_end(content, 0)
        while content[place : place + 3] == b"\xff\xd8\xff":
            yield place
            place = _jpeg_end(content, place)
    elif form == "WEBP":
        place = 0
        while content[place : place + 4] == b"RIFF" and content[place + 8 : place + 12] == b"WEBP":
            if place:
                yield place
            length = int.from_bytes(content[place + 4 : place + 8], "little")
            place += 8 + length + length % 2
    elif form in ("PNG", "GIF"):
        pattern = _PNG_NEXT if form == "PNG" else _GIF_NEXT
        yield from (found.end() for found in pattern.finditer(content))


def _jpeg_end(content: mmap.mmap, start: int) -> int:
    """Where the JPEG that begins at ``start`` ends (ITU-T T.81, annex B), or the file does. Its
    segments are stepped over, for they may hold small pictures."""
    place = start + 2
    while place + 4 <= len(content):
        marker = content[place + 1]
        if content[place] != 0xFF:
            return len(content)
        if marker == 0xD9:
            return place + 2
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD7:
            place += 1 if marker == 0xFF else 2
            continue
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        if marker == 0xDA:
            found = _ENTROPY_ENDS.search(content, place)
            place = found.start() if found else len(content)
    return len(content) if content[place : place + 2] != b"\xff\xd9" else place + 2
