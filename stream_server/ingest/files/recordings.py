"""Where in a file each of several recordings begins that were joined byte by byte.

``cat`` joins what a recorder wrote anew after each interruption. FFmpeg reads through formats that
have no header of their own (transport and program streams, raw ones, Ogg); of the others it reads
the first recording, as do most players, and says nothing of the rest.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from stream_server.ingest.files.file_range import FileRange

MOST = 500
"""Recordings in one file that are looked at."""

_BEGINNINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09\x00\x00\x00\x00",
        rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",  # ASF, WMV
        rb"DKIF\x00\x00\x20\x00",  # IVF
        rb"YUV4MPEG2 ",
        rb"\x1a\x45\xdf\xa3[\x80-\xff\x01].{0,48}?\x42\x82.(?:webm|matroska)",
        rb"RIFF....AVI LIST....hdrlavih",
        rb"\.RMF\x00\x00\x00\x12",  # RealMedia
        # A header partition of MXF (SMPTE ST 377-1): body and footer have other numbers.
        rb"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02[\x01-\x04]\x00",
    )
)
_LARGE_BOX = 16  # bytes of a header of ISO/IEC 14496-12 with a length of 64 bits


def recordings(path: Path) -> tuple[FileRange, ...]:
    """Each recording in ``path`` in its order, the whole of the file where it is one.

    Of more than ``MOST`` the last one that is given holds the rest.
    """
    size = path.stat().st_size
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        starts = [0]
        for start in _starts(content):
            if start > 0:
                starts.append(start)
            if len(starts) == MOST + 1:
                break
    return tuple(FileRange(path, a, b) for a, b in zip(starts, [*starts[1:], size], strict=True))


def _starts(content: mmap.mmap) -> Iterator[int]:
    for beginning in _BEGINNINGS:
        if beginning.match(content):
            return (found.start() for found in beginning.finditer(content))
    return _films(content)


def _films(content: mmap.mmap) -> Iterator[int]:
    """Where a new MP4 or MOV begins: at a ``ftyp`` box after the ``moov`` box of the last one."""
    place, complete = 0, False
    while place + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        if length == 1 and place + _LARGE_BOX <= len(content):
            (length,) = struct.unpack(">Q", content[place + 8 : place + _LARGE_BOX])
        if (not kind.isalnum() and kind != b"free") or length < 8:
            return
        if kind == b"ftyp" and complete:
            yield place
            complete = False
        complete = complete or kind == b"moov"
        place += length
