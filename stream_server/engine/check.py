"""Holds every model and ensemble of a repository against its config.

What ``fakelight models check`` runs: files and formats, tensors, ensemble wiring, labels and
thresholds, and then real inferences, among them that padding beyond LENGTH changes nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stream_server.engine.base import EngineError
from stream_server.engine.embedded import EmbeddedEngine, open_session
from stream_server.engine.onnx_header import read_header
from stream_server.engine.repository import ModelRepository, RepositoryError
from stream_server.engine.spec import (
    CLIP_VERDICT,
    FACE_FEATURES,
    LANDMARK_DIM,
    LANDMARKS,
    LENGTH,
    SEQUENCE_VERDICT,
    ModelSpec,
    TensorInfo,
    example_inputs,
    is_length,
)
from stream_server.engine.validation import check_outputs
from stream_server.grounds import Voting
from stream_server.verdict import VerdictPolicy

#: What ONNX Runtime 1.19.2 reads, the version inside Triton 24.10.
MAX_OPSET = 21
MAX_IR = 10
TOLERANCE = 1e-4
_ONNX_TYPES = {
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a model: its name ("" for the whole repository) and what it is."""

    model: str
    message: str

    def __str__(self) -> str:
        return f"{self.model}: {self.message}" if self.model else self.message


def check_repository(path: Path | str) -> list[Finding]:
    """Every finding about the repository at ``path``; empty when it can be served."""
    try:
        repository = ModelRepository.load(path)
    except RepositoryError as error:
        return [Finding("", str(error))]
    findings = _check_parameters(repository)
    for spec in repository.models.values():
        if spec.kind == "model":
            findings += _check_files(spec)
    if not findings:
        findings += _check_fitted_on(repository)
    if findings:
        return findings  # inference would only repeat them in other words
    engine = EmbeddedEngine(repository)
    for spec in repository.models.values():
        findings += _check_inference(engine, spec)
    if not findings:
        findings += _check_clip(engine)
    return findings


def _check_parameters(repository: ModelRepository) -> list[Finding]:
    values: dict[str, float] = {}
    for key in ("threshold_real", "threshold_fake"):
        text = repository.parameters.get(key, "")
        try:
            values[key] = float(text)
        except ValueError:
            return [Finding("vote", f"parameter {key} is {text!r}, must be a number in 0 to 1")]
    real, fake = values["threshold_real"], values["threshold_fake"]
    if not 0 <= real <= fake <= 1:
        return [
            Finding("vote", f"thresholds must be 0 <= real <= fake <= 1, are {real} and {fake}")
        ]
    try:
        Voting.of(repository)
    except ValueError as error:
        return [Finding("vote", str(error))]
    try:
        pictures = Voting.of_pictures(repository)
        if pictures is not None:
            VerdictPolicy.of_pictures(repository.parameters, pictures)
    except ValueError as error:
        return [Finding("vote", f"for single pictures: {error}")]
    return []


def _check_fitted_on(repository: ModelRepository) -> list[Finding]:
    """Members without an encoder must read the very features that they were fitted on, and heat
    maps show the very encoder that judges."""
    findings: list[Finding] = []
    prefix = "fitted_on_"
    for spec in repository.models.values():
        for key, stamp in spec.parameters.items():
            if not key.startswith(prefix):
                continue
            name = key.removeprefix(prefix)
            encoder = repository.models.get(f"{name}_encoder")
            if encoder is None or file_stamp(encoder.model_file) != stamp:
                text = f"was fitted on other weights of {name}'s encoder; fit it again"
                findings.append(Finding(spec.name, text))
    return findings


def file_stamp(path: Path) -> str:
    """A name for exactly this model file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _check_files(spec: ModelSpec) -> list[Finding]:
    findings: list[Finding] = []
    folder = spec.model_file.parent
    names = [spec.default_filename, *spec.compute_filenames.values(), spec.embedded_file.name]
    for name in dict.fromkeys(names):
        path = folder / name
        try:
            header = read_header(path)
        except (OSError, ValueError) as error:
            findings.append(Finding(spec.name, f"{name}: {error}"))
            continue
        opset = header.opsets.get("", 0)
        if not 1 <= opset <= MAX_OPSET:
            findings.append(Finding(spec.name, f"{name}: opset {opset}, the limit is {MAX_OPSET}"))
        if not 1 <= header.ir_version <= MAX_IR:
            findings.append(
                Finding(spec.name, f"{name}: IR version {header.ir_version}, the limit is {MAX_IR}")
            )
        try:
            session = open_session(path)
        except EngineError as error:
            findings.append(Finding(spec.name, str(error)))
            continue
        for kind, declared, found in (
            ("input", spec.inputs, session.get_inputs()),
            ("output", spec.outputs, session.get_outputs()),
        ):
            findings += _check_tensors(spec, f"{name}: {kind}", declared, found)
    return findings


def _check_tensors(
    spec: ModelSpec, where: str, declared: tuple[TensorInfo, ...], found: list[ort.NodeArg]
) -> list[Finding]:
    names = sorted(t.name for t in declared)
    if names != sorted(t.name for t in found):
        return [
            Finding(spec.name, f"{where}s are {sorted(t.name for t in found)}, config says {names}")
        ]
    findings = []
    by_name = {t.name: t for t in found}
    for tensor in declared:
        real = by_name[tensor.name]
        dtype = _ONNX_TYPES.get(real.type, real.type)
        if dtype != tensor.dtype:
            findings.append(
                Finding(spec.name, f"{where} {tensor.name} is {dtype}, config says {tensor.dtype}")
            )
        shape = [axis if isinstance(axis, int) else -1 for axis in real.shape]
        # A model may leave an axis open that the config fixes, but not the other way round.
        fits = len(shape) == len(tensor.shape) and all(
            have in (-1, want) for have, want in zip(shape, tensor.shape, strict=True)
        )
        if not fits:
            findings.append(
                Finding(
                    spec.name,
                    f"{where} {tensor.name} is {shape}, config says {list(tensor.shape)}",
                )
            )
    return findings


def _check_inference(engine: EmbeddedEngine, spec: ModelSpec) -> list[Finding]:
    try:
        for batch in (1, 3) if spec.max_batch_size else (2,):
            inputs = example_inputs(spec, batch)
            check_outputs(spec, inputs, engine.run(spec.name, inputs))
        if spec.max_batch_size:
            problem = _batch_matters(engine, spec)
            if problem:
                return [Finding(spec.name, problem)]
        if any(is_length(t.name) for t in spec.inputs):
            problem = _length_matters(engine, spec)
            if problem:
                return [Finding(spec.name, problem)]
    except EngineError as error:
        return [Finding(spec.name, str(error))]
    return []


def _batch_matters(engine: EmbeddedEngine, spec: ModelSpec) -> str | None:
    """Each row's answer must not depend on the rows beside it."""
    inputs = _random_inputs(spec, 3)
    together = engine.run(spec.name, inputs)
    for row in range(3):
        alone = engine.run(spec.name, {n: a[row : row + 1] for n, a in inputs.items()})
        for name, array in alone.items():
            difference = _difference(array, together[name][row : row + 1])
            if difference > TOLERANCE:
                return f"{name} of one row changes by {difference:.2g} with the rows beside it"
    return None


