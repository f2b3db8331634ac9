"""A scorer for tests of everything around it: counts its calls and answers as told."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from stream_server.engine.base import EngineUnavailable


class FakeScorer:
    """Features are the mean colour of each crop; the probability is what ``answer`` says."""

    def __init__(self, answer: float = 0.9) -> None:
        self.answer = answer
        self.crops = 0
        self.windows: list[int] = []
        self.down = False
        self.gate: asyncio.Event | None = None

    async def features(self, crops: Any) -> dict[str, Any]:
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise EngineUnavailable("down for the test")
        self.crops += len(crops)
        return {"m": crops.reshape(len(crops), -1, 3).mean(axis=1).astype(np.float32)}

    async def verdicts(self, features: Any, landmarks: Any) -> Any:
        assert len(landmarks) == len(features["m"])
        self.windows.append(len(features["m"]))
        return self.answer, {"m": self.answer}
