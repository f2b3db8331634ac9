"""From a window of features to one logit.

Every head takes features ``[B, T, D]`` and ``length`` int ``[B, 1]`` and gives ``[B, 1]``. What
lies at and after ``length`` changes nothing; a length of 0 counts as 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

HeadKind = Literal["lstm", "gru", "mean", "attention"]
HEADS: tuple[HeadKind, ...] = ("lstm", "gru", "mean", "attention")
HIDDEN = 128


def valid(length: Tensor, steps: int) -> Tensor:
    """Which steps count, bool ``[B, T]``."""
    places = torch.arange(steps, device=length.device).unsqueeze(0)
    return places < length.reshape(-1, 1).clamp(min=1)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over the steps that count: ``[B, T, C]`` and ``[B, T]`` to ``[B, C]``."""
    kept = torch.where(mask.unsqueeze(-1), values, torch.zeros_like(values))
    return kept.sum(1) / mask.sum(1, keepdim=True).to(values.dtype)


class SequenceHead(nn.Module):
    """The mean of the frames' logits, corrected by a recurrent or attending branch.

    The branch begins at zero, so an untrained head is the mean of its frames and training can
    only move away from that where it pays. Recurrent branches run forwards alone: padding at the
    end cannot reach what came before it.
    """

    def __init__(
        self, dim: int, kind: HeadKind = "lstm", hidden: int = HIDDEN, dropout: float = 0.3
    ) -> None:
        super().__init__()
        if kind not in HEADS:
            raise ValueError(f"head is {kind!r}, it must be one of {', '.join(HEADS)}")
        self.kind: HeadKind = kind
        self.frame = nn.Linear(dim, 1)
        self.norm = nn.LayerNorm(dim)
        self.branch: nn.Module = nn.Identity()
        if kind in ("lstm", "gru"):
            self.branch = (nn.LSTM if kind == "lstm" else nn.GRU)(dim, hidden, batch_first=True)
        elif kind == "attention":
            self.branch = nn.Linear(dim, hidden)
        self.weigh = nn.Linear(hidden, 1) if kind == "attention" else nn.Identity()
        self.drop = nn.Dropout(dropout)
        self.step = nn.Linear(hidden, 1) if kind != "mean" else nn.Identity()
        for layer in (self.step, self.weigh):
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor, length: Tensor) -> Tensor:
        mask = valid(length, features.shape[1])
        features = torch.where(mask.unsqueeze(-1), features, torch.zeros_like(features))
        base: Tensor = masked_mean(self.frame(features), mask)
        if self.kind == "mean":
            return base
        inner = self.branch(self.norm(features))
        if self.kind == "attention":
            hidden = functional.leaky_relu(inner, 0.1)
            score = self.weigh(torch.tanh(inner)).squeeze(-1)
            share = torch.softmax(torch.where(mask, score, torch.full_like(score, -1e4)), 1)
            pooled = (self.drop(hidden) * share.unsqueeze(-1)).sum(1)
            return torch.add(base, self.step(pooled))
        steps = self.step(self.drop(functional.leaky_relu(inner[0], 0.1)))
        return base + masked_mean(steps, mask)


class WideLSTM(nn.Module):
    """One LSTM as wide as a ResNeXt's features, over time; LeakyReLU, dropout, mean, logit.

    What the ResNeXt + LSTM of the public student projects meant to be. Their code builds
    ``nn.LSTM(2048, 2048, 1, False)``, whose fourth argument is ``bias``: it runs over the batch
    and not over time, and all but one frame changes nothing. One logit serves for their two
    classes, since a softmax over two is the sigmoid of their difference.
    """

    def __init__(self, dim: int, hidden: int = 2048, dropout: float = 0.4) -> None:
        super().__init__()
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.logit = nn.Linear(hidden, 1)

    def forward(self, features: Tensor, length: Tensor) -> Tensor:
        mask = valid(length, features.shape[1])
        features = torch.where(mask.unsqueeze(-1), features, torch.zeros_like(features))
        states, _ = self.lstm(features)
        steps = self.drop(functional.leaky_relu(states))
        logit: Tensor = self.logit(masked_mean(steps, mask))
        return logit


class BoundedLinear(nn.Module):
    """A logit on standardised features, none of which counts for more than one deviation.

    Without the bound a picture unlike all that was learnt from, far out in some direction or
    other, gets the highest scores of all. Features ``[..., D]`` to ``[..., 1]``.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("spread", torch.ones(dim))
        self.linear = nn.Linear(dim, 1)

    def forward(self, features: Tensor) -> Tensor:
        logit: Tensor = self.linear(((features - self.mean) / self.spread).clamp(-1, 1))
        return logit


class Probe(nn.Module):
    """One logit on the means, over the window, of features that other members' encoders give.

    A linear probe (Alain and Bengio, 2016), with weights of their own for single pictures: what
    gives away a picture is not what gives away a video. ``forward`` takes the features of each
    member in the order of ``dims``, ``[B, T, D]``, and the length. A probe without weights for a
    kind says no, as surely as it can.
    """

    SURE = 30.0

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.moving, self.still = BoundedLinear(sum(dims)), BoundedLinear(sum(dims))
        for layer in (self.moving, self.still):
            nn.init.zeros_(layer.linear.weight)
            nn.init.constant_(layer.linear.bias, -self.SURE)

    def forward(self, *windows: Tensor) -> Tensor:
        *series, length = windows
        mask = valid(length, series[0].shape[1])
        means = torch.cat([masked_mean(features, mask) for features in series], 1)
        moves = length.reshape(-1, 1) > 1
        return torch.where(moves, self.moving(means), self.still(means))


class LandmarkHead(nn.Module):
    """A GRU over the five landmarks and their movement; sees no pixel.

    Takes the landmarks in crop coordinates, ``[B, T, 10]``. Crops are aligned by the same
    landmarks, so what is left is how the face itself moves, and how the landmarks tremble. A
    still picture has no movement: the logit then rests on the shape alone.
    """

    def __init__(self, hidden: int = 48, size: float = 224.0) -> None:
        super().__init__()
        self.size = size
        self.norm = nn.LayerNorm(30)
        self.gru = nn.GRU(30, hidden, batch_first=True)
        self.step = nn.Linear(hidden, 1)

    def forward(self, landmarks: Tensor, length: Tensor) -> Tensor:
        mask = valid(length, landmarks.shape[1])
        kept = torch.where(mask.unsqueeze(-1), landmarks, torch.zeros_like(landmarks))
        places = kept / self.size - 0.5
        # The first step has no step before it, and the one after the last is masked.
        before = torch.cat((places[:, :1], places[:, :-1]), 1)
        speed = (places - before) * 50
        turn = speed - torch.cat((speed[:, :1], speed[:, :-1]), 1)
        inner, _ = self.gru(self.norm(torch.cat((places * 4, speed, turn), 2)))
        return masked_mean(self.step(functional.leaky_relu(inner, 0.1)), mask)
