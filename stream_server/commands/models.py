"""``fakelight models list`` and ``fakelight models check``."""

from __future__ import annotations

import sys
from pathlib import Path

from stream_server.engine import ModelRepository, TensorInfo
from stream_server.engine.check import check_repository
from stream_server.engine.rates import told


def list_models(path: Path) -> int:
    """Print every model and ensemble of the repository, one a line; the exit status."""
    repository = ModelRepository.load(path)
    for model in repository.models.values():
        inputs = ", ".join(_tensor(tensor) for tensor in model.inputs)
        outputs = ", ".join(_tensor(tensor) for tensor in model.outputs)
        sys.stdout.write(f"{model.name:28} {model.kind:9} {inputs} -> {outputs}\n")
    rates = repository.rates
    members = [
        f"{name} ({told(rates[name])})" if name in rates else name for name in repository.members
    ]
    sys.stdout.write(f"members: {', '.join(members)}\n")
    if repository.untrained:
        sys.stdout.write(f"UNTRAINED: {repository.untrained}\n")
    return 0


def check_models(path: Path) -> int:
    """Hold every model against its config and print what is wrong; 1 if anything is."""
    findings = check_repository(path)
    for finding in findings:
        sys.stderr.write(f"{finding}\n")
    if findings:
        return 1
    count = len(ModelRepository.load(path).models)
    sys.stdout.write(f"{path}: {count} models and ensembles, all as their configs say\n")
    return 0


def _tensor(tensor: TensorInfo) -> str:
    shape = ",".join("N" if axis < 0 else str(axis) for axis in tensor.shape)
    return f"{tensor.name} {tensor.dtype}[{shape}]"
