"""Micro-batches: concurrent calls of all streams share one call to the engine.

Greedy, with no delay: whatever has queued while the previous batch ran goes into the next one.
A lone stream never waits, and many streams find their batches by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_server.engine.base import Engine, InvalidInput
from stream_server.engine.joiner import BatchStats, Joiner
from stream_server.engine.several import all_of
from stream_server.engine.spec import (
    FACE_FEATURES,
    LANDMARK_DIM,
    LANDMARKS,
    LENGTH,
    Arrays,
    length_of,
)

Features = dict[str, NDArray[np.float32]]


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
        #: Looks a second of the members that have a rate of their own.
        self.rates: Mapping[str, float] = repository.rates
        self._crop_shape = repository.crop_shape
        self._length = repository.sequence_length
        self._members = repository.members
        self._dims = repository.feature_dims
        self._uses_landmarks = repository.uses_landmarks
        self._max_crops = max_crops
        self._most_crops = repository.models[FACE_FEATURES].max_batch_size
        self._verdict_model = repository.verdict_model
        windows = repository.models[self._verdict_model].max_batch_size
        self._crops = Joiner(
            self._infer_features, self._crop_rows, lambda: engine.parallel, max_waiting
        )
        self._windows = Joiner(
            self._infer_verdicts, lambda: min(max_windows, windows), lambda: 1, max_waiting
        )
        # For the samples that some members leave out.
        self._alone = {
            member: Joiner(
                partial(self._infer_encoder, member),
                self._crop_rows,
                lambda: engine.parallel,
                max_waiting,
                self._crops.stats,
            )
            for member in (self._dims if self.rates else ())
        }

    @property
    def crop_stats(self) -> BatchStats:
        """Counts of ``features`` calls and batches."""
        return self._crops.stats

    @property
    def window_stats(self) -> BatchStats:
        """Counts of ``verdicts`` calls and batches."""
        return self._windows.stats

    def observe(self, queued: Callable[[str, float], None]) -> None:
        """Tell ``queued`` of each call's wait for a batch: ``crops`` or ``windows``, seconds."""
        for joiner in (self._crops, *self._alone.values()):
            joiner.queued = partial(queued, "crops")
        self._windows.queued = partial(queued, "windows")

    async def features(self, crops: NDArray[np.uint8], resting: Collection[str] = ()) -> Features:
        """Encode face crops.

        Args:
            crops: uint8 ``[n, 224, 224, 3]`` RGB, n at least 1; more than one batch is split.
            resting: members that are not to look at these.

        Returns:
            float32 ``[n, D]`` for each other member that has an encoder.

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
        if not resting:
            return await self._encoded(self._crops, crops)
        looking = [member for member in self._dims if member not in resting]
        parts = await all_of([self._encoded(self._alone[member], crops) for member in looking])
        return {member: values for part in parts for member, values in part.items()}

    async def _encoded(self, joiner: Joiner, crops: NDArray[np.uint8]) -> Features:
        step = joiner.max_rows()
        parts = await all_of(
            [
                joiner.submit({"FRAMES": part}, len(part))
                for part in (crops[i : i + step] for i in range(0, len(crops), step))
            ]
        )
        if len(parts) == 1:
            return parts[0]
        return {member: np.concatenate([p[member] for p in parts]) for member in parts[0]}

    async def verdicts(
        self,
        features: Mapping[str, NDArray[np.float32]],
        landmarks: NDArray[np.float32] | None = None,
    ) -> tuple[float, dict[str, float]]:
        """Score one window.

        Args:
            features: float32 ``[t, D]`` per member with an encoder, 1 <= t <= T, oldest first;
                as many for all members but those with a rate of their own (``rates``).
            landmarks: float32 ``[t, 10]`` in crop coordinates; needed by some repositories
                (``uses_landmarks``) and ignored by the others.

        Returns:
            The calibrated probability that the face is fake, and each member's own.

        Raises:
            InvalidInput: a member missing, a wrong shape or length, or a value that is not
                finite. Other errors as in ``Engine.infer``.
        """
        inputs: dict[str, NDArray[Any]] = {}
        lengths: dict[float | None, set[int]] = {}

        def take(name: str, array: NDArray[np.float32], dim: int, member: str = "") -> None:
            rate = self.rates.get(member)
            lengths.setdefault(rate, set()).add(len(array))
            if not 1 <= len(array) <= self._length:
                raise InvalidInput(
                    f"a window of {len(array)} samples; 1 to {self._length} are allowed"
                )
            inputs[name] = self._padded(name, array, dim)
            counted = LENGTH if rate is None else length_of(member)
            inputs[counted] = np.array([[len(array)]], dtype=np.int32)

        for member, dim in self._dims.items():
            if member not in features:
                raise InvalidInput(f"no features of member {member!r}")
            take(f"FEATURES_{member}", features[member], dim, member)
        if self._uses_landmarks:
            if landmarks is None:
                raise InvalidInput("this repository needs landmarks, none came")
            take(LANDMARKS, landmarks, LANDMARK_DIM)
        for alike in lengths.values():
            if len(alike) != 1:
                raise InvalidInput(f"inputs of one window differ in length: {sorted(alike)}")
        answer = await self._windows.submit(inputs, 1)
        each = answer["MEMBER_PROBABILITY"][0]
        members = {name: float(each[i]) for i, name in enumerate(self._members)}
        return float(answer["PROBABILITY"][0, 0]), members

    async def close(self) -> None:
        """Fail every call that still waits. The engine stays open: it is not ours."""
        for joiner in (self._crops, *self._alone.values(), self._windows):
            await joiner.close()

    def _crop_rows(self) -> int:
        # Asked anew for every batch: an engine that falls back has other likings.
        return min(self._max_crops or self.engine.crop_batch, self._most_crops)

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

    async def _infer_encoder(self, member: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        answer = await self.engine.infer(f"{member}_encoder", inputs)
        return {member: answer["FEATURES"]}

    async def _infer_verdicts(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        return await self.engine.infer(self._verdict_model, inputs)
