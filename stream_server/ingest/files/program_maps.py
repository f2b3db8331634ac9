"""Where the video of a transport stream becomes another: what its program maps say (ISO/IEC
13818-1, 2.4.4.8).

FFmpeg keeps the decoder that it began with, so what follows in another codec would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stream_server.ingest.files.file_bytes import FileBytes

_PACKET = 188
# A packet in which something begins, with a section, which is a map (2.4.3.2, 2.4.4).
_MAP = re.compile(rb"\x47[\x40-\x5f].[\x10-\x1f]\x00\x02[\xb0-\xb3]", re.DOTALL)
_SECTION = 5  # bytes of the packet before the section
_ALLOCATION = b"\x47\x40\x00"  # the packet that says where the maps are
_VIDEO = {0x01, 0x02, 0x10, 0x1B, 0x20, 0x24, 0x33, 0x42, 0xD1, 0xD2, 0xEA}


def is_transport_stream(content: FileBytes) -> bool:
    """Whether ``content`` begins with packets of one, bare or with a time before each."""
    return any(
        len(content) > 2 * step + lead
        and all(content.number(lead + step * number, 1) == 0x47 for number in range(3))
        for step, lead in ((_PACKET, 0), (_PACKET + 4, 4))
    )


def changes(content: FileBytes) -> Iterator[int]:
    """The places of packets from which a program's video is of another codec or lies elsewhere."""
    known: dict[int, frozenset[tuple[int, int]]] = {}
    for place, _ in content.find_all(_MAP, b"\x00\x02"):
        packet = content[place : place + _PACKET]
        if len(packet) < _PACKET or (place > _PACKET and _strays(content, place)):
            continue
        program, video = _map(packet[_SECTION:])
        if known.get(program, video) != video:
            before = place - _PACKET
            yield before if content[before : before + 3] == _ALLOCATION else place
        known[program] = video


def _strays(content: FileBytes, place: int) -> bool:
    """Whether these bytes only look like a packet: none ends before them."""
    return all(content.number(place - back, 1) != 0x47 for back in (_PACKET, _PACKET + 4))


def _map(section: bytes) -> tuple[int, frozenset[tuple[int, int]]]:
    """The number of the program, and the codec and identifier of each of its videos."""
    end = min(3 + (int.from_bytes(section[1:3], "big") & 0xFFF) - 4, len(section) - 5)
    program = int.from_bytes(section[3:5], "big")
    place = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    video = set()
    while place < end:
        kind = section[place]
        if kind in _VIDEO:
            video.add((kind, int.from_bytes(section[place + 1 : place + 3], "big") & 0x1FFF))
        place += 5 + (int.from_bytes(section[place + 3 : place + 5], "big") & 0xFFF)
    return program, frozenset(video)
