"""Writes the model repository: members, the vote, and the ensembles that join them.

A member is a sequence head and, unless it lives on landmarks alone, an encoder. Adding or
removing one touches its own folders, the vote and the ensembles; no code knows the members.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from onnx import ModelProto

from training.export.config_text import (
    FP16_FILE,
    EnsembleStep,
    Tensor,
    ensemble_config,
    model_config,
)
from training.export.graphs import Calibration, pack_graph, vote_graph

#: T: windows of 1 to 100 samples, padded and masked by LENGTH.
SEQUENCE_LENGTH = 100
CROP_SHAPE = (224, 224, 3)
LANDMARK_DIM = 10
MAX_CROPS = 128
MAX_WINDOWS = 64
LABEL_FILE = "members.txt"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_QUEUE = 64
# On CUDA the default, an exhaustive search per new batch shape, stalls for seconds. Triton 24.10
# ignores this key under execution_accelerators and reads it here; 1 is the heuristic.
_CUDA = {"cudnn_conv_algo_search": "1"}


def place_member(
    repo: Path,
    name: str,
    sequence: ModelProto,
    feature_dim: int,
    encoder: ModelProto | None = None,
    *,
    sequence_fp16: ModelProto | None = None,
    encoder_fp16: ModelProto | None = None,
    feature_map: ModelProto | None = None,
    map_shape: Sequence[int] = (),
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Write a member's folders from finished ONNX models, replacing what was there.

    Args:
        repo: the model repository.
        name: lower-case letters, digits and underscores; begins with a letter.
        sequence: ``FEATURES [B, 100, D]``, ``LENGTH [B, 1]`` to ``LOGIT [B, 1]``.
        feature_dim: D; 10 for a member without an encoder, which takes landmarks.
        encoder: ``FRAMES`` uint8 ``[N, 224, 224, 3]`` to ``FEATURES [N, D]``.
        sequence_fp16: the head for the V100.
        encoder_fp16: the encoder for the V100.
        feature_map: ``FRAMES`` to ``MAP``, for heat maps.
        map_shape: the map's shape without the batch axis, e.g. ``(1280, 7, 7)``.
        parameters: string parameters of the sequence model's config, e.g. how it was trained.

    Raises:
        ValueError: a bad name, or a landmark member whose D is not 10.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"member name {name!r}: use {_NAME.pattern}")
    if encoder is None and feature_dim != LANDMARK_DIM:
        raise ValueError(
            f"{name}: without an encoder it takes landmarks, {LANDMARK_DIM} numbers a sample, "
            f"not {feature_dim}"
        )
    remove_member(repo, name)
    frames = [Tensor("FRAMES", "UINT8", CROP_SHAPE)]
    if encoder is not None:
        _write_model(
            repo / f"{name}_encoder",
            model_config(
                f"{name}_encoder",
                frames,
                [Tensor("FEATURES", "FP32", [feature_dim])],
                max_batch_size=MAX_CROPS,
                fp16=encoder_fp16 is not None,
                queue_size=_QUEUE,
                warmup_batches=(1, 8, 32),
                instances=2,
                parameters=_CUDA,
            ),
            encoder,
            encoder_fp16,
        )
    if feature_map is not None:
        _write_model(
            repo / f"{name}_map",
            model_config(
                f"{name}_map",
                frames,
                [Tensor("MAP", "FP32", map_shape)],
                max_batch_size=MAX_CROPS,
                queue_size=_QUEUE,
                parameters=_CUDA,
            ),
            feature_map,
        )
    _write_model(
        repo / f"{name}_sequence",
        model_config(
            f"{name}_sequence",
            [
                Tensor("FEATURES", "FP32", [SEQUENCE_LENGTH, feature_dim]),
                Tensor("LENGTH", "INT32", [1]),
            ],
            [Tensor("LOGIT", "FP32", [1])],
            max_batch_size=MAX_WINDOWS,
            fp16=sequence_fp16 is not None,
            queue_size=_QUEUE,
            # A LENGTH of zero, which is what warm-up sends, must be harmless; the check holds
            # every sequence model to that.
            warmup_batches=(1, 8),
            parameters={**_CUDA, **(parameters or {})},
        ),
        sequence,
        sequence_fp16,
    )


def remove_member(repo: Path, name: str) -> bool:
    """Delete a member's folders; the vote and the ensembles must be written again after it.

    Returns:
        Whether there was anything to delete.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"member name {name!r}: use {_NAME.pattern}")
    folders = [repo / f"{name}_{part}" for part in ("encoder", "map", "sequence")]
    found = [folder for folder in folders if folder.is_dir()]
    for folder in found:
        shutil.rmtree(folder)
    return bool(found)


