"""What a live source is to whoever watches it, whichever way its pictures come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from stream_server.vision.types import Frame

SourceKind = Literal[
    "connecting", "playing", "stalled", "frozen", "black", "silent", "ended", "failed"
]


@dataclass(frozen=True)
class LiveFrame(Frame):
    """The newest picture of a live source. ``captured_at``: Unix seconds when it came in."""

    captured_at: float = 0.0


@dataclass(frozen=True)
class SourceState:
    """What has become of a source; ``reason`` is for people and holds no credentials.

    ``connecting``: nothing yet, or not any more; what follows is another stream, whose media time
    and tracks begin anew. ``playing``: pictures come and show something. ``stalled``: none come.
    ``frozen``, ``black``: they come and show nothing new, nothing at all. ``silent``: the sound is
    gone, the picture goes on. ``ended``, ``failed``: over, and it will not be tried again.
    """

    kind: SourceKind
    reason: str = ""


class Source(Protocol):
    """A live source. ``frames`` may be asked for once, inside ``async with``.

    Reading is always at the newest picture: what is not fetched in time is left out. It reconnects
    by itself, and ends after ``ended`` or ``failed``.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def frames(self) -> AsyncIterator[LiveFrame | SourceState]:
        """Pictures and states in the order in which they came."""
