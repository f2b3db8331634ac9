"""The vote as it lies in a model repository, read back from its graph and its config."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import numpy_helper

from stream_server.engine.repository import ModelRepository
from stream_server.grounds import Voting
from stream_server.verdict import VerdictPolicy
from training.judge.vote import Vote, Voter


def served_vote(repo: Path) -> Vote:
    """The vote as it lies in the repository. Raises ``RepositoryError``."""
    repository = ModelRepository.load(repo)
    graph = onnx.load(str(repository.models["vote"].model_file)).graph
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    either = set(held["either"].tolist()) if "either" in held else set()
    voters = tuple(
        Voter(
            name,
            float(held["scale"][place]),
            float(held["shift"][place]),
            float(held["weight"][place, 0]),
            "either" if place in either else "weight",
        )
        for place, name in enumerate(repository.members)
    )
    fake, real = (float(repository.parameters[f"threshold_{kind}"]) for kind in ("fake", "real"))
    return Vote(voters, float(held["bias"][0]), fake, real, _of_pictures(repository))


def _of_pictures(repository: ModelRepository) -> Vote | None:
    voting = Voting.of_pictures(repository)
    if voting is None:
        return None
    policy = VerdictPolicy.of_pictures(repository.parameters, voting)
    voters = tuple(Voter(name, *level, kind="either") for name, level in voting.levels.items())
    return Vote(voters, 0.0, policy.fake, policy.real)
