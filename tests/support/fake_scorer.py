"""A scorer for tests of everything around it: counts its calls and answers as told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from stream_server.engine.base import EngineUnavailable


class FakeScorer:
    """Features are the mean colour of each crop; the probability is what ``answer`` says.

    Member ``m`` looks at every sample, those of ``rates`` as often as stands there.
    """

    def __init__(self, answer: float = 0.9, rates: Mapping[str, float] | None = None) -> None:
        self.answer = answer
        self.rates = dict(rates or {})
        self.looks: list[dict[str, int]] = []
        self.crops = 0
        self.calls = 0
        self.looked = Counter[str]()
        self.windows: list[int] = []
        self.down = False
        self.gate: asyncio.Event | None = None

    async def features(self, crops: Any, resting: Collection[str] = ()) -> dict[str, Any]:
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise EngineUnavailable("down for the test")
        self.calls += 1
        self.crops += len(crops)
        colour = crops.reshape(len(crops), -1, 3).mean(axis=1).astype(np.float32)
        looking = [member for member in ("m", *self.rates) if member not in resting]
        for member in looking:
            self.looked[member] += len(crops)
        return dict.fromkeys(looking, colour)

    async def verdicts(self, features: Any, landmarks: Any) -> Any:
        assert len(landmarks) == len(features["m"])
        self.windows.append(len(features["m"]))
        self.looks.append({member: len(features[member]) for member in self.rates})
        return self.answer, {"m": self.answer}
