"""Where a picture ends in its file, by its format's own structure, for what lies behind it is not
shown by anything that opens the file."""

from __future__ import annotations

import re
from collections.abc import Callable

from stream_server.ingest.files.file_bytes import FileBytes
from stream_server.ingest.files.tiff_end import tiff_end

MOST_STEPS = 1_000_000
"""Segments, chunks or blocks of one picture that are followed; what is behind was not understood.
"""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_BOX_START = re.compile(rb"....ftyp(?:avi[fs]|he[iv][cmsx]|m[is]f1|jp[2x] |jxl )", re.DOTALL)
_SIGNATURE_BOXES = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\x00\x00\x00\x0cJXL \r\n\x87\n")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_RLE = (1, 2)
_NEAR = 4096
_LARGE = (b"meta", b"mdat", b"moov", b"moof", b"mpvd", b"jp2c", b"jxlc", b"jxlp")
"""Boxes in which a file may break off."""

BOXED = ("HEIF", "AVIF", "JPEG2000", "JPEG XL")
"""Formats made of boxes, whose readers may stumble over those of another file behind."""


def form_at(content: FileBytes, place: int) -> str:
    """The format of the picture that begins at ``place``, as Pillow names it, or nothing."""
    start = content[place : place + 32]
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    if start.startswith((b"II*\x00", b"MM\x00*")):
        return "TIFF"
    if start.startswith(_SIGNATURE_BOXES) or _BOX_START.match(start):
        return "HEIF"
    if start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return ""


def picture_end(content: FileBytes, form: str, start: int) -> int | None:
    """Where the picture of ``form`` that begins at ``start`` ends, or the file does before it;
    ``None`` for a format that does not say."""
    if form in BOXED:
        bare = content.number(start, 1) == 0xFF
        form = "" if form == "JPEG XL" and bare else "J2K" if bare else "boxes"
    find = _ENDS.get(form)
    end = find(content, start) if find else None
    return None if end is None else min(end, len(content))


def _jpeg_end(content: FileBytes, start: int) -> int:
    """ITU-T T.81, annex B. Segments are stepped over, for they may hold small pictures."""
    place = start + 2
    for _ in range(MOST_STEPS):
        place = _marker(content, place)
        marker = content.number(place + 1, 1)
        if place >= len(content) or marker == 0xD8:  # the next picture: this one broke off
            return place
        place += 2
        if marker == 0xD9:
            return place
        if marker != 0x01:
            place += content.number(place, 2)
    return place


def _marker(content: FileBytes, place: int) -> int:
    """The next one: readers skip whatever is none, as they do what is coded in between."""
    if near := _MARKER.search(content[place : place + _NEAR]):
        return place + near.start()
    found = next(content.find_all(_MARKER, b"\xff", place + _NEAR - 1), None)
    return found[0] if found else len(content)


def _png_end(content: FileBytes, start: int) -> int:
    """ISO/IEC 15948, 5.3."""
    place = start + 8
    for _ in range(MOST_STEPS):
        length, kind = content.number(place, 4), content[place + 4 : place + 8]
        place += 12 + length
        if kind == b"IEND" or place >= len(content):
            break
    return place


def _gif_end(content: FileBytes, start: int) -> int:
    """GIF89a, appendix B."""
    place = start + 13 + _colours(content.number(start + 10, 1))
    in_data = False
    for _ in range(MOST_STEPS):
        if place >= len(content):
            break
        kind = content.number(place, 1)
        if in_data:
            place += 1 + kind
            in_data = kind > 0
        elif kind == 0x21:
            place, in_data = place + 2, True
        elif kind == 0x2C:
            place += 11 + _colours(content.number(place + 9, 1))
            in_data = True
        else:
            place += 1
            if kind == 0x3B:
                break
    return place


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp_end(content: FileBytes, start: int) -> int:
    length = content.number(start + 4, 4, "little")
    return start + 8 + length + length % 2


def _bmp_end(content: FileBytes, start: int) -> int:
    """By the size of the picture: what the header says of the file's is often wrong."""
    pixels = start + content.number(start + 10, 4, "little")
    side = 2 if content.number(start + 14, 4, "little") == 12 else 4
    width, height = (content.number(start + 18 + side * n, side, "little") for n in (0, 1))
    depth = content.number(start + 20 + 2 * side, 2, "little")
    if side == 4 and content.number(start + 30, 4, "little") in _RLE:
        return pixels + content.number(start + 34, 4, "little")
    if side == 4 and height >> 31:  # negative: the top row comes first
        height = (1 << 32) - height
    return pixels + (width * depth + 31) // 32 * 4 * height


def _boxes_end(content: FileBytes, start: int) -> int | None:
    """ISO/IEC 14496-12, 4.2: up to where no box follows, or a file's first one."""
    place = start
    named = False
    for _ in range(MOST_STEPS):
        length, kind = content.number(place, 4), content[place + 4 : place + 8]
        again = kind in (b"jP  ", b"JXL ") if place > start else False
        again |= kind == b"ftyp" and named
        if again or not _is_name(kind):
            break
        named |= kind == b"ftyp"
        if length == 1:
            length = content.number(place + 8, 8)
        if length == 0:  # up to the file's end
            return _unbounded_end(content, kind, place + 8)
        if length < 8 or (place + length > len(content) and kind not in _LARGE):
            break
        place += length
    return min(place, len(content))


def _unbounded_end(content: FileBytes, kind: bytes, place: int) -> int | None:
    if kind == b"jp2c":
        return _codestream_end(content, place)
    return None if kind in (b"jxlc", b"jxlp") else len(content)


def _is_name(kind: bytes) -> bool:
    return len(kind) == 4 and all(0x20 <= letter < 0x7F for letter in kind)


def _codestream_end(content: FileBytes, start: int) -> int:
    """JPEG 2000 without boxes (ISO/IEC 15444-1, annex A)."""
    place = start + 2
    for _ in range(MOST_STEPS):
        marker = content.number(place, 2)
        if marker == 0xFFD9 or marker >> 8 != 0xFF:
            return place + 2 * (marker == 0xFFD9)
        if marker != 0xFF90:
            place += 2 + content.number(place + 2, 2)
        elif length := content.number(place + 6, 4):
            place += max(length, 12)
        else:
            return len(content)
    return place


_ENDS: dict[str, Callable[[FileBytes, int], int | None]] = {
    "JPEG": _jpeg_end,
    "MPO": _jpeg_end,
    "PNG": _png_end,
    "GIF": _gif_end,
    "WEBP": _webp_end,
    "BMP": _bmp_end,
    "TIFF": tiff_end,
    "J2K": _codestream_end,
    "boxes": _boxes_end,
}
