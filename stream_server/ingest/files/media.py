"""What a file holds, and how it is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from stream_server.vision.types import Frame

_SLOWEST = 0.5  # samples per second: below it nothing can be followed from one to the next


@dataclass(frozen=True)
class Stretch:
    """From ``start`` to ``end`` in seconds; infinity means the end of the file.

    ``lead``: what is seen before this time only prepares, another reader reports it. With
    ``loose`` the reader may begin at the key frame before ``start``, which saves decoding.
    """

    start: float
    end: float
    lead: float = 0.0
    loose: bool = False

    @property
    def seconds(self) -> float:
        return self.end - self.start


WHOLE = (Stretch(0.0, math.inf),)
"""From end to end."""


@dataclass(frozen=True)
class MediaInfo:
    """``width`` and ``height`` are those of the upright picture in pixels; ``duration`` is in
    seconds and ``None`` where the file does not say; ``rate`` is its mean frames per second;
    ``frames`` is how many it says it holds, 0 for unknown."""

    kind: Literal["video", "animation", "picture"]
    form: str
    width: int
    height: int
    duration: float | None
    rate: float
    frames: int
    rotation: int = 0
    hdr: bool = False

    def sampling_rate(self, wanted: float) -> float:
        """Samples per second to take where ``wanted`` are asked for: a slow animation has no ten
        pictures a second to give."""
        return max(min(wanted, self.rate), _SLOWEST) if self.rate > 0 else wanted


@dataclass
class ReadCounts:
    """What a reader met.

    ``passed`` counts the frames that went by, ``decoded`` those that had to be decoded, ``damaged``
    the packets that could not be. ``last`` is the newest time in seconds.
    """

    passed: int = 0
    decoded: int = 0
    damaged: int = 0
    last: float = 0.0


class Media(Protocol):
    """An opened input."""

    info: MediaInfo

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """The frames of each stretch nearest after each 1/``rate`` seconds, upright RGB.

        Media times count from the first frame. Safe to call from several threads at once: every
        call reads the file on its own.
        """
        ...
