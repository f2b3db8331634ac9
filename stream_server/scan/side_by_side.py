"""What a scan does at the same time: frames are read before they are seen, and judged after."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Event
from typing import Any, TypeVar

_T = TypeVar("_T")


class Behind:
    """Lets up to ``most`` things go on, one after the other, beside what its caller does next; one
    more waits for the first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: deque[asyncio.Task[None]] = deque()

    async def __aenter__(self) -> Behind:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            if kind is None:
                await self.last()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def next(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin ``work`` once what was begun before is done; raises what that raised."""
        while self._tasks and (self._tasks[0].done() or len(self._tasks) >= self._most):
            await self._tasks.popleft()
        before = self._tasks[-1] if self._tasks else None
        self._tasks.append(asyncio.create_task(_after(before, work)))

    async def last(self) -> None:
        """Wait for all that was begun; raises what it raised."""
        while self._tasks:
            await self._tasks.popleft()


async def _after(
    before: asyncio.Task[None] | None, work: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    if before is not None:
        await asyncio.wait({before})
        if before.cancelled() or before.exception() is not None:
            raise asyncio.CancelledError  # whoever waits for that one hears of it; none goes on
    await work()


async def read_ahead(
    frames: Iterator[_T], executor: ThreadPoolExecutor, ahead: int, most: int
) -> AsyncGenerator[_T]:
    """``frames``, of which the next ``ahead`` are read while the last one is looked at, ``most`` in
    all: what a reader counts must not depend on how far it is when nobody wants more."""
    loop = asyncio.get_running_loop()
    read: asyncio.Queue[_T | None] = asyncio.Queue()
    go_on: SimpleQueue[None] = SimpleQueue()  # for each frame but the first
    for _ in range(ahead - 1):
        go_on.put(None)
    left = Event()
    given = 0

    def work() -> None:
        for pair in islice(frames, most):
            loop.call_soon_threadsafe(read.put_nowait, pair)
            go_on.get()
            if left.is_set():
                return

    reading = loop.run_in_executor(executor, work)
    reading.add_done_callback(lambda _: read.put_nowait(None))
    try:
        while (pair := await read.get()) is not None:
            go_on.put(None)
            given += 1
            yield pair
        await reading  # raises what ended it
    finally:
        if given < most - 1:  # else what is counted at the end would depend on who is faster
            left.set()
        go_on.put(None)
        try:
            await asyncio.wait({reading})  # a generator at work in a thread cannot be closed
        finally:
            if reading.done():
                _close(frames, reading)
            else:  # who leaves was told to leave once more, and does not wait
                reading.add_done_callback(partial(_close, frames))


def _close(frames: Iterator[object], reading: asyncio.Future[None]) -> None:
    if not reading.cancelled():
        reading.exception()
    close = getattr(frames, "close", None)
    if close is not None:
        close()
