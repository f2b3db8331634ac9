"""Folders and files of the model repository, and the sizes that all of its models share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onnx import ModelProto

from stream_server.vision.crop import CROP_SIZE
from training.export.config_text import FP16_FILE

CROP_SHAPE = (CROP_SIZE, CROP_SIZE, 3)
MAX_CROPS = 128
MAX_WINDOWS = 64
LABEL_FILE = "members.txt"
QUEUE = 64


def write_model(
    folder: Path, config: str, model: ModelProto, fp16: ModelProto | None = None
) -> None:
    """Write a model's config and files, making its folders."""
    version = folder / "1"
    version.mkdir(parents=True, exist_ok=True)
    (folder / "config.pbtxt").write_text(config, encoding="utf-8")
    (version / "model.onnx").write_bytes(model.SerializeToString())
    if fp16 is not None:
        (version / FP16_FILE).write_bytes(fp16.SerializeToString())


def write_ensemble(repo: Path, config: str, name: str, labels: Sequence[str] = ()) -> None:
    """Write an ensemble's config, and its label file where its outputs have labels."""
    version = repo / name / "1"
    version.mkdir(parents=True, exist_ok=True)
    # Triton wants a version folder, empty or not; git keeps no empty ones.
    (version / ".keep").touch()
    (repo / name / "config.pbtxt").write_text(config, encoding="utf-8")
    if labels:
        text = "".join(f"{label}\n" for label in labels)
        (repo / name / LABEL_FILE).write_text(text, encoding="utf-8")
