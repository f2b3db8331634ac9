"""Waiting for an engine that is busy, or away for a moment: a file has time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stream_server.engine.base import EngineError
from stream_server.stream import Scorer

_T = TypeVar("_T")
_TRIES = 6


class PatientScorer:
    """``scorer``, asked again after a growing pause where asking again may help.

    Raises the ``EngineError`` of the last attempt.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    @property
    def rates(self) -> Mapping[str, float]:
        """See ``Scorer``."""
        return self._scorer.rates

    async def features(
        self, crops: NDArray[np.uint8], resting: Collection[str] = ()
    ) -> dict[str, NDArray[np.float32]]:
        """See ``Scorer``."""
        return await _patiently(lambda: self._scorer.features(crops, resting))

    async def verdicts(
        self, features: dict[str, NDArray[np.float32]], landmarks: NDArray[np.float32] | None
    ) -> tuple[float, dict[str, float]]:
        """See ``Scorer``."""
        return await _patiently(lambda: self._scorer.verdicts(features, landmarks))


async def _patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    for attempt in range(_TRIES - 1):
        try:
            return await ask()
        except EngineError as error:
            if not error.retryable:
                raise
        await _pause(0.1 * 2**attempt)
    return await ask()


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)
