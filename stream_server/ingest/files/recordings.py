"""Where in a file each of several recordings begins that were joined byte by byte.

``cat`` joins what a recorder wrote anew after each interruption. FFmpeg reads through formats that
have no header of their own (transport and program streams, raw ones, Ogg); of the others it reads
the first recording, as do most players, and says nothing of the rest.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from stream_server.ingest.files.file_bytes import REACH, FileBytes
from stream_server.ingest.files.file_range import FileRange
from stream_server.ingest.files.program_maps import changes, is_transport_stream

MOST = 500
"""Recordings in one file that are looked at."""

_BEGINNINGS = tuple(
    (beginning, re.compile(re.escape(beginning) + rest, re.DOTALL))
    for beginning, rest in (
        (b"FLV\x01", rb"[\x01\x04\x05]\x00\x00\x00\x09\x00\x00\x00\x00"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", b""),  # ASF, WMV
        (b"DKIF\x00\x00\x20\x00", b""),  # IVF
        (b"YUV4MPEG2 ", b""),
        (b"\x1a\x45\xdf\xa3", rb"[\x80-\xff\x01].{0,48}?\x42\x82.(?:webm|matroska)"),
        (b"RIFF", rb"....AVI LIST....hdrlavih"),
        (b".RMF\x00\x00\x00\x12", b""),  # RealMedia
        # A header partition of MXF (SMPTE ST 377-1): body and footer have other numbers.
        (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02", rb"[\x01-\x04]\x00"),
    )
)
_LARGE_BOX = 16  # bytes of a header of ISO/IEC 14496-12 with a length of 64 bits


def recordings(path: Path) -> tuple[FileRange, ...]:
    """Each recording in ``path`` in its order, the whole of the file where it is one.

    Of more than ``MOST`` the last one that is given holds the rest. Where a file breaks off in the
    header of a fragment, that is no part of any: FFmpeg would refuse all that comes before it.
    """
    with FileBytes(path) as content:
        size = _whole(content)
        found = itertools.islice(_starts(content), MOST + 1)
        starts = [(0, 0), *((start, head) for start, head in found if start > 0)][: MOST + 1]
    ends = [*(start for start, _ in starts[1:]), size]
    return tuple(
        FileRange(path, start, end, head) for (start, head), end in zip(starts, ends, strict=True)
    )


def _starts(content: FileBytes) -> Iterator[tuple[int, int]]:
    """Where each recording begins, and how many of the file's first bytes belong to it too."""
    for beginning, pattern in _BEGINNINGS:
        if pattern.match(content[:REACH]):
            return ((place, 0) for place, _ in content.find_all(pattern, beginning))
    if is_transport_stream(content):
        return ((place, 0) for place in changes(content))
    return _films(content)


def _films(content: FileBytes) -> Iterator[tuple[int, int]]:
    """Where a new MP4 or MOV begins: at a ``ftyp`` box after the ``moov`` box of the last one, and
    at a fragment whose clock does not go on, for which the first one's ``moov`` stands."""
    complete, alone = False, 0
    clocks: dict[int, int] = {}
    for kind, place, end in _boxes(content, 0, len(content)):
        if kind == b"ftyp" and complete:
            yield place, 0
            complete, alone = False, -1
            clocks.clear()
        elif kind == b"moov":
            complete = True
            alone = end if alone == 0 else -1
        elif kind == b"moof":
            own = dict(_clocks(content, place + 8, end))
            if alone > 0 and any(time <= clocks.get(track, -1) for track, time in own.items()):
                yield place, alone
                clocks.clear()
            clocks |= own


def _whole(content: FileBytes) -> int:
    """Where the ``moof`` box begins that goes on beyond the file's end, else that end."""
    boxes = _boxes(content, 0, len(content))
    broken = (place for kind, place, end in boxes if kind == b"moof" and end > len(content))
    return next(broken, 0) or len(content)


def _boxes(content: FileBytes, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes from ``place`` on: name, where it begins, where it ends. The last one may say that
    it is longer than the file."""
    end = min(end, len(content))
    while place + 8 <= end:
        length, kind = content.number(place, 4), content[place + 4 : place + 8]
        if length == 1 and place + _LARGE_BOX <= end:
            length = content.number(place + 8, 8)
        if not kind.isalnum() or length < 8:
            return
        yield kind, place, place + length
        place += length


def _clocks(content: FileBytes, place: int, end: int) -> Iterator[tuple[int, int]]:
    """The tracks of a ``moof`` box, and when each begins in it (8.8.7, 8.8.12)."""
    for kind, start, stop in _boxes(content, place, end):
        inside = {name: at for name, at, _ in _boxes(content, start + 8, stop)}
        if kind != b"traf" or not {b"tfhd", b"tfdt", b"trun"} <= inside.keys():
            continue
        at = inside[b"tfdt"]
        length = 8 if content.number(at + 8, 1) else 4
        yield content.number(inside[b"tfhd"] + 12, 4), content.number(at + 12, length)
