"""The streams that are open, whichever transport they came by, and how many there may be: with one
token, and in all."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol as Interface

from stream_server import logs
from stream_server.engine import Engine
from stream_server.languages import worded
from stream_server.live import Counters, LiveStream
from stream_server.problem import ProblemError
from stream_server.protocol import Close, Source
from stream_server.server.auth import Caller
from stream_server.session import Send, Session
from stream_server.settings import Settings

_log = logging.getLogger(__name__)
_RETRY_SECONDS = "30"


class OverLimitError(ProblemError):
    """More streams than there may be; the message says how many that is."""


class _TokenFullError(OverLimitError):
    def __init__(self, limit: int) -> None:
        super().__init__(
            429, worded("{count} streams are open with this token, which is the limit", count=limit)
        )


class _ServerFullError(OverLimitError):
    def __init__(self, limit: int) -> None:
        super().__init__(
            503,
            worded(
                "{count} streams are open on this server, which is the limit for all together",
                count=limit,
            ),
            {"Retry-After": _RETRY_SECONDS},
        )


class Observer(Interface):
    """Who counts what becomes of streams."""

    def closed(self, code: Close) -> None:
        """One ended."""

    def refused(self, reason: str) -> None:
        """One was not opened."""


class Registry:
    """Opens sessions and knows the open ones. ``make`` gives a stream with so large a window;
    ``observer`` counts.

    ``empty`` is set while none is open.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        make: Callable[[Send, int], LiveStream],
        observer: Observer,
    ) -> None:
        self.empty = asyncio.Event()
        self.empty.set()
        self._settings = settings
        self._engine = engine
        self._make = make
        self._observer = observer
        self._open: dict[str, Session] = {}
        self._closed = Counters()

    def open(
        self, send: Send, caller: Caller, source: Source | None, window: int | None
    ) -> Session:
        """A new session for ``caller``, with the settings' own window where ``window`` is none.

        It leaves by itself when it has run. Raises ``OverLimitError`` when the caller, or all
        together, have as many streams open as there may be.
        """
        try:
            self._check_limits(caller)
        except OverLimitError:
            self._observer.refused("over_limit")
            raise
        window = window or self._settings.window
        session = Session(
            self._make(send, window),
            send,
            engine=self._engine,
            settings=self._settings,
            holder=caller.holder,
            source=source,
            window=window,
            released=self._forget,
        )
        self.empty.clear()
        self._open[session.id] = session
        with logs.about(stream=session.id):
            _log.info("opened (%s)", session.source.kind or "unnamed")
        return session

    def switch(self, engine: Engine) -> None:
        """Tell clients of another engine from now on."""
        self._engine = engine
        for session in self:
            session.engine = engine

    def get(self, stream: str) -> Session | None:
        """The session of an open stream."""
        return self._open.get(stream)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def counters(self) -> Counters:
        """Frames of all streams since the start, closed ones included."""
        total = replace(self._closed)
        for session in self:
            total.add(session.live.counters)
        return total

    def close_all(self, code: Close, reason: str) -> None:
        """Tell every client that it is over."""
        for session in self:
            session.close(code, reason)

    def _check_limits(self, caller: Caller) -> None:
        limit = self._settings.max_streams
        if Counter(session.holder for session in self)[caller.holder] >= limit:
            raise _TokenFullError(limit)
        limit = max(limit, self._settings.max_all_streams)
        if len(self) >= limit:
            raise _ServerFullError(limit)

    def _forget(self, session: Session) -> None:
        del self._open[session.id]
        self._closed.add(session.live.counters)
        self._observer.closed(session.ending.code)
        if not self._open:
            self.empty.set()
        with logs.about(stream=session.id):
            _log.info("closed (%s), %s", session.ending.code.name.lower(), session.live.counters)
