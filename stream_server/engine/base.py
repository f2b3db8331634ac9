# ruff: noqa: N818 - these names say what happened, and clients of the engine read them as such

"""What an inference engine is, and the ways it can fail.

An engine runs models by name over arrays. It knows no faces, no streams and no transport:
``face_features`` and ``sequence_verdict`` are names in the model repository like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from stream_server.engine.repository import ModelRepository
from stream_server.engine.spec import Arrays


class EngineError(Exception):
    """A call to an engine that gave no answer; the base of the four below."""

    #: Whether the same call may succeed a little later, on this engine or another.
    retryable: bool = False


class InvalidInput(EngineError):
    """The caller sent a tensor with a wrong name, type or shape. Sending it again is no use."""


class ModelNotFound(EngineError):
    """No model or ensemble of that name is served."""


class EngineBusy(EngineError):
    """The queue is full. The engine is alive: send less, or later."""

    retryable = True


class EngineUnavailable(EngineError):
    """The engine is down, stopping, too slow or answering nonsense. Another one may do."""

    retryable = True


class RunObserver(Protocol):
    """Hears of an engine's work, from whatever thread does it; it must be quick."""

    def queued(self, engine: str, model: str, seconds: float) -> None:
        """A call to ``model`` waited so long for its turn inside the engine."""
        ...

    def ran(self, engine: str, model: str, rows: int, seconds: float) -> None:
        """``model`` ran over so many rows."""
        ...


class Engine(Protocol):
    """Runs the models of one repository."""

    @property
    def name(self) -> str:
        """``embedded`` or ``triton``: what was asked for."""
        ...

    @property
    def in_use(self) -> str:
        """Name of the engine that answers just now: another one's while a stand-in does."""
        ...

    @property
    def fallback(self) -> bool:
        """Whether a stand-in answers just now."""
        ...

    @property
    def repository(self) -> ModelRepository: ...

    @property
    def crop_batch(self) -> int:
        """How many crops in one call suit it best just now."""
        ...

    @property
    def parallel(self) -> int:
        """How many calls at once suit it best just now."""
        ...

    async def start(self) -> None:
        """Begin what it does unasked, such as watching a server. Once is enough, more do no harm;
        ``infer`` works without."""
        ...

    async def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run one model or ensemble.

        Args:
            model: a name in the repository.
            inputs: one array per declared input, with the declared element type and shape.

        Returns:
            One array per declared output.

        Raises:
            InvalidInput: a name, type or shape is not what the model declares.
            ModelNotFound: there is no such model.
            EngineBusy: too many calls are waiting.
            EngineUnavailable: the engine is down, too slow, or its answer makes no sense.
        """
        ...

    async def infer_aside(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """As ``infer``, for what no viewer waits for, such as a heat map: however slow it is or
        whatever becomes of it, it is no word on the engine's health."""
        ...

    async def probe(self) -> None:
        """Send a real inference through ``face_features`` and ``sequence_verdict``.

        A full queue is no failure: the engine is at work.

        Raises:
            EngineUnavailable: it failed, whatever the reason.
        """
        ...

    def observe(self, observer: RunObserver) -> None:
        """Let ``observer`` hear of every run from now on."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Calls since the start by what became of them; empty where there is one outcome only."""
        ...

    async def close(self) -> None:
        """Let go of sessions, connections and threads. Calls in flight fail."""
        ...
