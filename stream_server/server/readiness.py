"""Whether the server can judge anything just now."""

from __future__ import annotations

import time
from collections.abc import Callable

from stream_server.engine import Engine

_GOOD_FOR = 1.0  # seconds: whoever asks more often gets the last answer


class Readiness:
    """Asks the engine for a real inference, at most once a second however many ask."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._asked = -_GOOD_FOR
        self._trouble = ""

    def switch(self, engine: Engine) -> None:
        """Ask another one from now on."""
        self._engine = engine
        self._asked = -_GOOD_FOR

    async def trouble(self) -> str:
        """What is wrong; empty when a real inference goes through."""
        if self._clock() - self._asked >= _GOOD_FOR:
            try:
                await self._engine.probe()
                self._trouble = ""
            except Exception as error:  # whatever it is, the answer is that we are not ready
                self._trouble = str(error) or type(error).__name__
            self._asked = self._clock()
        return self._trouble
