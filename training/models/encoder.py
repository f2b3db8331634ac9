"""From a face crop to a feature vector."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

import training.torchvision_compat  # noqa: F401  # before timm
from training.models.frozen import freeze_norms

DIM = 256


class MobileNetV2Encoder(nn.Module):
    """MobileNetV2 (Sandler et al., CVPR 2018) with a second way out for its early layers.

    The traces of blending are fine structure that the first blocks see and the last ones have
    pooled away, so the mean and the mean deviation of three early maps join the usual pooled
    features. Takes float ``[N, 3, S, S]`` in -1 to 1; gives features ``[N, 256]``.
    """

    early = (1, 2, 4)

    def __init__(self, start: Path | None = None, dim: int = DIM) -> None:
        super().__init__()
        import timm

        net = timm.create_model("mobilenetv2_100", pad_type="same", num_classes=0)
        if start is not None:
            load_start(net, start)
        self.dim = dim
        self.net: Any = freeze_norms(net)
        widths = [24, 32, 96]
        self.late = nn.Linear(1280, dim)
        self.norm = nn.LayerNorm(2 * sum(widths))
        self.fine = nn.Linear(2 * sum(widths), dim, bias=False)
        self.act = nn.SiLU()

    def forward(self, image: Tensor) -> Tensor:
        net = self.net
        maps = net.bn1(net.conv_stem(image))
        fine: list[Tensor] = []
        for number, block in enumerate(net.blocks):
            maps = block(maps)
            if number in self.early:
                mean = maps.mean((2, 3), keepdim=True)
                fine += [mean.flatten(1), (maps - mean).abs().mean((2, 3))]
        pooled = net.bn2(net.conv_head(maps)).mean((2, 3))
        features = self.late(pooled) + self.fine(self.norm(torch.cat(fine, 1)))
        return cast(Tensor, self.act(features))


class ServedEncoder(nn.Module):
    """An encoder as it is served: uint8 ``[N, 224, 224, 3]`` in, features ``[N, D]`` out."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, frames: Tensor) -> Tensor:
        image = frames.permute(0, 3, 1, 2).float() * (1 / 127.5) - 1.0
        return cast(Tensor, self.encoder(image))


def load_start(net: nn.Module, start: Path) -> None:
    """Load ``start`` (safetensors or a PyTorch state) less its classifier, strictly."""
    if start.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(str(start))
    else:
        state = torch.load(start, map_location="cpu", weights_only=True)
    state = {name: value for name, value in state.items() if not name.startswith("classifier.")}
    net.load_state_dict(state, strict=True)
