"""Members as they are served: the ONNX files of a model repository, run by ONNX Runtime.

They stand beside members read from ``member.pt`` wherever features or logits are wanted, so that
what is judged is what is served, and so that members whose training files are gone still count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stream_server.engine.check import file_stamp
from stream_server.engine.embedded import open_session
from stream_server.engine.repository import ModelRepository
from stream_server.engine.spec import ModelSpec
from stream_server.vision.types import Floats
from training.arrays import as_floats
from training.models.member import Member, load_members


class OnnxEncoder(nn.Module):
    """``<member>_encoder``: uint8 ``[n, 224, 224, 3]`` to features ``[n, D]``.

    ``embedded`` takes the file that the embedded engine opens, which may be in 8 bit. ``stamp``
    names the file that is run, ``weights`` the fp32 file that it was made of.
    """

    def __init__(self, encoder: ModelSpec, embedded: bool = False) -> None:
        super().__init__()
        path = encoder.embedded_file if embedded else encoder.model_file
        self.weights, self.stamp = file_stamp(encoder.model_file), file_stamp(path)
        self._session = open_session(path)

    def encode(self, crops: NDArray[np.uint8]) -> Floats:
        """One crop at a time: on a CPU a batch takes longer than its crops alone."""
        parts = [self._session.run(["FEATURES"], {"FRAMES": crop[None]})[0] for crop in crops]
        return as_floats(np.concatenate(parts))


class OnnxHead(nn.Module):
    """``<member>_sequence``: windows of each of ``inputs`` and their length to logits."""

    def __init__(self, path: Path, inputs: Sequence[str], steps: int) -> None:
        super().__init__()
        self._session = open_session(path)
        self._inputs, self._steps = tuple(inputs), steps

    def forward(self, *windows: Tensor) -> Tensor:
        *series, length = windows
        feed = {"LENGTH": length.numpy()}
        for name, values in zip(self._inputs, series, strict=True):
            padded = np.zeros((len(values), self._steps, values.shape[2]), np.float32)
            padded[:, : values.shape[1]] = values.numpy()
            feed[name] = padded
        return torch.from_numpy(self._session.run(["LOGIT"], feed)[0])


def served_members(repo: Path, embedded: bool = False) -> list[Member]:
    """The voting members of the repository, in their order; ``embedded`` as the embedded engine
    runs them, otherwise in fp32 as both engines can. Raises ``RepositoryError``."""
    repository = ModelRepository.load(repo)
    members: list[Member] = []
    for name in repository.members:
        sequence = repository.models[f"{name}_sequence"]
        taken = [tensor for tensor in sequence.inputs if tensor.name != "LENGTH"]
        head = OnnxHead(
            sequence.model_file, [tensor.name for tensor in taken], repository.sequence_length
        )
        encoder = repository.models.get(f"{name}_encoder")
        members.append(
            Member(
                name,
                OnnxEncoder(encoder, embedded) if encoder is not None else None,
                head,
                sum(tensor.shape[-1] for tensor in taken),
                dict(sequence.parameters),
                reads={
                    tensor.name.removeprefix("FEATURES_"): tensor.shape[-1]
                    for tensor in taken
                    if tensor.name != "FEATURES"
                },
            )
        )
    set_rates(members, repository.rates)
    return members


def set_rates(members: Sequence[Member], rates: Mapping[str, float | None]) -> None:
    """Let ``members`` look as often a second as ``rates`` say, None for every sample, and those
    that read others as often as these.

    Raises ``ValueError`` for a member that is not there or has no encoder, and for one that reads
    others at different rates.
    """
    known = {member.name: member for member in members if member.encoder is not None}
    for name, rate in rates.items():
        if name not in known:
            raise ValueError(f"{name} has no encoder here; {', '.join(known) or 'none'} have")
        known[name].sample_hz = rate
    for member in members:
        found = {known[name].sample_hz for name in member.reads if name in known}
        if len(found) > 1:
            raise ValueError(f"{member.name} reads members that look at different rates")
        if found:
            member.sample_hz = found.pop()


def members_with_encoder(
    repo: Path, names: Sequence[str] = (), embedded: bool = False
) -> list[Member]:
    """The members ``names`` of the repository, or all that have an encoder; ``embedded`` as the
    embedded engine runs them.

    Raises ``ValueError`` for one that has none.
    """
    known = {one.name: one for one in served_members(repo, embedded) if one.encoder is not None}
    lacking = [name for name in names if name not in known]
    if lacking:
        raise ValueError(f"{', '.join(lacking)} has no encoder in {repo}; {', '.join(known)} have")
    return [known[name] for name in names or known]


def chosen_members(
    paths: Sequence[Path],
    repo: Path | None = None,
    rates: Mapping[str, float | None] | None = None,
    embedded: bool = False,
) -> list[Member]:
    """The served members of ``repo``, replaced and followed by those in the files ``paths``.

    ``embedded`` takes those of ``repo`` as the embedded engine runs them. They look as often as in
    ``repo``, but for those of ``rates``. Raises ``ValueError`` where a name comes twice in
    ``paths``, there is no member at all, one reads features of an encoder that it was not fitted
    on, and for rates as ``set_rates`` does.
    """
    members = load_members(paths)
    if repo is not None:
        given = {member.name: member for member in members}
        served = [given.pop(one.name, one) for one in served_members(repo, embedded)]
        members = [*served, *given.values()]
    if not members:
        raise ValueError("neither --members nor --models names a member")
    _check_fitted_on(members)
    set_rates(members, rates or {})
    return members


def _check_fitted_on(members: Sequence[Member]) -> None:
    """A member that reads others' features means nothing on other weights of theirs."""
    encoders = {member.name: member.encoder for member in members}
    for member in members:
        stamps = member.facts.get("fitted_on")
        known = stamps if isinstance(stamps, dict) else {}
        for name in member.reads:
            fitted = known.get(name) or member.facts.get(f"fitted_on_{name}")
            encoder = encoders.get(name)
            if fitted is None or encoder is None:
                continue
            if not isinstance(encoder, OnnxEncoder) or encoder.weights != fitted:
                raise ValueError(
                    f"{member.name} was not fitted on this encoder of {name}: "
                    "run the probe step again with it"
                )
