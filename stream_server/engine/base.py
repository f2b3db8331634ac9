# ruff: noqa: N818 - these names say what happened, and clients of the engine read them as such

"""What an inference engine is, and the ways it can fail.

An engine runs models by name over arrays. It knows no faces, no streams and no transport:
``face_features`` and ``sequence_verdict`` are names in the model repository like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from numpy.typing import NDArray

if TYPE_CHECKING:
    from stream_server.engine.repository import ModelRepository

Arrays = Mapping[str, NDArray[Any]]
ModelKind = Literal["model", "ensemble"]


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


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One input or output of a model.

    Attributes:
        name: the tensor's name in ``config.pbtxt``.
        dtype: numpy's name of the element type, e.g. ``"float32"``.
        shape: the whole shape, -1 for an axis of any length. The batch axis is included.
        labels: names of the last axis' elements, where the model has a label file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model or ensemble of a repository, as ``fakelight models list`` shows it."""

    name: str
    kind: ModelKind
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    labels: tuple[str, ...] = ()
    max_batch_size: int = 0


class Engine(Protocol):
    """Runs the models of one repository.

    ``crop_batch`` is how many crops in one call suit it best, ``parallel`` how many calls at once.
    """

    @property
    def name(self) -> str: ...

    @property
    def repository(self) -> ModelRepository: ...

    @property
    def crop_batch(self) -> int: ...

    @property
    def parallel(self) -> int: ...

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

    async def probe(self) -> None:
        """Send a real inference through ``face_features`` and ``sequence_verdict``.

        A full queue is no failure: the engine is at work.

        Raises:
            EngineUnavailable: it failed, whatever the reason.
        """
        ...

    def describe(self) -> list[ModelInfo]:
        """Name, kind, tensors and labels of every model and ensemble."""
        ...

    async def close(self) -> None:
        """Let go of sessions, connections and threads. Calls in flight fail."""
        ...
