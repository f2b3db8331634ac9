"""Writes the model repository: members, the vote, and the ensembles that join them.

A member is a sequence head and an encoder, or a head alone, which takes landmarks or reads the
features of other members. Adding or removing one touches its own folders, the vote and the
ensembles; no code knows the members.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from onnx import ModelProto

from stream_server.accuracy import PREFIX, Accuracy
from stream_server.atomic import write_text
from stream_server.engine.check import file_stamp
from stream_server.engine.repository import read_config
from stream_server.engine.spec import AS_WRITTEN, LANDMARK_DIM
from stream_server.grounds import PICTURES
from training.export.config_text import Tensor, model_config, parameter_lines
from training.export.ensembles import encoder_dim
from training.export.graphs import vote_graph
from training.export.layout import (
    CROP_SHAPE,
    LABEL_FILE,
    MAX_CROPS,
    MAX_WINDOWS,
    QUEUE,
    write_model,
)
from training.judge.vote import Vote, picture_parameters
from training.models.contract import MAX_STEPS

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# On CUDA the default, an exhaustive search per new batch shape, stalls for seconds. Triton 24.10
# ignores this key under execution_accelerators and reads it here; 1 is the heuristic.
_CUDA = {"cudnn_conv_algo_search": "1"}


def place_member(
    repo: Path,
    name: str,
    sequence: ModelProto,
    feature_dim: int | Mapping[str, int],
    encoder: ModelProto | None = None,
    *,
    sequence_fp16: ModelProto | None = None,
    encoder_fp16: ModelProto | None = None,
    feature_map: ModelProto | None = None,
    map_shape: Sequence[int] = (),
    map_view: float = 1.0,
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Write a member's folders from finished ONNX models, replacing what was there.

    Args:
        repo: the model repository.
        name: lower-case letters, digits and underscores; begins with a letter.
        sequence: ``FEATURES [B, 100, D]``, ``LENGTH [B, 1]`` to ``LOGIT [B, 1]``; with
            ``FEATURES_<other>`` instead of ``FEATURES`` for each member whose features it reads.
        feature_dim: D; 10 for a member that takes landmarks; for one that reads the features of
            others their names, each with its D.
        encoder: ``FRAMES`` uint8 ``[N, 224, 224, 3]`` to ``FEATURES [N, D]``.
        sequence_fp16: the head for the V100.
        encoder_fp16: the encoder for the V100.
        feature_map: ``FRAMES`` to ``MAP`` and ``GRADIENT``, for heat maps; see ``heat_map``.
        map_shape: the map's shape without the batch axis, e.g. ``(1280, 7, 7)``.
        map_view: the part of each side of the crop that the map covers, around the middle.
        parameters: string parameters of the sequence model's config, e.g. how it was trained.

    Raises:
        ValueError: a bad name, a landmark member whose D is not 10, features read that no member
            gives, or other weights of an encoder that another member was fitted on.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"member name {name!r}: use {_NAME.pattern}")
    taken = _taken(repo, name, feature_dim, encoder)
    readers = readers_of(repo, name)
    if readers and (encoder is None or encoder_file(repo, name) != encoder.SerializeToString()):
        raise ValueError(
            f"{', '.join(readers)} was fitted on the features of {name} as it is in {repo}: "
            f"remove {'it' if len(readers) == 1 else 'them'} first, and fit anew on the new {name}"
        )
    _delete(repo, name)
    frames = [Tensor("FRAMES", "UINT8", CROP_SHAPE)]
    if encoder is not None:
        assert isinstance(feature_dim, int)
        write_model(
            repo / f"{name}_encoder",
            model_config(
                f"{name}_encoder",
                frames,
                [Tensor("FEATURES", "FP32", [feature_dim])],
                max_batch_size=MAX_CROPS,
                fp16=encoder_fp16 is not None,
                queue_size=QUEUE,
                warmup_batches=(1, 8, 32),
                instances=2,
                parameters=_CUDA,
            ),
            encoder,
            encoder_fp16,
        )
    if feature_map is not None:
        place_map(repo, name, feature_map, map_shape, map_view)
    write_model(
        repo / f"{name}_sequence",
        model_config(
            f"{name}_sequence",
            [
                *(Tensor(tensor, "FP32", [MAX_STEPS, dim]) for tensor, dim in taken.items()),
                Tensor("LENGTH", "INT32", [1]),
            ],
            [Tensor("LOGIT", "FP32", [1])],
            max_batch_size=MAX_WINDOWS,
            fp16=sequence_fp16 is not None,
            queue_size=QUEUE,
            # A LENGTH of zero, which is what warm-up sends, must be harmless; the check holds
            # every sequence model to that.
            warmup_batches=(1, 8),
            parameters={**_CUDA, **(parameters or {})},
        ),
        sequence,
        sequence_fp16,
    )


def place_map(repo: Path, name: str, model: ModelProto, shape: Sequence[int], view: float) -> None:
    """Write the map model of a member whose encoder lies in ``repo``, and its config: ``shape`` is
    the map's, ``view`` its share of each side of the crop."""
    stamp = file_stamp(encoder_path(repo, name))
    write_model(
        repo / f"{name}_map",
        model_config(
            f"{name}_map",
            [Tensor("FRAMES", "UINT8", CROP_SHAPE)],
            [Tensor("MAP", "FP32", shape), Tensor("GRADIENT", "FP32", shape[:1])],
            max_batch_size=MAX_CROPS,
            queue_size=QUEUE,
            parameters={
                **_CUDA,
                "view": f"{view:.6g}",
                AS_WRITTEN: "true",
                f"fitted_on_{name}": stamp,
            },
        ),
        model,
    )


