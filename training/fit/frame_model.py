"""An encoder and its frame logit, as they are trained on single crops."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from training.models.local import LocalHead
from training.models.weights import State, load_strictly


class FrameModel(nn.Module):
    """An encoder and a linear logit on its features; ``local`` finds borders, in training."""

    def __init__(self, encoder: nn.Module, dim: int, local: LocalHead | None = None) -> None:
        super().__init__()
        self.encoder, self.logit, self.local = encoder, nn.Linear(dim, 1), local

    def forward(self, image: Tensor) -> Tensor:
        features = self.encoder(image)
        score: Tensor = self.logit(features).flatten()
        return score

    def both(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The scores ``[N]`` and the logits of a border ``[N, 1, H, W]``."""
        if self.local is None:
            raise ValueError("this model was made without a local head")
        early, late = cast(Any, self.encoder).stages(image)
        features = cast(Any, self.encoder).head(late.mean((2, 3)))
        return self.logit(features).flatten(), self.local(early, late)

    def kept(self) -> State:
        """The weights that a member needs: without the local head's."""
        state, extra = self.state_dict(), self._local_state()
        return {name: value for name, value in state.items() if name not in extra}

    def take(self, state: State, source: object) -> None:
        """Load what ``kept`` gave, strictly; a local head stays as it is.

        Raises ``ValueError`` naming ``source`` and what does not fit.
        """
        load_strictly(self, {**self._local_state(), **state}, source)

    def _local_state(self) -> State:
        state: State = self.local.state_dict(prefix="local.") if self.local else {}
        return state
