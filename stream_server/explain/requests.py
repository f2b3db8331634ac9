"""Explanations on request, for one live stream: one at a time, and not too often."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from stream_server import protocol
from stream_server.engine.base import EngineError
from stream_server.explain.explainer import Explainer
from stream_server.languages import worded
from stream_server.stream import Moment

_log = logging.getLogger(__name__)
EVERY = 0.5  # seconds between two explanations of one stream


class ExplainRequests:
    """Answers ``explain`` messages over ``send``, which must not block.

    ``moment`` finds a track's newest sample; it returns ``None`` where there is none yet and
    raises ``KeyError`` for a track that is not followed.
    """

    def __init__(
        self,
        explainer: Explainer,
        moment: Callable[[int], Moment | None],
        send: Callable[[dict[str, Any]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.explainer = explainer
        self._moment = moment
        self._send = send
        self._clock = clock
        self._last = -EVERY
        self._task: asyncio.Task[None] | None = None

    def ask(self, track: int) -> None:
        """Answer in a while; an ``error`` at once where there can be no answer."""
        problem = self._problem(track)
        if problem is not None:
            self._send(protocol.error(*problem, track=track))

    def stop(self) -> None:
        """Drop what is under way."""
        if self._task is not None:
            self._task.cancel()

    def _problem(self, track: int) -> tuple[str, str] | None:
        if not self.explainer.members:
            return "no_explanation", worded("this server's models come without heat maps")
        try:
            moment = self._moment(track)
        except KeyError:
            return "unknown_track", worded("no face with track {number} is in view", number=track)
        if moment is None:
            return "no_explanation", worded(
                "track {number} was not seen well enough yet", number=track
            )
        now = self._clock()
        busy = self._task is not None and not self._task.done()
        if busy or now - self._last < EVERY:
            return "explain_too_often", worded(
                "one explanation every {seconds:g} s and at a time", seconds=EVERY
            )
        self._last = now
        self._task = asyncio.create_task(self._answer(moment))
        return None

    async def _answer(self, moment: Moment) -> None:
        try:
            heat = await self.explainer.explain(moment.crop)
        except EngineError as error:
            text = worded("the engine gave no answer: {why}", why=str(error))
            self._send(protocol.error("no_explanation", text, track=moment.track))
        except Exception:
            _log.exception("explaining track %s failed", moment.track)
            text = worded("an internal error; see the log")
            self._send(protocol.error("no_explanation", text, track=moment.track))
        else:
            self._send(
                protocol.explanation(
                    track=moment.track,
                    media_time=moment.time,
                    box=moment.box,
                    corners=moment.corners.tolist(),
                    heat=heat.grid.tolist(),
                    members=heat.members,
                )
            )
