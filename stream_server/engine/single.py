"""What the engines that stand alone have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from stream_server.engine.base import EngineBusy, EngineError, EngineUnavailable, RunObserver
from stream_server.engine.repository import ModelRepository
from stream_server.engine.spec import FACE_FEATURES, Arrays, example_inputs
from stream_server.engine.validation import check_outputs


class SingleEngine(ABC):
    """An ``Engine`` without a stand-in: what it says of itself never changes."""

    name: str
    repository: ModelRepository
    fallback = False
    _observer: RunObserver | None = None

    @property
    def in_use(self) -> str:
        """Its own name."""
        return self.name

    async def start(self) -> None:
        """Nothing: it does nothing unasked."""
        return

    @abstractmethod
    async def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run one model or ensemble; see ``Engine.infer``."""

    async def infer_aside(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """As ``infer``: nobody judges it by its calls."""
        return await self.infer(model, inputs)

    async def probe(self) -> None:
        """Run both ensembles once, whatever the engine says of itself; raises EngineUnavailable.

        Triton's health endpoints, for one, call a dead model ready.
        """
        for name in (FACE_FEATURES, self.repository.verdict_model):
            spec = self.repository.models[name]
            inputs = example_inputs(spec)
            try:
                check_outputs(spec, inputs, await self.infer(name, inputs))
            except EngineUnavailable:
                raise
            except EngineBusy:
                continue  # at work, only with others
            except EngineError as error:
                raise EngineUnavailable(f"probe of {name}: {error}") from error

    def observe(self, observer: RunObserver) -> None:
        """Let ``observer`` hear of every run from now on."""
        self._observer = observer

    def counts(self) -> Mapping[str, int]:
        """Nothing: every call is answered here or not at all."""
        return {}

    @abstractmethod
    async def close(self) -> None:
        """See ``Engine.close``."""
