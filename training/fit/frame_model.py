"""An encoder and its frame logit, as they are trained on single crops."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from training.models.local import LocalHead
from training.models.weights import State, load_strictly

_BESIDE = ("local", "generated")


class FrameModel(nn.Module):
    """An encoder and a linear logit on its features; ``local`` finds borders, in training.

    With ``two`` a second logit answers whether the head was generated as a whole, so that the
    encoder learns to see what tells it; a probe on the features takes its place where it is served.
    """

    def __init__(
        self, encoder: nn.Module, dim: int, local: LocalHead | None = None, two: bool = False
    ) -> None:
        super().__init__()
        self.encoder, self.logit, self.local = encoder, nn.Linear(dim, 1), local
        self.generated = nn.Linear(dim, 1) if two else None

    def forward(self, image: Tensor) -> Tensor:
        features = self.encoder(image)
        score: Tensor = self.logit(features).flatten()
        return score

    def answers(self, image: Tensor) -> Tensor:
        """The scores of each question that is asked, ``[N, 1]`` or ``[N, 2]``: whether a face was
        changed, whether the head was generated."""
        features = self.encoder(image)
        asked = [self.logit] if self.generated is None else [self.logit, self.generated]
        return torch.cat([one(features) for one in asked], 1)

    def both(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The scores ``[N]`` and the logits of a border ``[N, 1, H, W]``."""
        if self.local is None:
            raise ValueError("this model was made without a local head")
        features, maps = cast(Any, self.encoder).searched(image)
        return self.logit(features).flatten(), self.local(*maps)

    def kept(self) -> State:
        """The weights that a member needs: without those that only training has."""
        state, extra = self.state_dict(), self._beside()
        return {name: value for name, value in state.items() if name not in extra}

    def take(self, state: State, source: object) -> None:
        """Load what ``kept`` gave, strictly; what only training has stays as it is.

        Raises ``ValueError`` naming ``source`` and what does not fit.
        """
        load_strictly(self, {**self._beside(), **state}, source)

    def _beside(self) -> State:
        state = self.state_dict()
        return {name: v for name, v in state.items() if name.split(".")[0] in _BESIDE}
