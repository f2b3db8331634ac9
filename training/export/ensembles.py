"""The ensembles that join the members: made anew whenever a member comes or goes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.export.config_text import EnsembleStep, Tensor, ensemble_config, model_config
from training.export.graphs import pack_graph
from training.export.layout import (
    CROP_SHAPE,
    LABEL_FILE,
    LANDMARK_DIM,
    MAX_CROPS,
    MAX_WINDOWS,
    SEQUENCE_LENGTH,
    write_ensemble,
    write_model,
)


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
    write_ensemble(
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
    write_ensemble(
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
    write_model(
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
    write_ensemble(
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
