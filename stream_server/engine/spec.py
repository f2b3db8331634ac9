"""What a model is to an engine: its names, tensors and steps. Everything else here imports this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FACE_FEATURES = "face_features"
SEQUENCE_VERDICT = "sequence_verdict"
PACED_VERDICT = "paced_verdict"
CLIP_VERDICT = "clip_verdict"
VOTE = "vote"
LENGTH = "LENGTH"
LANDMARKS = "LANDMARKS"
LANDMARK_DIM = 10
EMBEDDED_FILE = "embedded_model_filename"
AS_WRITTEN = "embedded_as_written"
_FEATURES = "FEATURES_"

Arrays = Mapping[str, NDArray[Any]]
ModelKind = Literal["model", "ensemble"]


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
class Step:
    """One step of an ensemble: a model, and how its tensors are named in the ensemble.

    Attributes:
        model: the model's name.
        inputs: the model's input name to the ensemble's tensor name.
        outputs: the model's output name to the ensemble's tensor name.
    """

    model: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model's configuration, as far as an engine needs it."""

    name: str
    folder: Path
    kind: ModelKind
    max_batch_size: int
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    steps: tuple[Step, ...]
    version: int
    default_filename: str
    compute_filenames: Mapping[str, str]
    parameters: Mapping[str, str]
    optional_inputs: frozenset[str] = frozenset()

    @property
    def model_file(self) -> Path:
        """The fp32 file that both engines are compared on."""
        return self.folder / str(self.version) / self.default_filename

    @property
    def embedded_file(self) -> Path:
        """The file the embedded engine opens.

        Quantised files are for that engine alone, so they are named by the parameter
        ``embedded_model_filename``, which Triton does not know.
        """
        name = self.parameters.get(EMBEDDED_FILE, self.default_filename)
        return self.folder / str(self.version) / name

    @property
    def row_by_row(self) -> bool:
        """Whether the embedded engine runs one row at a time: a quantised file takes the range of
        its activations from all that it is given, and no face may be judged by those beside it."""
        return self.embedded_file != self.model_file

    @property
    def as_written(self) -> bool:
        """Whether the embedded engine runs the file as it is written, for a model that is asked
        seldom: what preparing it once takes of the memory would stay taken."""
        return self.parameters.get(AS_WRITTEN) == "true"

    def input(self, name: str) -> TensorInfo:
        """The declared input ``name``. Raises KeyError."""
        return _named(self.inputs, name)

    def output(self, name: str) -> TensorInfo:
        """The declared output ``name``. Raises KeyError."""
        return _named(self.outputs, name)


Models = Mapping[str, ModelSpec]


def length_of(member: str) -> str:
    """The input of ``paced_verdict`` that carries the length of ``member``'s own windows."""
    return f"{LENGTH}_{member}"


def is_length(name: str) -> bool:
    """Whether ``name`` is LENGTH or a member's own."""
    return name == LENGTH or name.startswith(f"{LENGTH}_")


def voting_members(models: Models) -> tuple[str, ...]:
    """The voting members, in the order of MEMBER_PROBABILITY."""
    return models[VOTE].output("MEMBER_PROBABILITY").labels


def feature_dims(models: Models) -> dict[str, int]:
    """Length of the feature vector of each member that has an encoder."""
    return {
        tensor.name.removeprefix(_FEATURES): tensor.shape[-1]
        for tensor in models[FACE_FEATURES].outputs
        if tensor.name.startswith(_FEATURES)
    }


def example_inputs(spec: ModelSpec, batch: int = 1) -> dict[str, NDArray[Any]]:
    """Inputs that the model accepts: mid-grey pictures, zeros, and lengths of 1.

    Axes of any length other than the batch get ``batch`` too.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for tensor in spec.inputs:
        shape = [batch if axis < 0 else axis for axis in tensor.shape]
        fill = 1 if is_length(tensor.name) else 127 if tensor.dtype == "uint8" else 0
        arrays[tensor.name] = np.full(shape, fill, dtype=tensor.dtype)
    return arrays


def _named(tensors: tuple[TensorInfo, ...], name: str) -> TensorInfo:
    for tensor in tensors:
        if tensor.name == name:
            return tensor
    raise KeyError(name)
