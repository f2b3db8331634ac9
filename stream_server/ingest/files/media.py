"""What a file holds, and how it is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from stream_server.ingest.files.timeline import Timeline
from stream_server.languages import together
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
    seconds and ``None`` where it is not known; ``rate`` is its frames per second where it moves;
    ``frames`` is how many it holds, 0 for unknown. ``mirrored`` and ``stretched`` say what was done
    beside turning. ``broken_off`` is how many seconds more the file says it has, ``unreadable`` how
    many lie before the first picture that can be decoded."""

    kind: Literal["video", "animation", "picture"]
    form: str
    width: int
    height: int
    duration: float | None
    rate: float
    frames: int
    rotation: int = 0
    hdr: bool = False
    mirrored: bool = False
    stretched: bool = False
    timeline: Timeline | None = field(default=None, compare=False)
    broken_off: float = 0.0
    unreadable: float = 0.0

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


@dataclass(frozen=True)
class Unread:
    """What a file holds beside what can be looked at. ``what`` names it, ``reason`` is a whole
    sentence on why not; ``seconds`` or ``pictures`` is how much it is, 0 where it carries none."""

    what: str
    code: str
    reason: str
    seconds: float = 0.0
    pictures: int = 0


@dataclass(frozen=True)
class Part:
    """One thing in a file to look at; ``label`` tells it from the others, empty for a single
    one."""

    media: Media
    label: str = ""


def within(label: str, inner: str) -> str:
    """What ``inner`` is called that lies in the part ``label``."""
    return together((label, inner), by=", ") if inner else label


@dataclass(frozen=True)
class Contents:
    """All of a file: the ``parts`` that can be looked at, what a player shows first, and what
    cannot."""

    parts: tuple[Part, ...]
    unread: tuple[Unread, ...] = ()


class Media(Protocol):
    """An opened input."""

    info: MediaInfo

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """The frames of each stretch nearest after each 1/``rate`` seconds, upright RGB.

        A picture that is held is given again, as a player shows it, for up to two seconds. Media
        times count from the first frame. Safe to call from several threads at once: every call
        reads the file on its own.
        """
        ...
