"""The ensembles that join the members: made anew whenever a member comes or goes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from stream_server.engine.rates import length_for
from stream_server.engine.repository import read_config
from stream_server.engine.spec import LANDMARK_DIM, LENGTH, PACED_VERDICT, SEQUENCE_VERDICT
from training.export.config_text import EnsembleStep, Tensor, ensemble_config, model_config
from training.export.graphs import pack_graph
from training.export.layout import (
    CROP_SHAPE,
    LABEL_FILE,
    MAX_CROPS,
    MAX_WINDOWS,
    write_ensemble,
    write_model,
)
from training.export.member_rate import encoder_rate
from training.models.contract import MAX_STEPS


def write_ensembles(repo: Path) -> None:
    """Write ``face_features``, ``sequence_verdict``, ``pack`` and ``clip_verdict``, and
    ``paced_verdict`` where a member has a rate of its own.

    The members are those of the vote's label file, so write the vote first.

    Raises:
        ValueError: a voting member has no sequence model or reads features that no other gives
            or that come at different rates, a rate is none, or no member has an encoder.
    """
    members = (repo / "vote" / LABEL_FILE).read_text(encoding="utf-8").split()
    lacking = [name for name in members if not (repo / f"{name}_sequence").is_dir()]
    if lacking:
        raise ValueError(f"{repo}: the vote names {', '.join(lacking)}, which has no model")
    dims = {name: dim for name in members if (dim := encoder_dim(repo, name))}
    if not dims:
        raise ValueError(f"{repo}: no member has an encoder; {', '.join(members)} have none")
    source = {
        name: _inputs(repo, name, f"FEATURES_{name}" if name in dims else "LANDMARKS")
        for name in members
    }
    given = {f"FEATURES_{name}" for name in dims} | {"LANDMARKS", "LENGTH"}
    for name, inputs in source.items():
        lacking = sorted(set(inputs.values()) - given)
        if lacking:
            raise ValueError(
                f"{repo}: {name} reads {', '.join(lacking)}, which no voting member gives"
            )
    rates = {name: rate for name in dims if (rate := encoder_rate(repo, name)) is not None}
    length = {
        name: length_for(name, (t for t in inputs.values() if t != LENGTH), rates)
        for name, inputs in source.items()
    }
    landmarks = any("LANDMARKS" in inputs.values() for inputs in source.values())
    frames = Tensor("FRAMES", "UINT8", CROP_SHAPE)
    encode = [
        EnsembleStep(f"{name}_encoder", {"FRAMES": "FRAMES"}, {"FEATURES": f"FEATURES_{name}"})
        for name in dims
    ]
    verdict = [
        Tensor("PROBABILITY", "FP32", [1]),
        Tensor("MEMBER_PROBABILITY", "FP32", [len(members)], LABEL_FILE),
    ]
    features = [Tensor(f"FEATURES_{n}", "FP32", [MAX_STEPS, d]) for n, d in dims.items()]
    points = [Tensor("LANDMARKS", "FP32", [MAX_STEPS, LANDMARK_DIM])] if landmarks else []
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
    whole = dict.fromkeys(source, LENGTH)
    shutil.rmtree(repo / PACED_VERDICT, ignore_errors=True)
    for model, counted in ((SEQUENCE_VERDICT, whole), (PACED_VERDICT, length)):
        if model == SEQUENCE_VERDICT or rates:
            lengths = [Tensor(name, "INT32", [1]) for name in sorted(set(counted.values()))]
            config = ensemble_config(
                model,
                [*features, *points, *lengths],
                verdict,
                _score_steps(source, counted),
                max_batch_size=MAX_WINDOWS,
            )
            write_ensemble(repo, config, model, members)
    write_model(
        repo / "pack",
        model_config(
            "pack",
            [Tensor("FEATURES", "FP32", [-1, -1])],
            [
                Tensor("PACKED", "FP32", [1, MAX_STEPS, -1]),
                Tensor("LENGTH", "INT32", [1, 1]),
            ],
            max_batch_size=0,
            on_cpu=True,
        ),
        pack_graph(MAX_STEPS),
    )
    # Only the first packing gives the LENGTH: all of a clip's windows are equally long, since
    # every member sees every crop of a clip, whatever its rate.
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
            [*encode, *pack, *_score_steps(source, whole, "PACKED_")],
            max_batch_size=0,
        ),
        "clip_verdict",
        members,
    )


def _score_steps(
    source: Mapping[str, Mapping[str, str]], length: Mapping[str, str], prefix: str = ""
) -> list[EnsembleStep]:
    """Every member's sequence model, which gets its tensor of ``length``, and the vote; ``prefix``
    goes before all other tensors."""
    heads = [
        EnsembleStep(
            f"{name}_sequence",
            {
                key: length[name] if value == LENGTH else prefix + value
                for key, value in inputs.items()
            },
            {"LOGIT": f"LOGIT_{name}"},
        )
        for name, inputs in source.items()
    ]
    logits = {f"LOGIT_{name}": f"LOGIT_{name}" for name in source}
    outputs = {name: name for name in ("PROBABILITY", "MEMBER_PROBABILITY")}
    return [*heads, EnsembleStep("vote", logits, outputs)]


def encoder_dim(repo: Path, name: str) -> int:
    """Length of the feature vector of ``name``'s encoder; 0 where it has none."""
    config = repo / f"{name}_encoder" / "config.pbtxt"
    return read_config(config).output("FEATURES").shape[-1] if config.is_file() else 0


def _inputs(repo: Path, name: str, own: str) -> dict[str, str]:
    """A sequence model's inputs, each with the ensemble's tensor that it gets. ``own`` is what
    ``FEATURES`` stands for; the features of others have one name everywhere."""
    taken = read_config(repo / f"{name}_sequence" / "config.pbtxt").inputs
    return {tensor.name: own if tensor.name == "FEATURES" else tensor.name for tensor in taken}
