"""Whose frame is next, where there is more to do than the machine can: every stream has the same
share of its time.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): a stream that took much is next
later than one that took little, and one that has waited is before one that was served just now.
What counts is the work that its frames made, not how long they were in hand: that is mostly waiting
for the frames of others, and of streams alike some would get half as many again as others.
Few frames are in hand at once, which is what keeps the lag short: a stream that waits for its turn
holds no frame, and takes the newest when the turn comes.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count


class Share:
    """What one stream has had of the machine's time.

    ``worked``: seconds of processor time that the turn in hand took; whoever has it notes them.
    """

    def __init__(self) -> None:
        self.served_to = 0.0
        self.worked = 0.0


class Turns:
    """Lets ``at_once()`` turns be taken side by side; it is asked anew at every change."""

    def __init__(self, at_once: Callable[[], int]) -> None:
        self._at_once = at_once
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
        share.worked = 0.0
        try:
            yield
        finally:
            share.served_to = start + share.worked
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
