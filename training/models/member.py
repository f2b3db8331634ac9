"""A trained model, an encoder and a head, and the file that it is kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from stream_server.atomic import replacing
from training.models.contract import Kind
from training.models.heads import Probe
from training.models.registry import make_encoder, make_head, parse
from training.models.weights import load_strictly, read


@dataclass
class Member:
    """A trained model: ``encoder`` on crops (None without one) and ``head`` on windows.

    A head without an encoder takes landmarks, or the features of the members that it ``reads``:
    their names, each with the width of its features. ``dim`` is the width of all that it takes.
    ``facts`` are what its file says about its training; ``sample_hz`` is how often a second it
    looks where it is served, None for every sample.
    """

    name: str
    encoder: nn.Module | None
    head: nn.Module
    dim: int
    facts: dict[str, object] = field(default_factory=dict)
    reads: Mapping[str, int] = field(default_factory=dict)
    sample_hz: float | None = None

    @property
    def kind(self) -> Kind:
        """How it joins the vote."""
        return "either" if self.facts.get("kind") == "either" else "weight"

    def eval(self) -> Member:
        """The member itself, ready to judge and not to train."""
        self.head.eval()
        if self.encoder is not None:
            self.encoder.eval()
        return self


def rates_of(members: Sequence[Member]) -> dict[str, float]:
    """The members that look less often than at every sample, with their looks a second."""
    return {one.name: one.sample_hz for one in members if one.sample_hz is not None}


def save_member(path: Path, member: Member, facts: Mapping[str, object]) -> None:
    """Write a member and ``facts`` about its training; whole or not at all."""
    state = {
        "name": member.name,
        "dim": member.dim,
        "encoder": member.encoder.state_dict() if member.encoder is not None else None,
        "head": member.head.state_dict(),
        "reads": dict(member.reads),
        "facts": dict(facts),
    }
    with replacing(path) as part:
        torch.save(state, part)


def load_member(path: Path) -> Member:
    """Read what ``save_member`` wrote. Raises ``FileNotFoundError`` or ``ValueError``."""
    state = read(path, "; the train step writes it")
    missing = {"name", "dim", "encoder", "head"} - set(state)
    if missing:
        raise ValueError(f"{path} is no member: {', '.join(sorted(missing))} missing")
    dim, facts = int(state["dim"]), state.get("facts", {})
    reads = {str(name): int(width) for name, width in state.get("reads", {}).items()}
    if reads:
        probe = Probe(tuple(reads.values()))
        load_strictly(probe, state["head"], path)
        return Member(state["name"], None, probe, dim, facts, reads).eval()
    spec = parse(state["name"])
    encoder, head = make_encoder(spec), make_head(spec, dim)
    if encoder is not None:
        load_strictly(encoder, state["encoder"], path)
    load_strictly(head, state["head"], path)
    return Member(spec.name, encoder, head, dim, facts).eval()


def load_members(paths: Sequence[Path]) -> list[Member]:
    """The members in ``paths``. Raises ``ValueError`` where a name comes twice."""
    members = [load_member(path) for path in paths]
    names = [member.name for member in members]
    if len(set(names)) != len(names):
        raise ValueError(f"members must have names of their own, got {', '.join(names)}")
    return members
