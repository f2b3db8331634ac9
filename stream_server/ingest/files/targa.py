"""TGA pictures. Newer ones are signed at their end; older ones can be told by nothing but by a
header that makes sense, so they are tried where all else has failed."""

from __future__ import annotations

import struct

from stream_server.ingest.files.file_range import Place, open_at, size_of

_SIGNATURE = b"TRUEVISION-XFILE.\x00"
_FOOTER = 26
_HEADER = struct.Struct("<BBBHHBHHHHBB")
_PLAIN, _PACKED = (1, 2, 3), (9, 10, 11)
_DEPTHS = (8, 15, 16, 24, 32)


def is_signed(place: Place) -> bool:
    """Whether ``place`` ends as TGA does from its version 2 on; raises ``OSError``."""
    size = size_of(place)
    if size < _FOOTER + _HEADER.size:
        return False
    with open_at(place) as file:
        file.seek(size - len(_SIGNATURE))
        return file.read() == _SIGNATURE


def may_be(place: Place) -> bool:
    """Whether ``place`` has a header and a length that a TGA can have; raises ``OSError``."""
    with open_at(place) as file:
        start = file.read(_HEADER.size)
    if len(start) < _HEADER.size:
        return False
    words, mapped, kind, _, colours, colour_bits, _, _, width, height, depth, flags = (
        _HEADER.unpack(start)
    )
    if mapped > 1 or kind not in _PLAIN + _PACKED or depth not in _DEPTHS or flags & 0xC0:
        return False
    if not width or not height or (mapped and colour_bits not in _DEPTHS):
        return False
    head = _HEADER.size + words + mapped * colours * ((colour_bits + 7) // 8)
    whole = head + width * height * ((depth + 7) // 8)
    return kind in _PACKED or whole <= size_of(place) <= 2 * whole
