"""Joins concurrent calls of one model into batches."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_server import tracing
from stream_server.engine.base import EngineBusy, EngineUnavailable


@dataclass(slots=True)
class _Call:
    inputs: dict[str, NDArray[Any]]
    rows: int
    done: asyncio.Future[dict[str, NDArray[Any]]]
    asked: float = field(default_factory=time.perf_counter)
    traced: tracing.Place = field(default_factory=tracing.here)


@dataclass(slots=True)
class BatchStats:
    """Counts since the start: ``rows / batches`` is the mean batch size."""

    calls: int = 0
    batches: int = 0
    rows: int = 0
    failed: int = 0


@dataclass(slots=True)
class Joiner:
    """Joins calls along axis 0 and hands the rows of the answer back to their callers.

    Greedy, with no delay: whatever has queued while the previous batch ran goes into the next one.
    ``max_rows`` and ``parallel`` are asked anew for every batch. ``stats`` may be shared;
    ``queued`` is told how many seconds each call has waited when its batch begins.
    """

    run: Callable[[dict[str, NDArray[Any]]], Awaitable[Mapping[str, NDArray[Any]]]]
    max_rows: Callable[[], int]
    parallel: Callable[[], int]
    max_waiting: int
    stats: BatchStats = field(default_factory=BatchStats)
    queued: Callable[[float], None] = lambda seconds: None
    waiting: deque[_Call] = field(default_factory=deque)
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    closed: bool = False

    async def submit(self, inputs: dict[str, NDArray[Any]], rows: int) -> dict[str, NDArray[Any]]:
        """The answer's rows for ``inputs``, all of which have ``rows`` rows.

        Raises EngineBusy where too many calls wait, EngineUnavailable once closed, and what
        ``run`` raises for the batch that the call was in.
        """
        if self.closed:
            raise EngineUnavailable("the batcher is closed")
        if len(self.waiting) >= self.max_waiting:
            raise EngineBusy(
                f"{len(self.waiting)} calls are waiting for a batch, "
                f"the limit is {self.max_waiting}"
            )
        call = _Call(inputs, rows, asyncio.get_running_loop().create_future())
        self.stats.calls += 1
        self.waiting.append(call)
        if len(self.workers) < self.parallel():
            # In a context of its own: what it does is for all, not for who happened to call first.
            work = asyncio.create_task(self._work(), context=contextvars.Context())
            self.workers.add(work)
        return await call.done

    async def close(self) -> None:
        """Fail every call that still waits."""
        self.closed = True
        workers = list(self.workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self._fail(self.waiting, EngineUnavailable("the batcher is closed"))
        self.waiting.clear()

    async def _work(self) -> None:
        # Lets every stream that got a frame in this turn of the loop join the first batch.
        await asyncio.sleep(0)
        try:
            while batch := self._take():
                try:
                    await self._run_batch(batch)
                except asyncio.CancelledError:
                    self._fail(batch, EngineUnavailable("the batcher is closed"))
                    raise
                except Exception as error:  # handed to this batch's callers, and to no others
                    self.stats.failed += 1
                    self._fail(batch, error)
        finally:
            # Here and not in a callback, which comes a turn later: a call that arrives in between
            # would wait for a worker that has left.
            if (task := asyncio.current_task()) is not None:
                self.workers.discard(task)

    def _take(self) -> list[_Call]:
        batch: list[_Call] = []
        rows = 0
        limit = self.max_rows()
        while self.waiting:
            call = self.waiting[0]
            if call.done.done():  # its caller gave up
                self.waiting.popleft()
                continue
            if batch and rows + call.rows > limit:
                break
            rows += call.rows
            batch.append(self.waiting.popleft())
        return batch

    async def _run_batch(self, batch: list[_Call]) -> None:
        begins = time.perf_counter()
        for call in batch:
            self.queued(begins - call.asked)
        if len(batch) == 1:
            joined = batch[0].inputs
        else:
            joined = {
                name: np.concatenate([call.inputs[name] for call in batch])
                for name in batch[0].inputs
            }
        rows = sum(call.rows for call in batch)
        with tracing.joined("batch", (call.traced for call in batch), rows=rows, calls=len(batch)):
            answer = await self.run(joined)
        self.stats.batches += 1
        self.stats.rows += rows
        start = 0
        for call in batch:
            part = slice(start, start + call.rows)
            start += call.rows
            if not call.done.done():
                # Copies: a view would keep the whole batch alive for as long as one window does.
                call.done.set_result({name: a[part].copy() for name, a in answer.items()})

    @staticmethod
    def _fail(calls: list[_Call] | deque[_Call], error: Exception) -> None:
        for call in calls:
            if not call.done.done():
                call.done.set_exception(error)
