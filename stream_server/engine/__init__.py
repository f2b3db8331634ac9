"""Inference engines over one model repository: ONNX Runtime in process, or Triton."""

from stream_server.engine.base import (
    Engine,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    ModelNotFound,
    RunObserver,
)
from stream_server.engine.batching import MicroBatcher
from stream_server.engine.embedded import EmbeddedEngine
from stream_server.engine.factory import open_engine
from stream_server.engine.repository import ModelRepository, RepositoryError
from stream_server.engine.spec import TensorInfo

__all__ = [
    "EmbeddedEngine",
    "Engine",
    "EngineBusy",
    "EngineError",
    "EngineUnavailable",
    "InvalidInput",
    "MicroBatcher",
    "ModelNotFound",
    "ModelRepository",
    "RepositoryError",
    "RunObserver",
    "TensorInfo",
    "open_engine",
]
