"""Reading live sources in a test: inside this process, or as a monitor does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stream_server.ingest.urls.messages import ReaderJob
from stream_server.ingest.urls.reader import Reader
from stream_server.ingest.urls.source import SourceFrame, SourceOptions, SourceState, UrlSource
from stream_server.vision.types import Image

LOOPBACK = "127.0.0.1"


@dataclass
class Record:
    """Stands where an ``Outbox`` does: every word and every picture."""

    states: list[tuple[str, str]] = field(default_factory=list)
    frames: list[tuple[float, Image]] = field(default_factory=list)
    beats: int = 0

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.states]

    @property
    def reason(self) -> str:
        return self.states[-1][1]

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.frames]

    def say(self, **words: Any) -> None:
        if words["type"] == "beat":
            self.beats += 1
        else:
            self.states.append((words["kind"], words["reason"]))

    def offer(self, image: Image, media_time: float, captured_at: float) -> None:
        assert captured_at > 1.7e9
        self.frames.append((media_time, image))

    def drop(self) -> None:
        """What was offered stays on record."""


def read_here(url: str, **chosen: Any) -> Record:
    """Read ``url`` to its end in this process, which has no limits then."""
    usual = {"hosts": LOOPBACK, "files": "", "sample_hz": 10.0, "max_pixels": 2_000_000}
    record = Record()
    Reader(ReaderJob(url, **{**usual, "side": 960, **chosen}), record).run()
    return record


@dataclass
class Watched:
    """What a monitor saw of a source."""

    states: list[SourceState] = field(default_factory=list)
    frames: list[SourceFrame] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return [state.kind for state in self.states]


async def watch(
    source: UrlSource, enough: Callable[[Watched], bool], seconds: float = 90.0
) -> Watched:
    """Follow ``source`` until it is ``enough`` or the source is over.

    Raises ``TimeoutError`` with what was seen.
    """
    seen = Watched()

    async def follow() -> None:
        async for item in source:
            if isinstance(item, SourceState):
                seen.states.append(item)
            else:
                seen.frames.append(item)
            if enough(seen):
                return

    try:
        await asyncio.wait_for(follow(), seconds)
    except TimeoutError:
        raise TimeoutError(f"{seen.states}, {len(seen.frames)} frames") from None
    return seen


def options(**chosen: Any) -> SourceOptions:
    """For sources on this machine."""
    return SourceOptions(**{"hosts": LOOPBACK, **chosen})
