"""A small net on high-pass residuals that compares the inside of a face with what surrounds it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from stream_server.vision.crop import MARGIN
from stream_server.vision.types import Floats
from training.models.encoder import DIM, VIEW, middle
from training.models.strided import quicken
from training.models.weights import load_start

# Three of the 30 filters of the rich models (Fridrich and Kodovsky, IEEE TIFS 2012), those that
# Zhou et al., CVPR 2018, feed to a net: second order, third order square, first order.
_FILTERS = (
    [[0, 0, 0, 0, 0], [0, -1, 2, -1, 0], [0, 2, -4, 2, 0], [0, -1, 2, -1, 0], [0, 0, 0, 0, 0]],
    [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2],
     [-1, 2, -2, 2, -1]],
    [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, -2, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
)  # fmt: skip
_SCALES = (4.0, 12.0, 2.0)
_CENTRE, _AXES = (0.5, 0.54), (0.42, 0.46)  # the face in its square; see vision.crop
_RINGS = (0.0, 0.8, 1.2, 9.0)  # inside, rim and outside, in radii of that ellipse
_WIDTHS = {1: 24, 2: 32, 4: 96}


class ResidualEncoder(nn.Module):
    """The first five stages of MobileNetV2 on high-pass residuals, pooled by region.

    What a camera and a codec leave behind has one strength all over a picture; a face that was
    put in has its own. So the maps are pooled inside the face, on its rim and around it, and the
    features see the logarithms of these strengths as differences: the source's own level, which
    misleads other nets, falls out. Takes float ``[N, 3, S, S]`` in -1 to 1, the aligned crop of
    ``stream_server.vision.crop``; gives features ``[N, 256]``.
    """

    def __init__(self, start: Path | None = None, dim: int = DIM, view: float = VIEW) -> None:
        super().__init__()
        import timm

        net: Any = timm.create_model("mobilenetv2_100", pad_type="same", num_classes=0)
        if start is not None:
            load_start(net, start)
        net.blocks = net.blocks[:5]
        quicken(net)
        net.conv_head, net.bn2 = nn.Identity(), nn.Identity()
        self.dim, self.view, self.net = dim, view, net
        kernel = torch.tensor(_FILTERS) / torch.tensor(_SCALES)[:, None, None]
        self.register_buffer("kernel", kernel.repeat(3, 1, 1)[:, None])
        self.mix = nn.Conv2d(9, 3, 1)
        with torch.no_grad():  # each colour begins as the mean of its own three residuals
            self.mix.weight.zero_()
            self.mix.bias.zero_()  # type: ignore[union-attr]  # it has one
            for colour in range(3):
                self.mix.weight[colour, 3 * colour : 3 * colour + 3] = 4.0
        total = 2 * sum(_WIDTHS.values())
        self.contrast = nn.BatchNorm1d(2 * total)
        self.fine = nn.Linear(2 * total, dim)
        self.drop = nn.Dropout(0.2)
        self.act = nn.SiLU()

    def maps(self, image: Tensor) -> list[Tensor]:
        """The maps after the second, third and fifth stage."""
        kernel = cast(Tensor, self.kernel)
        # In 32 bit whatever the rest runs in, as it is served: in bfloat16 rounding is as large as
        # the residual. Filtered before it is cut, so that the cut leaves no edge in the residual.
        with torch.autocast(image.device.type, enabled=False):
            residual = functional.conv2d(image.float(), kernel.float(), padding=2, groups=3)
        residual = middle(residual, self.view)
        maps = self.net.bn1(
            self.net.conv_stem(self.mix(functional.hardtanh(residual, -0.25, 0.25)))
        )
        kept: list[Tensor] = []
        for number, stage in enumerate(self.net.blocks):
            maps = stage(maps)
            if number in _WIDTHS:
                kept.append(maps)
        return kept

    def forward(self, image: Tensor) -> Tensor:
        return self.features(self.maps(image))

    def features(self, stages: list[Tensor]) -> Tensor:
        """Features ``[N, 256]`` from what ``maps`` gave."""
        levels: list[Tensor] = []
        for maps in stages:
            weights = torch.from_numpy(regions(int(maps.shape[-2]), int(maps.shape[-1]), self.view))
            weights = weights.to(maps.device)
            flat = maps.flatten(2)
            for strength in (flat.clamp(min=0), (-flat).clamp(min=0)):
                # [N, C, 3]: how strongly each channel answers in each region, either way
                levels.append(torch.log(strength.float() @ weights + 1e-3))
        level = torch.cat(levels, 1)
        inside, rim, outside = level.unbind(2)
        contrast = torch.cat((inside - outside, rim - (inside + outside) / 2), 1)
        return cast(Tensor, self.act(self.fine(self.drop(self.contrast(contrast)))))


@cache
def regions(height: int, width: int, view: float) -> Floats:
    """Weights ``[height * width, 3]``: a map's means inside, on the rim of and around a face."""
    down, across = (
        ((np.arange(count) + 0.5) / count - 0.5) * view * MARGIN + 0.5 for count in (height, width)
    )
    radius = np.hypot(
        (across[None, :] - _CENTRE[0]) / _AXES[0], (down[:, None] - _CENTRE[1]) / _AXES[1]
    ).reshape(-1, 1)
    within = (radius >= np.array(_RINGS[:-1])) & (radius < np.array(_RINGS[1:]))
    weights = within / within.sum(axis=0)
    return np.asarray(weights, np.float32)
