"""Micro-batches: concurrent calls of all streams share one call to the engine.

Greedy, with no delay: whatever has queued while the previous batch ran goes into the next one.
A lone stream never waits, and many streams find their batches by themselves.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_server.engine.base import Engine, EngineBusy, EngineUnavailable, InvalidInput
from stream_server.engine.spec import (
    FACE_FEATURES,
    LANDMARK_DIM,
    LANDMARKS,
    LENGTH,
    SEQUENCE_VERDICT,
    Arrays,
)

Features = dict[str, NDArray[np.float32]]


@dataclass(slots=True)
class _Call:
    inputs: dict[str, NDArray[Any]]
    rows: int
    done: asyncio.Future[dict[str, NDArray[Any]]]


@dataclass(slots=True)
class BatchStats:
    """Counts since the start: ``rows / batches`` is the mean batch size."""

    calls: int = 0
    batches: int = 0
    rows: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Joiner:
    """Joins calls along axis 0 and hands the rows of the answer back to their callers."""

    run: Callable[[dict[str, NDArray[Any]]], Awaitable[Mapping[str, NDArray[Any]]]]
    max_rows: Callable[[], int]
    parallel: Callable[[], int]
    max_waiting: int
    stats: BatchStats = field(default_factory=BatchStats)
    waiting: deque[_Call] = field(default_factory=deque)
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    closed: bool = False

    async def submit(self, inputs: dict[str, NDArray[Any]], rows: int) -> dict[str, NDArray[Any]]:
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
            self.workers.add(asyncio.create_task(self._work()))
        return await call.done

    async def close(self) -> None:
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
        if len(batch) == 1:
            joined = batch[0].inputs
        else:
            joined = {
                name: np.concatenate([call.inputs[name] for call in batch])
                for name in batch[0].inputs
            }
        answer = await self.run(joined)
        self.stats.batches += 1
        self.stats.rows += sum(call.rows for call in batch)
        start = 0
        for call in batch:
            rows = slice(start, start + call.rows)
            start += call.rows
            if not call.done.done():
                # Copies: a view would keep the whole batch alive for as long as one window does.
                call.done.set_result({name: a[rows].copy() for name, a in answer.items()})

    @staticmethod
    def _fail(calls: list[_Call] | deque[_Call], error: Exception) -> None:
        for call in calls:
            if not call.done.done():
                call.done.set_exception(error)


class MicroBatcher:
    """The two calls that streams make, batched over all of them.

    Args:
        engine: where the batches go.
        max_crops: crops in one batch at most; None for what suits the engine. Raising it helps
            throughput on a GPU and costs it on a CPU.
        max_windows: windows in one batch at most.
        max_waiting: calls that may queue; one more raises EngineBusy.
    """

    def __init__(
        self,
        engine: Engine,
        max_crops: int | None = None,
        max_windows: int = 32,
        max_waiting: int = 256,
    ) -> None:
        repository = engine.repository
        self.engine = engine
        self._crop_shape = repository.crop_shape
        self._length = repository.sequence_length
        self._members = repository.members
        self._dims = repository.feature_dims
        self._uses_landmarks = repository.uses_landmarks
        crops = repository.models[FACE_FEATURES].max_batch_size
        windows = repository.models[SEQUENCE_VERDICT].max_batch_size
        # Asked anew for every batch: an engine that falls back has other likings.
        self._crops = _Joiner(
            self._infer_features,
            lambda: min(max_crops or engine.crop_batch, crops),
            lambda: engine.parallel,
            max_waiting,
        )
        self._windows = _Joiner(
            self._infer_verdicts, lambda: min(max_windows, windows), lambda: 1, max_waiting
        )

    @property
    def crop_stats(self) -> BatchStats:
        """Counts of ``features`` calls and batches."""
        return self._crops.stats

    @property
    def window_stats(self) -> BatchStats:
        """Counts of ``verdicts`` calls and batches."""
        return self._windows.stats

    async def features(self, crops: NDArray[np.uint8]) -> Features:
        """Encode face crops.

        Args:
            crops: uint8 ``[n, 224, 224, 3]`` RGB, n at least 1; more than one batch is split.

        Returns:
            float32 ``[n, D]`` for each member that has an encoder.

        Raises:
            InvalidInput: a wrong type or shape. Other errors as in ``Engine.infer``.
        """
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != self._crop_shape:
            raise InvalidInput(
                f"crops are {crops.dtype} {list(crops.shape)}, must be uint8 "
                f"{['any', *self._crop_shape]}"
            )
        if not len(crops):
            raise InvalidInput("no crops: at least 1 is needed")
        step = self._crops.max_rows()
        parts = await asyncio.gather(
            *(
                self._crops.submit({"FRAMES": part}, len(part))
                for part in (crops[i : i + step] for i in range(0, len(crops), step))
            )
        )
        if len(parts) == 1:
            return {member: parts[0][member] for member in self._dims}
        return {member: np.concatenate([p[member] for p in parts]) for member in self._dims}

    async def verdicts(
        self,
        features: Mapping[str, NDArray[np.float32]],
        landmarks: NDArray[np.float32] | None = None,
    ) -> tuple[float, dict[str, float]]:
        """Score one window.

        Args:
            features: float32 ``[t, D]`` per member with an encoder, 1 <= t <= T, oldest first.
            landmarks: float32 ``[t, 10]`` in crop coordinates; needed by some repositories
                (``uses_landmarks``) and ignored by the others.

        Returns:
            The calibrated probability that the face is fake, and each member's own.

        Raises:
            InvalidInput: a member missing, a wrong shape or length, or a value that is not
                finite. Other errors as in ``Engine.infer``.
        """
        rows: dict[str, tuple[NDArray[np.float32], int]] = {}
        for member, dim in self._dims.items():
            if member not in features:
                raise InvalidInput(f"no features of member {member!r}")
            rows[f"FEATURES_{member}"] = features[member], dim
        if self._uses_landmarks:
            if landmarks is None:
                raise InvalidInput("this repository needs landmarks, none came")
            rows[LANDMARKS] = landmarks, LANDMARK_DIM
        lengths = {len(array) for array, _ in rows.values()}
        if len(lengths) != 1:
            raise InvalidInput(f"inputs of one window differ in length: {sorted(lengths)}")
        length = lengths.pop()
        if not 1 <= length <= self._length:
            raise InvalidInput(f"a window of {length} samples; 1 to {self._length} are allowed")
        inputs = {name: self._padded(name, array, dim) for name, (array, dim) in rows.items()}
        inputs[LENGTH] = np.array([[length]], dtype=np.int32)
        answer = await self._windows.submit(inputs, 1)
        each = answer["MEMBER_PROBABILITY"][0]
        members = {name: float(each[i]) for i, name in enumerate(self._members)}
        return float(answer["PROBABILITY"][0, 0]), members

    async def close(self) -> None:
        """Fail every call that still waits. The engine stays open: it is not ours."""
        await self._crops.close()
        await self._windows.close()

    def _padded(self, name: str, array: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
        if array.ndim != 2 or array.shape[1] != dim:
            raise InvalidInput(f"{name} has shape {list(array.shape)}, must be [any, {dim}]")
        # One window with a NaN would otherwise make a whole batch of strangers look like nonsense.
        if not np.isfinite(array).all():
            raise InvalidInput(f"{name} holds values that are not finite")
        padded = np.zeros((1, self._length, dim), dtype=np.float32)
        padded[0, : len(array)] = array
        return padded

    async def _infer_features(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        answer = await self.engine.infer(FACE_FEATURES, inputs)
        return {member: answer[f"FEATURES_{member}"] for member in self._dims}

    async def _infer_verdicts(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        return await self.engine.infer(SEQUENCE_VERDICT, inputs)