def _length_matters(engine: EmbeddedEngine, spec: ModelSpec) -> str | None:
    """What lies beyond LENGTH must change nothing, and what lies within it something."""
    inputs = _random_inputs(spec, 4)
    time = max(t.shape[1] for t in spec.inputs if len(t.shape) == 3)
    lengths = [1, 2, min(20, time - 1), time]
    counted = [t.name for t in spec.inputs if is_length(t.name)]
    for name in counted:
        inputs[name] = np.array(lengths, np.int32)[:, None]
    windows = [t.name for t in spec.inputs if len(t.shape) == 3]
    wild, changed = ({n: a.copy() for n, a in inputs.items()} for _ in range(2))
    for name in windows:
        for row, length in enumerate(lengths):
            wild[name][row, length:] = 100.0
            changed[name][row, :length] += 1.0
    plain = engine.run(spec.name, inputs)
    padded = engine.run(spec.name, wild)
    moved = engine.run(spec.name, changed)
    for name, array in plain.items():
        difference = _difference(array, padded[name])
        if difference > TOLERANCE:
            return f"{name} changes by {difference:.2g} with the padding beyond LENGTH"
    if all(np.array_equal(array, moved[name]) for name, array in plain.items()):
        return "its answer does not depend on the samples within LENGTH"
    # What Triton's warm-up sends.
    zero = inputs | {name: np.zeros((4, 1), np.int32) for name in counted}
    check_outputs(spec, zero, engine.run(spec.name, zero))
    return None


def _check_clip(engine: EmbeddedEngine) -> list[Finding]:
    """``clip_verdict`` must say what the two other ensembles say one after the other."""
    repository = engine.repository
    clip = repository.models.get(CLIP_VERDICT)
    if clip is None:
        return [Finding("", f"there is no model {CLIP_VERDICT!r}")]
    random = np.random.default_rng(0)
    count = min(5, repository.sequence_length)
    crops = random.integers(0, 256, (count, *repository.crop_shape), dtype=np.uint8)
    points = random.uniform(0, 224, (count, LANDMARK_DIM)).astype(np.float32)
    verdict = repository.models[SEQUENCE_VERDICT]
    try:
        features = engine.run(FACE_FEATURES, {"FRAMES": crops})
        window = example_inputs(verdict)
        features[LANDMARKS] = points
        for name, array in features.items():
            if name in window:
                window[name][0, :count] = array
        window[LENGTH][:] = count
        wanted = engine.run(SEQUENCE_VERDICT, window)
        inputs: dict[str, NDArray[Any]] = {"FRAMES": crops, LANDMARKS: points}
        got = engine.run(CLIP_VERDICT, {t.name: inputs[t.name] for t in clip.inputs})
    except EngineError as error:
        return [Finding(CLIP_VERDICT, str(error))]
    return [
        Finding(CLIP_VERDICT, f"{name} differs from {SEQUENCE_VERDICT}'s by {difference:.2g}")
        for name in wanted
        if (difference := _difference(wanted[name], got[name])) > TOLERANCE
    ]


def _random_inputs(spec: ModelSpec, batch: int) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(0)
    inputs = example_inputs(spec, batch)
    for name, array in inputs.items():
        if array.dtype == np.uint8:
            inputs[name] = random.integers(0, 256, array.shape, dtype=np.uint8)
        elif array.dtype.kind == "f":
            inputs[name] = random.normal(size=array.shape).astype(array.dtype)
    return inputs


def _difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Largest difference, as a share of the larger value where that is above 1."""
    scale = max(1.0, float(np.abs(one).max(initial=0)))
    return float(np.abs(one.astype(np.float64) - other).max(initial=0)) / scale
