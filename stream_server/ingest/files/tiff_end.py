"""Where a TIFF ends: behind the last of the directories and of all that they point to."""

from __future__ import annotations

from typing import Literal

from stream_server.ingest.files.file_bytes import FileBytes

_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # of a value, by its type
_DATA = ((273, 279), (324, 325), (513, 514))  # where strips, tiles and a small JPEG lie, how long
_DIRECTORIES = (330, 34665, 34853)
_MOST_VALUES = 1_000_000  # that are followed in one file
_BIG = 43
_ENTRY = 12


def tiff_end(content: FileBytes, start: int) -> int:
    """Where the TIFF (version 6.0) that begins at ``start`` ends, the file's end at most; a BigTIFF
    is taken to fill the file."""
    order: Literal["little", "big"] = "little" if content[start : start + 1] == b"I" else "big"
    if content.number(start + 2, 2, order) == _BIG:
        return len(content)
    left = _MOST_VALUES
    waiting = [content.number(start + 4, 4, order)]
    seen: set[int] = set()
    end = 8
    while waiting and left > 0:
        place = waiting.pop()
        if place in seen or not 0 < place < len(content) - start:
            continue
        seen.add(place)
        entries = min(content.number(start + place, 2, order), left)
        left -= 1 + entries
        values: dict[int, list[int]] = {}
        for entry in range(place + 2, place + 2 + _ENTRY * entries, _ENTRY):
            tag = content.number(start + entry, 2, order)
            size = _SIZES.get(content.number(start + entry + 2, 2, order), 1)
            count = content.number(start + entry + 4, 4, order)
            at = entry + 8
            if size * count > 4:
                at = content.number(start + at, 4, order)
                end = max(end, at + size * count)
            if tag in _DIRECTORIES or any(tag in pair for pair in _DATA):
                inside = min(count, max(left, 0), max(len(content) - start - at, 0) // size)
                left -= inside
                values[tag] = [
                    content.number(start + at + size * n, size, order) for n in range(inside)
                ]
        after = place + 2 + _ENTRY * entries
        end = max(end, after + 4)
        for places, lengths in _DATA:
            pairs = zip(values.get(places, ()), values.get(lengths, ()), strict=False)
            end = max(end, *(at + length for at, length in pairs), 0)
        for tag in _DIRECTORIES:
            waiting += values.get(tag, ())
        waiting.append(content.number(start + after, 4, order))
    return min(start + end, len(content))
