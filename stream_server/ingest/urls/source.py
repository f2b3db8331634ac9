"""A live address as frames and states: what a monitor watches.

    async with UrlSource(url, SourceOptions.chosen(settings)) as source:
        async for item in source:
            ...

An item is a ``SourceFrame``, always the newest there is, or a ``SourceState``. A consumer that is
slow skips frames; it never falls behind, and it misses no state.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, get_args

import numpy as np

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.backoff import Backoff
from stream_server.ingest.urls.messages import ReaderJob
from stream_server.ingest.urls.reader_process import ReaderProcess
from stream_server.picture_limits import MAX_SIDE
from stream_server.redaction import redact
from stream_server.settings import Settings
from stream_server.vision.types import Frame

_log = logging.getLogger(__name__)
Kind = Literal["connecting", "playing", "stalled", "frozen", "black", "silent", "ended", "failed"]
KINDS: tuple[str, ...] = get_args(Kind)
_FINAL = ("ended", "failed")
_FROM_READER = ("playing", "frozen", "black", "silent", *_FINAL)


@dataclass(frozen=True)
class SourceFrame(Frame):
    """A frame of a live source: ``image`` RGB uint8 ``[H, W, 3]``, its longer side at most that of
    a capture; ``media_time`` in seconds, from zero, never backwards, through reconnects too;
    ``frame_id`` counts from 1; ``captured_at`` is when it was taken in, seconds since 1970."""

    captured_at: float = 0.0


@dataclass(frozen=True)
class SourceState:
    """How a source is. ``reason`` is for people, and says nothing that is secret.

    ``connecting``: not there, being tried again; ``playing``; ``stalled``: open, but nothing comes;
    ``frozen`` and ``black``: the picture is, and no frame is handed over meanwhile; ``silent``:
    the sound is, frames go on. After ``ended`` (its end for good) and ``failed`` (refused: trying
    again does not help) nothing more comes.
    """

    kind: Kind
    reason: str = ""


@dataclass(frozen=True)
class SourceOptions:
    """``hosts`` is FAKELIGHT_MONITOR_HOSTS, ``files`` a folder whose files may be played over and
    over, ``sample_hz`` how many frames a second of media time are wanted, ``max_pixels`` those of
    one frame. Seconds: ``opening`` until the first frame, ``stalled_after`` without anything until
    it is told, ``given_up_after`` until it is opened anew."""

    hosts: str = ""
    files: str = ""
    sample_hz: float = 10.0
    max_pixels: int = 3840 * 2160
    side: int = MAX_SIDE
    opening: float = 30.0
    stalled_after: float = 4.0
    given_up_after: float = 12.0

    @classmethod
    def chosen(cls, settings: Settings, sample_hz: float | None = None) -> SourceOptions:
        """By the settings, and the rate that somebody asked for."""
        return cls(
            hosts=settings.monitor_hosts,
            files=settings.monitor_files,
            sample_hz=sample_hz or settings.sample_hz,
            max_pixels=settings.max_pixels,
        )


class UrlSource:
    """Reads ``url`` in a process of its own, and starts another when that one ends.

    Use it as an asynchronous context manager; leaving it ends the process. ``skipped`` counts the
    frames that a newer one replaced here; ``clock`` (seconds) and ``backoff`` are for tests.

    Raises ``ValueError`` for hosts that are no hosts.
    """

    def __init__(
        self,
        url: str,
        options: SourceOptions,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
    ) -> None:
        AllowedHosts.parse(options.hosts)  # a bad setting is told here, not by every reader
        self.skipped = 0
        self._url = url
        self._options = options
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._states: deque[SourceState] = deque()
        self._frame: SourceFrame | None = None
        self._told: SourceState | None = None
        self._reader_state: SourceState | None = None
        self._asked = False
        self._changed = asyncio.Event()
        self._over = False
        self._reader: ReaderProcess | None = None
        self._task: asyncio.Task[None] | None = None
        self._frames = 0
        self._base = 0.0
        self._last: tuple[float, float] | None = None  # media time, clock

    async def __aenter__(self) -> UrlSource:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def pid(self) -> int | None:
        """The process that reads just now."""
        return None if self._reader is None else self._reader.pid

    def __aiter__(self) -> AsyncIterator[SourceFrame | SourceState]:
        return self

    async def __anext__(self) -> SourceFrame | SourceState:
        while True:
            if self._states:
                return self._states.popleft()
            if self._frame is not None:
                frame, self._frame = self._frame, None
                return frame
            if self._over:
                raise StopAsyncIteration
            self._changed.clear()
            self._want()
            await self._changed.wait()

    async def _run(self) -> None:
        try:
            while True:
                self._tell("connecting", "opening it")
                ending = await self._read()
                if ending.kind in _FINAL:
                    self._tell(ending.kind, ending.reason)
                    return
                delay = self._backoff.next()
                self._tell("connecting", f"{ending.reason}; trying again in {delay:.0f} s")
                await asyncio.sleep(delay)
        except Exception:
            _log.exception("a source failed")
            self._tell("failed", "an internal error; see the log")
        finally:
            self._over = True
            self._changed.set()

    async def _read(self) -> SourceState:
        """Read until one process ends; how it ended."""
        options = self._options
        job = ReaderJob(
            self._url,
            options.hosts,
            options.files,
            options.sample_hz,
            options.max_pixels,
            options.side,
        )
        try:
            reader = await ReaderProcess.start(job)
        except OSError as error:
            return SourceState("connecting", f"no process can be started: {error.strerror}")
        self._reader = reader
        said: SourceState | None = None
        try:
            self._begin()
            self._want()
            said = await self._listen(reader)
        finally:
            self._reader = None
            died = await reader.stop()
        return said or SourceState("connecting", died)

    async def _listen(self, reader: ReaderProcess) -> SourceState | None:
        """Take in what one reader says; its last word, or ``None`` where it died without."""
        options = self._options
        waited = 0.0
        coming = asyncio.ensure_future(reader.message())
        try:
            while True:
                played = self._reader_state is not None
                limit = options.stalled_after if played else options.opening
                limit = options.given_up_after if waited else limit
                await asyncio.wait({coming}, timeout=limit - waited)
                if not coming.done():
                    if not played:
                        return SourceState("connecting", f"no picture within {limit:g} s")
                    if waited:
                        return SourceState("connecting", f"nothing came for {limit:g} s")
                    waited = limit
                    self._tell("stalled", f"nothing has come for {limit:g} s")
                    continue
                waited = 0.0
                said = self._took_in(*coming.result())
                if said is not None:
                    return said
                coming = asyncio.ensure_future(reader.message())
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except (ValueError, KeyError, TypeError) as error:
            return SourceState("connecting", f"the process that reads it makes no sense: {error}")
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await coming

    def _took_in(self, header: dict[str, Any], body: bytes) -> SourceState | None:
        """Take in one message; the reader's last word if it is that."""
        if header["type"] == "state":
            return self._heard(header)
        if header["type"] == "frame":
            self._took(header, body)
        if self._reader_state is not None:
            self._tell(self._reader_state.kind, self._reader_state.reason)  # after a stall
        return None

    def _heard(self, header: dict[str, Any]) -> SourceState | None:
        kind, reason = header["kind"], redact(str(header["reason"])[:500], self._url)
        if kind == "gone":
            return SourceState("connecting", reason)
        if kind not in _FROM_READER:
            raise ValueError(f"a state {str(kind)[:20]!r}")
        state = SourceState(kind, reason)
        if kind in _FINAL:
            return state
        self._backoff.reset()
        self._reader_state = state
        self._tell(kind, reason)
        if kind in ("frozen", "black"):
            self._frame = None
        return None

    def _took(self, header: dict[str, Any], body: bytes) -> None:
        height, width = int(header["height"]), int(header["width"])
        image = np.frombuffer(body, np.uint8).reshape(height, width, 3)
        media_time = self._base + float(header["media_time"])
        self._last = (media_time, self._clock())
        self._frames += 1
        if self._frame is not None:
            self.skipped += 1
        captured_at = float(header["captured_at"])
        self._frame = SourceFrame(image, media_time, self._frames, captured_at)
        self._asked = False
        self._changed.set()

    def _begin(self) -> None:
        """A new reader counts from zero: its times go on after the last, and the time between."""
        self._asked, self._reader_state = False, None
        if self._last is not None:
            media_time, at = self._last
            self._base = media_time + max(self._clock() - at, 0.0)

    def _want(self) -> None:
        if self._reader is not None and not self._asked:
            self._asked = True
            self._reader.want()

    def _tell(self, kind: Kind, reason: str) -> None:
        state = SourceState(kind, redact(reason, self._url))
        if state != self._told:
            self._told = state
            self._states.append(state)
            self._changed.set()
