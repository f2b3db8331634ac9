"""What a monitor needs of a live source, whichever way its pictures come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol, Self

from stream_server.ingest.urls.source import SourceFrame, SourceState

#: The address of a stream that is not fetched but pushed, by WHIP.
PUSHED = "whip:"


class Source(Protocol):
    """Pictures and states in the order in which they came, inside ``async with``; see
    ``ingest.urls.source.UrlSource``, which is one.

    It is always at the newest picture, reconnects by itself, and ends after ``ended`` or
    ``failed``.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __aiter__(self) -> AsyncIterator[SourceFrame | SourceState]: ...
