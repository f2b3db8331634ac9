"""What the maker and its critics are trained for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.gan.nets import Critic, composed
from training.gan.warp import Batch


@dataclass(frozen=True)
class Weights:
    """How much each term counts.

    ``inside`` is how much more an error inside the face's mask counts than one outside. Raising
    ``critic`` sharpens and invents; ``edges`` sharpens without inventing; ``smooth`` keeps the
    mask from fraying.
    """

    picture: float = 6.0
    inside: float = 3.0
    edges: float = 4.0
    critic: float = 0.15
    mask: float = 2.0
    smooth: float = 0.1


def maker_loss(
    picture: Tensor, mask: Tensor, batch: Batch, critic: Critic, weights: Weights, warmth: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """The maker's loss on one person's batch, and its terms before they are weighted.

    ``warmth`` (0 to 1) scales the critic's part, which would only disturb a maker that cannot draw
    a face yet.
    """
    focus = 1 + weights.inside * batch.mask
    off = (picture - batch.target).abs() * focus
    terms = {
        "picture": off.mean() / (1 + weights.inside / 2),
        "edges": _edges(picture, batch.target, focus),
        "mask": (mask - batch.mask).abs().mean(),
        "smooth": _slopes(mask)[0].abs().mean() + _slopes(mask)[1].abs().mean(),
        "critic": picture.new_zeros(()),
    }
    total = (
        weights.picture * terms["picture"]
        + weights.edges * terms["edges"]
        + weights.mask * terms["mask"]
        + weights.smooth * terms["smooth"]
    )
    if warmth > 0:
        answer = critic(composed(picture, mask, batch.source), batch.source).float()
        terms["critic"] = ((answer - 1) ** 2).mean()
        total = total + weights.critic * warmth * terms["critic"]
    return total, terms


def critic_loss(critic: Critic, made: Tensor, batch: Batch) -> Tensor:
    """Least squares (Mao et al., ICCV 2017): 1 for the picture asked for, 0 for the one made.

    What is judged is inside the mask alone, as the maker's own answer is blended there.
    """
    real = composed(batch.target, batch.mask, batch.source)
    pictures = torch.cat((real, made.detach()))
    answer = critic(pictures, torch.cat((batch.source, batch.source))).float()
    count = len(made)
    loss: Tensor = ((answer[:count] - 1) ** 2).mean() / 2 + (answer[count:] ** 2).mean() / 2
    return loss


def _slopes(pictures: Tensor) -> tuple[Tensor, Tensor]:
    return pictures[..., 1:, :] - pictures[..., :-1, :], pictures[..., 1:] - pictures[..., :-1]


def _edges(picture: Tensor, target: Tensor, focus: Tensor) -> Tensor:
    """How far the slopes between neighbouring pixels are from those asked for."""
    down, right = _slopes(picture)
    wanted_down, wanted_right = _slopes(target)
    return ((down - wanted_down).abs() * focus[..., 1:, :]).mean() + (
        (right - wanted_right).abs() * focus[..., 1:]
    ).mean()
