"""The several pictures that one file may hold: pages, views, sizes."""

from __future__ import annotations

from typing import Any

MOST = 500
"""Pictures of one file that are looked at."""

_PAGED = ("TIFF", "MPO", "HEIF")
# A phone's second picture is often no picture: it says how much brighter a screen may show each
# place (ISO 21496-1, and the same by Adobe, Google and Apple).
_GAIN_MAP = (b"urn:iso:std:iso:ts:21496", b"hdrgm:", b"HDRGainMap", b"hdrgainmap")
_HEADER_BYTES = 8192
_KIND, _BELOW = 254, 330  # TIFF's NewSubfileType and SubIFDs


def count(opened: Any) -> int:
    """How many pictures the file holds that Pillow opened."""
    if opened.format in _PAGED:
        return int(getattr(opened, "n_frames", 1))
    return max(len(_sizes(opened)), 1)


def turn_to(opened: Any, page: int) -> None:
    """Make ``opened`` show its picture number ``page``, counted from 0."""
    if opened.format in _PAGED:
        opened.seek(page)
    elif sizes := _sizes(opened):
        opened.size = sizes[page]


def last_place(opened: Any) -> int:
    """The furthest byte at which one of the pictures of an MPO begins, 0 in other formats. Those
    that cannot be found are passed over."""
    places = [0]
    for page in range(min(count(opened), MOST) if opened.format == "MPO" else 0):
        try:
            opened.seek(page)
        except Exception:  # as Pillow answers damaged files
            continue
        places.append(int(opened.offset))
    turn_to(opened, 0)
    return max(places)


def is_gain_map(opened: Any) -> bool:
    """Whether the picture that a JPEG stands at is a map of brightness."""
    place = opened.fp.tell()
    opened.fp.seek(getattr(opened, "offset", 0))
    start = opened.fp.read(_HEADER_BYTES)
    opened.fp.seek(place)
    return any(mark in start for mark in _GAIN_MAP)


def is_copy_of_raw(opened: Any) -> bool:
    """Whether the page that a TIFF stands at is the small copy of a camera's raw picture (DNG, NEF,
    ARW), which lies in a directory below it."""
    tags = getattr(opened, "tag_v2", {})
    return bool(tags.get(_KIND, 0) & 1) and _BELOW in tags


def _sizes(opened: Any) -> list[Any]:
    """The sizes that an icon is drawn in, the largest first."""
    if opened.format == "ICO":
        return sorted(opened.ico.sizes(), reverse=True)
    if opened.format == "ICNS":
        sizes = sorted(opened.info["sizes"], key=lambda s: s[0] * s[2], reverse=True)
        return list({(s[0] * s[2], s[1] * s[2]): s for s in sizes}.values())
    return []
