"""Heat maps from the engine in use, whichever that is, and never in the way of the live path."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import numpy as np

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
    as a still picture. One crop at a time: an explanation must not keep viewers waiting.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
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
        """The heat map of one face crop, uint8 ``[224, 224, 3]``.

        Raises ``EngineError`` where the engine gives no answer, and ``ModelNotFound`` where no
        member has a map model.
        """
        if not self._views:
            raise ModelNotFound("the models come without heat maps")
        async with self._one:
            if self._shares is None:
                self._shares = await self._ask_vote()
            parts = []
            for name, view in self._views.items():
                answer = await self._engine.infer_aside(f"{name}_map", {"FRAMES": crop[None]})
                signed = weighed(answer["MAP"], answer["GRADIENT"])[0]
                parts.append(Part(signed * np.float32(self._shares[name]), view))
            return Heat(joined(parts, GRID), self.members)

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
