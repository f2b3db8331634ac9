"""A real embedded engine under another name that fails in whatever way a test asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from stream_server.engine import EmbeddedEngine, ModelRepository


class FaultyEngine(EmbeddedEngine):
    """``fault``: an exception to raise, a function over the answer, or None to be well.

    ``delay`` is how many seconds each answer is held back; ``rows`` the batch size of each call.
    """

    name = "triton"

    def __init__(self, repository: ModelRepository) -> None:
        super().__init__(repository)
        self.fault: Exception | Callable[[dict[str, Any]], dict[str, Any]] | None = None
        self.delay = 0.0
        self.rows: list[int] = []

    async def infer(self, model: str, inputs: Any) -> dict[str, Any]:
        self.rows.append(len(next(iter(inputs.values()))))
        if self.delay:
            await asyncio.sleep(self.delay)
        if isinstance(self.fault, Exception):
            raise self.fault
        answer = await super().infer(model, inputs)
        # A test may set the fault while a probe is under way: that answer fails, too.
        if isinstance(self.fault, Exception):
            raise self.fault
        return answer if self.fault is None else self.fault(answer)
