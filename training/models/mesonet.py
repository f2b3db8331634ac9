"""MesoNet's two nets (Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network",
WIFS 2018), written anew from the paper and its published layers.

Both take float ``[N, 3, S, S]`` in -1 to 1, look at 256 pixels, and give 16 features.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 256


class _MesoTail(nn.Module):
    """What the two nets share: two 5x5 stages, pooling to 8x8 and the hidden layer of 16."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.third = nn.Conv2d(channels, 16, 5, padding=2)
        self.third_norm = nn.BatchNorm2d(16)
        self.fourth = nn.Conv2d(16, 16, 5, padding=2)
        self.fourth_norm = nn.BatchNorm2d(16)
        self.hidden = nn.Linear(16 * 8 * 8, 16)
        self.drop = nn.Dropout(0.5)

    def forward(self, maps: Tensor) -> Tensor:
        maps = functional.max_pool2d(self.third_norm(self.third(maps).relu()), 2)
        maps = functional.max_pool2d(self.fourth_norm(self.fourth(maps).relu()), 4)
        hidden = self.hidden(self.drop(maps.flatten(1)))
        return functional.leaky_relu(hidden, 0.1)


class Meso4(nn.Module):
    """Four convolutions; about 28,000 weights."""

    dim = 16

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.first_norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 5, padding=2)
        self.second_norm = nn.BatchNorm2d(8)
        self.tail = _MesoTail(8)

    def forward(self, image: Tensor) -> Tensor:
        image = _sized(image)
        maps = functional.max_pool2d(self.first_norm(self.first(image).relu()), 2)
        maps = functional.max_pool2d(self.second_norm(self.second(maps).relu()), 2)
        return cast(Tensor, self.tail(maps))


class _Inception(nn.Module):
    """Four branches side by side, two of them dilated, as MesoInception-4's stages are."""

    def __init__(self, channels: int, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        a, b, c, d = widths
        self.one = nn.Conv2d(channels, a, 1)
        self.two = nn.Sequential(
            nn.Conv2d(channels, b, 1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1)
        )
        self.three = nn.Sequential(
            nn.Conv2d(channels, c, 1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=2, dilation=2)
        )
        self.four = nn.Sequential(
            nn.Conv2d(channels, d, 1), nn.ReLU(), nn.Conv2d(d, d, 3, padding=3, dilation=3)
        )
        self.norm = nn.BatchNorm2d(a + b + c + d)

    def forward(self, maps: Tensor) -> Tensor:
        branches = [branch(maps).relu() for branch in (self.one, self.two, self.three, self.four)]
        return functional.max_pool2d(self.norm(torch.cat(branches, 1)), 2)


class MesoInception4(nn.Module):
    """Two inception stages before the same tail; about 28,600 weights."""

    dim = 16

    def __init__(self) -> None:
        super().__init__()
        self.first = _Inception(3, (1, 4, 4, 2))
        self.second = _Inception(11, (2, 4, 4, 2))
        self.tail = _MesoTail(12)

    def forward(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.tail(self.second(self.first(_sized(image)))))


def _sized(image: Tensor) -> Tensor:
    """To 256 pixels, and to 0..1 as the nets were published for."""
    if image.shape[-1] != SIDE:
        image = functional.interpolate(image, (SIDE, SIDE), mode="bilinear", align_corners=False)
    return image * 0.5 + 0.5
