"""The bytes of a file of any size, to look at in places and to search, while other threads go on.

The interpreter's lock is held throughout a search by ``re``, and while memory that is mapped comes
from the disk: a search of gigabytes at once would stop every stream of the server.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal

WINDOW = 1 << 20
"""Bytes that are searched at a time."""

REACH = 128
"""The longest that a pattern may be, and may look back, in bytes."""

_PADDING = b"\x00\xff"


class FileBytes:
    """The bytes of ``path`` as they are when it is opened; raises ``OSError``."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size
        self._content: mmap.mmap | bytes = b""
        if self._size:
            self._content = mmap.mmap(self._file.fileno(), self._size, access=mmap.ACCESS_READ)

    def __enter__(self) -> FileBytes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if isinstance(self._content, mmap.mmap):
            self._content.close()
        self._file.close()

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        """A few of them, fewer where the file ends."""
        return self._content[part]

    def number(self, place: int, length: int, order: Literal["little", "big"] = "big") -> int:
        """The number without a sign in the ``length`` bytes from ``place`` on, of what is there."""
        return int.from_bytes(self._content[place : place + length], order)

    def find_all(
        self, pattern: re.Pattern[bytes], anchor: bytes, begin: int = 0
    ) -> Iterator[tuple[int, re.Match[bytes]]]:
        """Where ``pattern`` is found from ``begin`` on, each with its match, whose own places are
        those in a window. ``anchor`` is what each match contains: it is sought first, for that is
        many times faster."""
        done = begin
        for at in range(begin, self._size, WINDOW):
            base = max(at - REACH, 0)
            window = self._read(base, at + WINDOW + REACH)
            if anchor not in window:
                continue
            for found in pattern.finditer(window, max(at, done) - base):
                if base + found.start() >= at + WINDOW:
                    break
                done = base + found.end()
                yield base + found.start(), found

    def after_padding(self, place: int) -> int:
        """Where what is neither zeros nor ones begins from ``place`` on, the end where nothing."""
        for at in range(place, self._size, WINDOW):
            window = self._read(at, at + WINDOW)
            if rest := window.lstrip(_PADDING):
                return at + len(window) - len(rest)
        return self._size

    def without_padding(self, place: int, end: int) -> int:
        """How many bytes from ``place`` to before ``end`` are neither zeros nor ones."""
        return sum(
            len(self._read(at, min(at + WINDOW, end)).translate(None, _PADDING))
            for at in range(place, end, WINDOW)
        )

    def _read(self, start: int, end: int) -> bytes:
        return os.pread(self._file.fileno(), end - start, start)
