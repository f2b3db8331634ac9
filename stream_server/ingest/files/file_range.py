"""A part of a file that is a file of its own: a recording behind another, a video behind a
picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class FileRange:
    """The bytes of ``path`` from ``start`` to before ``end``, after the first ``head`` ones of it
    where they belong to each of its parts."""

    path: Path
    start: int
    end: int
    head: int = 0

    def content(self) -> bytes:
        """All of them."""
        with open_at(self) as file:
            return file.read()


Place = Path | FileRange
"""Where the bytes of a medium lie."""


def open_at(place: Place) -> BinaryIO:
    """A reader of the bytes of ``place``; raises ``OSError``."""
    if isinstance(place, Path):
        return place.open("rb")
    return io.BufferedReader(_Window(place))


def size_of(place: Place) -> int:
    """How many bytes there are; raises ``OSError``."""
    if isinstance(place, Path):
        return place.stat().st_size
    return place.head + place.end - place.start


class _Window(io.RawIOBase):
    """A file object that knows of nothing outside its range."""

    def __init__(self, place: FileRange) -> None:
        self._file = place.path.open("rb", buffering=0)
        self._head = place.head
        self._start = place.start
        self._length = size_of(place)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        in_head = self._at < self._head
        end = self._head if in_head else self._length
        wanted = max(min(len(buffer), end - self._at), 0)
        self._file.seek(self._at if in_head else self._start + self._at - self._head)
        got = self._file.readinto(memoryview(buffer)[:wanted])
        self._at += got
        return got

    def close(self) -> None:
        self._file.close()
        super().close()
