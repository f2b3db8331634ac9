"""The model repository: Triton's own layout, read for both engines.

A repository is a folder with one folder per model, each with a ``config.pbtxt`` and numbered
version folders. The same folder is mounted by Triton Inference Server; the format is Triton's
(``model_config.proto``), parsed with the protobuf classes that ``tritonclient`` ships.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from stream_server.engine import members
from stream_server.engine.model_config import model_config_pb2
from stream_server.engine.rates import member_rates
from stream_server.engine.spec import (
    FACE_FEATURES,
    LANDMARKS,
    LENGTH,
    PACED_VERDICT,
    SEQUENCE_VERDICT,
    VOTE,
    ModelSpec,
    Step,
    TensorInfo,
    feature_dims,
    is_length,
    voting_members,
)
from stream_server.engine.wiring import check_wiring

pb = model_config_pb2()

_DTYPES: dict[int, str] = {
    pb.TYPE_BOOL: "bool",
    pb.TYPE_UINT8: "uint8",
    pb.TYPE_INT8: "int8",
    pb.TYPE_INT32: "int32",
    pb.TYPE_INT64: "int64",
    pb.TYPE_FP16: "float16",
    pb.TYPE_FP32: "float32",
    pb.TYPE_FP64: "float64",
}


class RepositoryError(ValueError):
    """The repository cannot be served. The message names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ModelRepository:
    """Every model of a repository, by name, and what the ensembles say about its members."""

    path: Path
    models: Mapping[str, ModelSpec]

    @classmethod
    def load(cls, path: Path | str) -> ModelRepository:
        """Parse every ``config.pbtxt`` below ``path`` and check how they are wired.

        Raises:
            RepositoryError: nothing there, a config that does not parse, an ensemble step
                without its model, or members that do not fit the ensembles.
        """
        root = Path(path)
        if not root.is_dir():
            raise RepositoryError(f"{root} is not a model repository: no such folder")
        configs = sorted(root.glob("*/config.pbtxt"))
        if not configs:
            raise RepositoryError(f"{root} is not a model repository: no */config.pbtxt in it")
        specs = [read_config(config) for config in configs]
        models = {spec.name: spec for spec in specs}
        problems = check_wiring(models)
        if problems:
            raise RepositoryError(f"{root}: " + "; ".join(problems))
        return cls(root, models)

    @property
    def members(self) -> tuple[str, ...]:
        """The voting members, in the order of MEMBER_PROBABILITY."""
        return voting_members(self.models)

    @property
    def looks_at(self) -> dict[str, str]:
        """What each voting member looks at."""
        return members.looks_at(self.models)

    @property
    def either(self) -> frozenset[str]:
        """The voting members whose answer counts by itself, as one or the other."""
        return members.either(self.models)

    @property
    def feature_dims(self) -> dict[str, int]:
        """Length of the feature vector of each member that has an encoder."""
        return feature_dims(self.models)

    @property
    def rates(self) -> dict[str, float]:
        """Looks a second of each member that has a rate of its own; the others look at every
        sample."""
        return member_rates(self.models)

    @property
    def verdict_model(self) -> str:
        """The ensemble that streams and scans ask: ``paced_verdict`` where a member has a rate of
        its own, else ``sequence_verdict``."""
        return PACED_VERDICT if self.rates else SEQUENCE_VERDICT

    @property
    def uses_landmarks(self) -> bool:
        """Whether ``sequence_verdict`` takes LANDMARKS."""
        return any(t.name == LANDMARKS for t in self.models[SEQUENCE_VERDICT].inputs)

    @property
    def sequence_length(self) -> int:
        """T: the fixed number of samples a window is padded to."""
        for tensor in self.models[SEQUENCE_VERDICT].inputs:
            if not is_length(tensor.name):
                return tensor.shape[1]
        raise RepositoryError(f"{SEQUENCE_VERDICT}: no input but {LENGTH}")

    @property
    def crop_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a face crop."""
        height, width, channels = self.models[FACE_FEATURES].input("FRAMES").shape[1:]
        return height, width, channels

    @property
    def parameters(self) -> Mapping[str, str]:
        """The vote's parameters: thresholds and how it was calibrated."""
        return self.models[VOTE].parameters

    @property
    def untrained(self) -> str:
        """What the repository says of weights that were never trained; empty for real ones."""
        return self.parameters.get("untrained", "")


def read_config(config: Path) -> ModelSpec:
    """Parse one ``config.pbtxt``.

    Raises:
        RepositoryError: it does not parse, or describes something neither engine can serve.
    """
    message = pb.ModelConfig()
    try:
        text_format.Parse(config.read_text(encoding="utf-8"), message)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise RepositoryError(f"{config}: {error}") from error
    folder = config.parent
    if message.name != folder.name:
        raise RepositoryError(
            f"{config}: name is {message.name!r}, but its folder is {folder.name!r}"
        )
    ensemble = message.platform == "ensemble"
    if not ensemble and message.backend != "onnxruntime":
        raise RepositoryError(
            f"{config}: backend is {message.backend!r}; only 'onnxruntime' models and "
            "ensembles can be served by both engines"
        )
    if not message.input or not message.output:
        raise RepositoryError(f"{config}: a model needs at least one input and one output")
    batched = message.max_batch_size > 0
    versions = [int(p.name) for p in folder.iterdir() if p.is_dir() and p.name.isdecimal()]
    return ModelSpec(
        name=message.name,
        folder=folder,
        kind="ensemble" if ensemble else "model",
        max_batch_size=message.max_batch_size,
        inputs=tuple(_tensor(config, t, batched, ()) for t in message.input),
        outputs=tuple(_tensor(config, t, batched, _labels(config, t)) for t in message.output),
        steps=tuple(
            Step(step.model_name, dict(step.input_map), dict(step.output_map))
            for step in message.ensemble_scheduling.step
        ),
        version=max(versions, default=1),
        default_filename=message.default_model_filename or "model.onnx",
        compute_filenames=dict(message.cc_model_filenames),
        parameters={key: value.string_value for key, value in message.parameters.items()},
        optional_inputs=frozenset(t.name for t in message.input if t.optional),
    )


def _labels(config: Path, tensor: Any) -> tuple[str, ...]:
    if not tensor.label_filename:
        return ()
    path = config.parent / tensor.label_filename
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise RepositoryError(f"{config}: label file of {tensor.name}: {error}") from error
    return tuple(line.strip() for line in lines if line.strip())


def _tensor(config: Path, tensor: Any, batched: bool, labels: tuple[str, ...]) -> TensorInfo:
    dtype = _DTYPES.get(tensor.data_type)
    if dtype is None:
        known = ", ".join(sorted(_DTYPES.values()))
        raise RepositoryError(
            f"{config}: {tensor.name} has data_type {tensor.data_type}; supported: {known}"
        )
    dims = tuple(int(axis) for axis in tensor.dims)
    return TensorInfo(tensor.name, dtype, (-1, *dims) if batched else dims, labels)