def member_names(repo: Path) -> list[str]:
    """Members with a sequence model in the repository, voted ones first and in their order."""
    present = {path.parent.name.removesuffix("_sequence") for path in repo.glob("*_sequence/*")}
    labels = repo / "vote" / LABEL_FILE
    voted = labels.read_text(encoding="utf-8").split() if labels.exists() else []
    return [name for name in voted if name in present] + sorted(present - set(voted))


def write_vote(
    repo: Path,
    members: Sequence[Calibration],
    bias: float = 0.0,
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Write the vote with its calibration inside.

    Args:
        repo: the model repository.
        members: every voting member, in the order of ``MEMBER_PROBABILITY``.
        bias: added to the weighted sum of calibrated logits.
        parameters: string parameters of the config: ``threshold_fake``, ``threshold_real`` and
            how they were chosen.

    Raises:
        ValueError: see ``vote_graph``.
    """
    names = [member.name for member in members]
    folder = repo / "vote"
    model = vote_graph(members, bias)
    _write_model(
        folder,
        model_config(
            "vote",
            [Tensor(f"LOGIT_{name}", "FP32", [1]) for name in names],
            [
                Tensor("PROBABILITY", "FP32", [1]),
                Tensor("MEMBER_PROBABILITY", "FP32", [len(names)], LABEL_FILE),
            ],
            max_batch_size=MAX_WINDOWS,
            queue_size=_QUEUE,
            on_cpu=True,
            parameters=parameters,
        ),
        model,
    )
    (folder / LABEL_FILE).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def write_ensembles(repo: Path) -> None:
    """Write ``face_features``, ``sequence_verdict``, ``pack`` and ``clip_verdict``.

    The members are those of the vote's label file, so write the vote first.

    Raises:
        ValueError: a voting member has no sequence model, or no member has an encoder.
    """
    members = (repo / "vote" / LABEL_FILE).read_text(encoding="utf-8").split()
    lacking = [name for name in members if not (repo / f"{name}_sequence").is_dir()]
    if lacking:
        raise ValueError(f"{repo}: the vote names {', '.join(lacking)}, which has no model")
    dims = {
        name: _encoder_dim(repo, name) for name in members if (repo / f"{name}_encoder").is_dir()
    }
    if not dims:
        raise ValueError(f"{repo}: no member has an encoder; {', '.join(members)} have none")
    landmarks = len(dims) < len(members)
    frames = Tensor("FRAMES", "UINT8", CROP_SHAPE)
    encode = [
        EnsembleStep(f"{name}_encoder", {"FRAMES": "FRAMES"}, {"FEATURES": f"FEATURES_{name}"})
        for name in dims
    ]
    verdict = [
        Tensor("PROBABILITY", "FP32", [1]),
        Tensor("MEMBER_PROBABILITY", "FP32", [len(members)], LABEL_FILE),
    ]
    features = [Tensor(f"FEATURES_{n}", "FP32", [SEQUENCE_LENGTH, d]) for n, d in dims.items()]
    points = [Tensor("LANDMARKS", "FP32", [SEQUENCE_LENGTH, LANDMARK_DIM])] if landmarks else []
    _write_ensemble(
        repo,
        ensemble_config(
            "face_features",
            [frames],
            [Tensor(f"FEATURES_{name}", "FP32", [dim]) for name, dim in dims.items()],
            encode,
            max_batch_size=MAX_CROPS,
        ),
        "face_features",
    )
    source = {n: f"FEATURES_{n}" if n in dims else "LANDMARKS" for n in members}
    _write_ensemble(
        repo,
        ensemble_config(
            "sequence_verdict",
            [*features, *points, Tensor("LENGTH", "INT32", [1])],
            verdict,
            _score_steps(members, source),
            max_batch_size=MAX_WINDOWS,
        ),
        "sequence_verdict",
        members,
    )
    _write_model(
        repo / "pack",
        model_config(
            "pack",
            [Tensor("FEATURES", "FP32", [-1, -1])],
            [
                Tensor("PACKED", "FP32", [1, SEQUENCE_LENGTH, -1]),
                Tensor("LENGTH", "INT32", [1, 1]),
            ],
            max_batch_size=0,
            on_cpu=True,
        ),
        pack_graph(SEQUENCE_LENGTH),
    )
    # Only the first packing gives the LENGTH: all of a clip's windows are equally long.
    unpacked = [*(f"FEATURES_{name}" for name in dims), *(["LANDMARKS"] if landmarks else [])]
    pack = [
        EnsembleStep(
            "pack",
            {"FEATURES": tensor},
            {"PACKED": f"PACKED_{tensor}"}
            | ({"LENGTH": "LENGTH"} if tensor == unpacked[0] else {}),
        )
        for tensor in unpacked
    ]
    _write_ensemble(
        repo,
        ensemble_config(
            "clip_verdict",
            [
                Tensor("FRAMES", "UINT8", [-1, *CROP_SHAPE]),
                *([Tensor("LANDMARKS", "FP32", [-1, LANDMARK_DIM])] if landmarks else []),
            ],
            [
                Tensor("PROBABILITY", "FP32", [1, 1]),
                Tensor("MEMBER_PROBABILITY", "FP32", [1, len(members)], LABEL_FILE),
            ],
            [*encode, *pack, *_score_steps(members, {n: f"PACKED_{s}" for n, s in source.items()})],
            max_batch_size=0,
        ),
        "clip_verdict",
        members,
    )


def _score_steps(members: Sequence[str], source: Mapping[str, str]) -> list[EnsembleStep]:
    heads = [
        EnsembleStep(
            f"{name}_sequence",
            {"FEATURES": source[name], "LENGTH": "LENGTH"},
            {"LOGIT": f"LOGIT_{name}"},
        )
        for name in members
    ]
    logits = {f"LOGIT_{name}": f"LOGIT_{name}" for name in members}
    outputs = {name: name for name in ("PROBABILITY", "MEMBER_PROBABILITY")}
    return [*heads, EnsembleStep("vote", logits, outputs)]


def _encoder_dim(repo: Path, name: str) -> int:
    config = (repo / f"{name}_encoder" / "config.pbtxt").read_text(encoding="utf-8")
    found = re.search(r'output \{ name: "FEATURES".*?dims: \[ (\d+) \]', config)
    if found is None:
        raise ValueError(f"{repo / f'{name}_encoder'}: no output FEATURES with one dimension")
    return int(found.group(1))


def _write_model(
    folder: Path, config: str, model: ModelProto, fp16: ModelProto | None = None
) -> None:
    version = folder / "1"
    version.mkdir(parents=True, exist_ok=True)
    (folder / "config.pbtxt").write_text(config, encoding="utf-8")
    (version / "model.onnx").write_bytes(model.SerializeToString())
    if fp16 is not None:
        (version / FP16_FILE).write_bytes(fp16.SerializeToString())


def _write_ensemble(repo: Path, config: str, name: str, labels: Sequence[str] = ()) -> None:
    version = repo / name / "1"
    version.mkdir(parents=True, exist_ok=True)
    # Triton wants a version folder, empty or not; git keeps no empty ones.
    (version / ".keep").touch()
    (repo / name / "config.pbtxt").write_text(config, encoding="utf-8")
    if labels:
        text = "".join(f"{label}\n" for label in labels)
        (repo / name / LABEL_FILE).write_text(text, encoding="utf-8")
