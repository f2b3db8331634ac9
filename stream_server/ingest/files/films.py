"""Which files are films by their first bytes alone.

Of others Pillow is asked first, and all that it reads has to be loaded for that, which takes a
twentieth of a short scan.
"""

from __future__ import annotations

from stream_server.ingest.files.file_range import Place, open_at

#: The major brands (ISO/IEC 14496-12, 4.3) that cameras, phones, sites and editors write in films;
#: pictures have others.
_BRANDS = (
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso8", b"iso9", b"mp41", b"mp42",
    b"avc1", b"M4V ", b"qt  ", b"3gp4", b"3gp5", b"3gp6", b"dash", b"MSNV", b"XAVC",
)  # fmt: skip
_MATROSKA = b"\x1a\x45\xdf\xa3"


def is_film(place: Place) -> bool:
    """Whether ``place`` begins as an MP4, MOV, Matroska or WebM does; raises ``OSError``."""
    with open_at(place) as file:
        start = file.read(12)
    return start.startswith(_MATROSKA) or (start[4:8] == b"ftyp" and start[8:12] in _BRANDS)
