"""What a crowd of viewers asks of each part of an installation, and which gives way first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.fleet.costs import RATE, Costs
from benchmarks.fleet.queues import Crowd

HEADROOM = 0.6
"""How full a part is planned to be: what is left is for bursts."""

FILES = 65536 - 65536 // 8
"""Connections that one server takes at most (``stream_server/server/open_files.py``)."""


@dataclass(frozen=True)
class Play:
    """What is in the pictures: the shares of streams with 0, 1, 2 ... faces, cuts a second, and for
    how many seconds a new face is looked at twice as often."""

    faces: Sequence[float] = (0.25, 0.55, 0.15, 0.05)
    cuts_per_s: float = 0.2
    new_face_s: float = 0.8


@dataclass(frozen=True)
class Part:
    """``asked`` of it at the busiest second, and what there is (``None``: nobody has measured or
    given it). ``unit`` is what both count."""

    name: str
    unit: str
    asked: float
    there: float | None
    basis: str

    @property
    def fullness(self) -> float | None:
        return None if self.there is None else self.asked / self.there


def looked_at(
    crowd: Crowd, play: Play, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Faces on each server at each second, and those of them that count twice, ``[seconds,
    servers]`` both."""
    streams = crowd.watching.astype(np.int64)
    faces = np.zeros(streams.shape)
    left, rest = streams.copy(), 1.0
    for count, share in enumerate(play.faces):
        with_so_many = rng.binomial(left, min(share / rest, 1.0) if rest > 0 else 0.0)
        faces += count * with_so_many
        left, rest = left - with_so_many, rest - share
    young = min(play.cuts_per_s * play.new_face_s, 1.0)
    return faces, rng.binomial(faces.astype(np.int64), young).astype(float)


def core_seconds(
    streams: NDArray[np.float64],
    faces: NDArray[np.float64],
    young: NDArray[np.float64],
    whole: Costs,
    elsewhere: Costs | None,
) -> NDArray[np.float64]:
    """Cores that are asked of each server at each second.

    What was measured is a frame with one face. Where it was measured once more with the networks in
    Triton, their part goes by faces and the rest by frames; else all of it goes by faces, and a
    frame without one counts as one with: more than it is, never less.
    """
    if elsewhere is None:
        return RATE * whole.frame_s * (np.maximum(streams, faces) + young)
    networks = max(whole.frame_s - elsewhere.frame_s, 0.0)
    return RATE * (elsewhere.frame_s * streams + networks * (faces + young))


def first_to_break(parts: Sequence[Part]) -> Part | None:
    """The fullest part of those whose size is known."""
    known = [part for part in parts if part.fullness is not None]
    return max(known, key=lambda part: part.fullness or 0.0, default=None)
