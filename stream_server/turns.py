"""Whose frame is next, where there is more to do than the machine can: every stream has the same
share of its time.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): a stream that took long is next
later than one that took little, and one that has waited is before one that was served just now.
Few frames are in hand at once, which is what keeps the lag short: a stream that waits for its turn
holds no frame, and takes the newest when the turn comes.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count


class Share:
    """What one stream has had of the machine's time."""

    def __init__(self) -> None:
        self.served_to = 0.0


class Turns:
    """Lets ``at_once()`` turns be taken side by side; it is asked anew at every change.

    ``clock`` is in seconds, for tests.
    """

    def __init__(
        self, at_once: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._at_once = at_once
        self._clock = clock
        self._taken = 0
        self._reached = 0.0  # in the time that streams have had, not the clock's
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    @asynccontextmanager
    async def turn(self, share: Share) -> AsyncIterator[None]:
        """Wait for the turn of the stream that has ``share``, and have it until the block ends."""
        start = max(self._reached, share.served_to)
        await self._wait(start)
        self._reached = max(self._reached, start)
        begun = self._clock()
        try:
            yield
        finally:
            share.served_to = start + self._clock() - begun
            self._leave()

    async def _wait(self, start: float) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (start, next(self._order), mine))
        self._admit()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        self._taken -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._taken < self._at_once():
            _, _, first = heapq.heappop(self._waiting)
            if not first.done():  # else its stream has ended
                self._taken += 1
                first.set_result(None)
