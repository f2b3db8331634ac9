"""How much a live source may take: numbers that a refusal names."""

from __future__ import annotations

from dataclasses import dataclass

MAX_REDIRECTS = 5
MAX_PLAYLIST_BYTES = 2 * 1024**2
MAX_SEGMENTS = 8000
"""Entries of one playlist: four hours of two seconds each. It is read anew every few seconds."""

MAX_RENDITIONS = 100
"""Variants and renditions of one master playlist."""

MAX_SEGMENT_BYTES = 128 * 1024**2
"""Ten seconds at a hundred megabits a second."""

MAX_KEY_BYTES = 4096
SEGMENT_SECONDS = 60.0
"""In which a playlist, a key or a segment must have come whole."""

CONNECT_SECONDS = 10.0
READ_SECONDS = 10.0
"""Without a byte."""


@dataclass(frozen=True)
class ReaderLimits:
    """What the process that reads one source may use. ``pixels`` are those of one frame,
    ``side`` is the longer one of the pictures that it hands over, ``files`` are open ones."""

    pixels: int
    side: int
    files: int = 64

    @property
    def memory(self) -> int:
        """Bytes of data: what the program itself takes, and for each pixel a decoder's twenty
        pictures of ten bits."""
        return 512 * 1024**2 + 64 * self.pixels
