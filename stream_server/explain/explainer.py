"""Heat maps from the engine in use, whichever that is, and never in the way of the live path."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream_server.engine.base import Engine, ModelNotFound
from stream_server.engine.spec import VOTE
from stream_server.explain.heat import Part, joined, weighed
from stream_server.vision.types import Floats, Image

GRID = 14
_STEP = 0.25  # logits: large against rounding, small against the bend of one-or-the-other


@dataclass(frozen=True)
class Heat:
    """Where in a crop the evidence lies.

    ``grid`` is float32 ``[14, 14]`` over the aligned crop, rows from the top, 0 to 1 (see
    ``heat.joined``); all 0 where nothing in the picture speaks for manipulation.
    ``members`` are the models it comes from.
    """

    grid: Floats
    members: tuple[str, ...]


class Explainer:
    """What each place adds to the vote, on single crops.

    ``<member>_map`` gives the last feature map and the gradient of the member's logit at it, as
    Grad-CAM has it (Selvaraju et al., ICCV 2017), or what each place adds to that logit, as a map
    of one channel; the members' maps are added up as the vote weighs their logits. Each crop counts
    as a still picture. One call at a time, of ``at_once`` crops: an explanation must not keep
    viewers waiting, but a map that brings back its weights for each call does so once for all.
    """

    def __init__(self, engine: Engine, at_once: int = 1) -> None:
        self._engine = engine
        self._at_once = at_once
        models = engine.repository.models
        self._views = {
            name: float(spec.parameters.get("view", "1"))
            for name in engine.repository.members
            if (spec := models.get(f"{name}_map")) is not None
            and {"MAP", "GRADIENT"} <= {tensor.name for tensor in spec.outputs}
        }
        self._shares: dict[str, float] | None = None
        self._one = asyncio.Lock()

    @property
    def members(self) -> tuple[str, ...]:
        """The members that can be explained; empty where the repository has no map models."""
        return tuple(self._views)

    async def explain(self, crop: Image) -> Heat:
        """The heat map of one face crop, uint8 ``[224, 224, 3]``; raises as ``explain_all``."""
        return (await self.explain_all([crop]))[0]

    async def explain_all(self, crops: Sequence[Image]) -> list[Heat]:
        """The heat map of each face crop.

        Raises ``EngineError`` where the engine gives no answer, and ``ModelNotFound`` where no
        member has a map model.
        """
        if not self._views:
            raise ModelNotFound("the models come without heat maps")
        found: list[Heat] = []
        for at in range(0, len(crops), self._at_once):
            async with self._one:
                found += await self._together(np.stack(crops[at : at + self._at_once]))
        return found

    async def _together(self, crops: NDArray[np.uint8]) -> list[Heat]:
        if self._shares is None:
            self._shares = await self._ask_vote()
        parts: list[list[Part]] = [[] for _ in crops]
        for name, view in self._views.items():
            answer = await self._engine.infer_aside(f"{name}_map", {"FRAMES": crops})
            share = np.float32(self._shares[name])
            for own, signed in zip(parts, weighed(answer["MAP"], answer["GRADIENT"]), strict=True):
                own.append(Part(signed * share, view))
        return [Heat(joined(own, GRID), self.members) for own in parts]

    async def _ask_vote(self) -> dict[str, float]:
        """How much each member's logit moves the vote's, around a logit of 0.

        The members that have maps are weighed against each other by a sum of their logits. A
        member that joins as one-or-the-other scales all of that alike, for small steps at least.
        """
        names = self._engine.repository.members
        steps = np.eye(len(names), dtype=np.float32) * np.float32(_STEP)
        logits = np.concatenate((steps, -steps))
        inputs = {f"LOGIT_{name}": logits[:, i : i + 1] for i, name in enumerate(names)}
        answer = await self._engine.infer_aside(VOTE, inputs)
        moved = [_logit(float(value)) for value in answer["PROBABILITY"][:, 0]]
        up, down = moved[: len(names)], moved[len(names) :]
        pairs = zip(names, up, down, strict=True)
        return {name: (high - low) / (2 * _STEP) for name, high, low in pairs}


def _logit(probability: float) -> float:
    clipped = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))
