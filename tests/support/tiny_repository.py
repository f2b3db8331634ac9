"""A model repository of made-up models of a few kilobytes, for tests that need no real ones.

Encoders average each colour over the crop and mix them; heads take the masked mean over time.
Random, but the same every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper

from stream_server.engine.spec import LANDMARK_DIM
from training.export.ensembles import write_ensembles
from training.export.graphs import make_model
from training.export.member_rate import set_rate
from training.export.repository_writer import place_member, write_vote
from training.judge.vote import Vote, Voter
from training.models.contract import MAX_STEPS

FEATURE_DIM = 8


def tiny_repository(
    path: Path,
    members: Sequence[str] = ("tiny",),
    landmark_members: Sequence[str] = (),
    parameters: dict[str, str] | None = None,
    maps: bool = False,
    readers: Mapping[str, Sequence[str]] | None = None,
    rates: Mapping[str, float] | None = None,
) -> Path:
    """Write a repository below ``path`` and return it.

    Args:
        path: the repository's folder; made when missing.
        members: members with an encoder; the first has 8 features, the next 9, and so on.
        landmark_members: members that take LANDMARKS.
        parameters: more parameters for the vote, beside the two thresholds.
        maps: whether members with an encoder get a map model, for heat maps.
        readers: members that read the features of others, whose names stand with each; they join
            the vote as one-or-the-other.
        rates: looks a second of members that look less often than at every sample.
    """
    for index, name in enumerate(members):
        dim = FEATURE_DIM + index
        place_member(
            path,
            name,
            tiny_sequence(dim, index),
            dim,
            tiny_encoder(dim, index),
            feature_map=tiny_map(dim, index) if maps else None,
            map_shape=(3, 7, 7),
        )
    for index, name in enumerate(landmark_members):
        place_member(path, name, tiny_sequence(LANDMARK_DIM, 50 + index), LANDMARK_DIM)
    for index, (name, sources) in enumerate((readers or {}).items()):
        dims = {source: FEATURE_DIM + members.index(source) for source in sources}
        place_member(path, name, tiny_reader(dims, 90 + index), dims)
    for name, rate in (rates or {}).items():
        set_rate(path, name, rate)
    everyone = [*members, *landmark_members, *(readers or {})]
    voters = [
        Voter(
            n, 1.5 + i, -0.1 * i, 1 / len(everyone), "either" if n in (readers or ()) else "weight"
        )
        for i, n in enumerate(everyone)
    ]
    write_vote(path, Vote(tuple(voters), 0.05), parameters)
    write_ensembles(path)
    return path


def tiny_encoder(dim: int, seed: int = 0) -> ModelProto:
    """FRAMES uint8 ``[N, 224, 224, 3]`` to FEATURES ``[N, dim]``."""
    random = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Cast", ["FRAMES"], ["frames"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["frames", "scale"], ["unit"]),
        helper.make_node("ReduceMean", ["unit"], ["colour"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["colour", "mix"], ["mixed"]),
        helper.make_node("Tanh", ["mixed"], ["FEATURES"]),
    ]
    return make_model(
        "encoder",
        nodes,
        {"FRAMES": (TensorProto.UINT8, ["N", 224, 224, 3])},
        {"FEATURES": (TensorProto.FLOAT, ["N", dim])},
        {
            "scale": np.array([255.0], np.float32),
            "mix": random.normal(size=(3, dim)).astype(np.float32),
        },
    )


def tiny_map(dim: int, seed: int = 0) -> ModelProto:
    """FRAMES to MAP ``[N, 3, 7, 7]``, the colours of 49 fields, and GRADIENT ``[N, 3]``."""
    mix = np.random.default_rng(seed).normal(size=(3, dim)).astype(np.float32)
    head = np.random.default_rng(1000 + seed).normal(size=(dim, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["FRAMES"], ["frames"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["frames", "scale"], ["unit"]),
        helper.make_node("Transpose", ["unit"], ["channels"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["channels"], ["MAP"], kernel_shape=[32, 32], strides=[32, 32]
        ),
        helper.make_node("ReduceMean", ["unit"], ["colour"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["colour", "mix"], ["mixed"]),
        helper.make_node("Tanh", ["mixed"], ["features"]),
        helper.make_node("Mul", ["features", "features"], ["square"]),
        helper.make_node("Sub", ["one", "square"], ["slope"]),
        helper.make_node("Mul", ["slope", "head"], ["sloped"]),
        helper.make_node("MatMul", ["sloped", "back"], ["gradient"]),
        helper.make_node("Div", ["gradient", "places"], ["GRADIENT"]),
    ]
    return make_model(
        "map",
        nodes,
        {"FRAMES": (TensorProto.UINT8, ["N", 224, 224, 3])},
        {
            "MAP": (TensorProto.FLOAT, ["N", 3, 7, 7]),
            "GRADIENT": (TensorProto.FLOAT, ["N", 3]),
        },
        {
            "scale": np.array([255.0], np.float32),
            "mix": mix,
            "one": np.array([1.0], np.float32),
            "head": head.T,
            "back": mix.T,
            "places": np.array([49.0], np.float32),
        },
    )


def tiny_sequence(dim: int, seed: int = 0) -> ModelProto:
    """FEATURES ``[B, 100, dim]`` and LENGTH ``[B, 1]`` to LOGIT ``[B, 1]``."""
    return _sequence({"FEATURES": dim}, seed)


def tiny_reader(dims: Mapping[str, int], seed: int = 0) -> ModelProto:
    """FEATURES_<member> ``[B, 100, D]`` of each member and LENGTH to LOGIT ``[B, 1]``."""
    return _sequence({f"FEATURES_{name}": dim for name, dim in dims.items()}, seed)


def _sequence(dims: Mapping[str, int], seed: int) -> ModelProto:
    random = np.random.default_rng(1000 + seed)
    nodes = [
        helper.make_node("Concat", list(dims), ["features"], axis=2),
        helper.make_node("Less", ["steps", "LENGTH"], ["inside"]),
        helper.make_node("Cast", ["inside"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["features", "mask3"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "time"], ["sum"], keepdims=0),
        helper.make_node("Max", ["LENGTH", "least"], ["length"]),
        helper.make_node("Cast", ["length"], ["lengthf"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["sum", "lengthf"], ["mean"]),
        helper.make_node("MatMul", ["mean", "head"], ["LOGIT"]),
    ]
    return make_model(
        "sequence",
        nodes,
        {
            **{name: (TensorProto.FLOAT, ["B", MAX_STEPS, n]) for name, n in dims.items()},
            "LENGTH": (TensorProto.INT32, ["B", 1]),
        },
        {"LOGIT": (TensorProto.FLOAT, ["B", 1])},
        {
            "steps": np.arange(MAX_STEPS, dtype=np.int32)[None],
            "last": np.array([2], np.int64),
            "time": np.array([1], np.int64),
            "least": np.array([1], np.int32),
            "head": random.normal(size=(sum(dims.values()), 1)).astype(np.float32),
        },
    )