def remove_member(repo: Path, name: str) -> bool:
    """Delete a member's folders; the vote and the ensembles must be written again after it.

    Returns:
        Whether there was anything to delete.

    Raises:
        ValueError: a bad name, or a member whose features another one reads.
    """
    check_removable(repo, name)
    return _delete(repo, name)


def check_removable(repo: Path, name: str, along: Sequence[str] = ()) -> None:
    """Raise ``ValueError`` for a bad name, or a member whose features another one reads that is
    not removed ``along`` with it."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"member name {name!r}: use {_NAME.pattern}")
    readers = [reader for reader in readers_of(repo, name) if reader not in along]
    if readers:
        raise ValueError(
            f"{name} cannot be removed from {repo} alone: {', '.join(readers)} reads its features; "
            f"remove {'it' if len(readers) == 1 else 'them'} first"
        )


def readers_of(repo: Path, name: str) -> list[str]:
    """The members that read the features of ``name``."""
    return sorted(
        config.parent.name.removesuffix("_sequence")
        for config in repo.glob("*_sequence/config.pbtxt")
        if any(tensor.name == f"FEATURES_{name}" for tensor in read_config(config).inputs)
    )


def encoder_file(repo: Path, name: str) -> bytes:
    """The encoder of ``name`` as it lies in the repository."""
    return encoder_path(repo, name).read_bytes()


def encoder_path(repo: Path, name: str) -> Path:
    """Where the encoder of ``name`` lies."""
    return repo / f"{name}_encoder" / "1" / "model.onnx"


def _delete(repo: Path, name: str) -> bool:
    folders = [repo / f"{name}_{part}" for part in ("encoder", "map", "sequence")]
    found = [folder for folder in folders if folder.is_dir()]
    for folder in found:
        shutil.rmtree(folder)
    return bool(found)


def _taken(
    repo: Path, name: str, dim: int | Mapping[str, int], encoder: ModelProto | None
) -> dict[str, int]:
    """The sequence model's inputs beside LENGTH, each with its width. Raises ``ValueError``."""
    if isinstance(dim, int):
        if encoder is None and dim != LANDMARK_DIM:
            raise ValueError(
                f"{name}: without an encoder it takes landmarks, {LANDMARK_DIM} numbers a sample, "
                f"not {dim}"
            )
        return {"FEATURES": dim}
    if not dim or encoder is not None:
        raise ValueError(f"{name}: a member that reads others' features has no encoder of its own")
    for other, width in dim.items():
        given = encoder_dim(repo, other)
        if given != width:
            raise ValueError(
                f"{name} reads {width} features of {other}, which gives {given or 'none'} in {repo}"
            )
    return {f"FEATURES_{other}": width for other, width in dim.items()}


def member_names(repo: Path) -> list[str]:
    """Members with a sequence model in the repository, voted ones first and in their order."""
    present = {path.parent.name.removesuffix("_sequence") for path in repo.glob("*_sequence/*")}
    labels = repo / "vote" / LABEL_FILE
    voted = labels.read_text(encoding="utf-8").split() if labels.exists() else []
    return [name for name in voted if name in present] + sorted(present - set(voted))


def set_accuracy(repo: Path, accuracy: Accuracy) -> None:
    """Write into the vote's config how often its models were right. Raises ``OSError``."""
    config = repo / "vote" / "config.pbtxt"
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if f'key: "{PREFIX}' not in line]
    write_text(config, "".join(kept) + parameter_lines(accuracy.parameters()))


def set_pictures(repo: Path, vote: Vote) -> None:
    """Write into the vote's config how single pictures are judged; all else stays. Raises
    ``OSError``."""
    config = repo / "vote" / "config.pbtxt"
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if f'key: "{PICTURES}' not in line]
    write_text(config, "".join(kept) + parameter_lines(picture_parameters(vote)))


def write_vote(repo: Path, vote: Vote, parameters: Mapping[str, str] | None = None) -> None:
    """Write the vote with its calibration inside; the ensembles must be written after it. How
    often an earlier vote was right is not said of this one: the card step says it anew.

    Args:
        repo: the model repository.
        vote: every voting member, and the thresholds.
        parameters: more string parameters of the config, e.g. how the vote was chosen.
    """
    folder = repo / "vote"
    write_model(
        folder,
        model_config(
            "vote",
            [Tensor(f"LOGIT_{name}", "FP32", [1]) for name in vote.names],
            [
                Tensor("PROBABILITY", "FP32", [1]),
                Tensor("MEMBER_PROBABILITY", "FP32", [len(vote.names)], LABEL_FILE),
            ],
            max_batch_size=MAX_WINDOWS,
            queue_size=QUEUE,
            on_cpu=True,
            parameters=vote.parameters() | dict(parameters or {}),
        ),
        vote_graph(vote),
    )
    labels = "".join(f"{name}\n" for name in vote.names)
    (folder / LABEL_FILE).write_text(labels, encoding="utf-8")
