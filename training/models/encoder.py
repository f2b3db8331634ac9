"""From a face crop to a feature vector."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from training.models.strided import quicken
from training.models.weights import load_start

DIM = 256
VIEW = 6 / 7


class MiddleEncoder(nn.Module):
    """What the nets of timm that look at the middle of the crop have in common: a map of 1280
    channels, its mean, and features ``[N, dim]`` of that."""

    def _take(self, net: nn.Module, dim: int, view: float, early: int) -> None:
        """``early`` is the number of channels at a sixteenth of the size."""
        quicken(net)
        self.dim, self.view = dim, view
        self.net: Any = net
        self.late = nn.Linear(1280, dim)
        self.drop = nn.Dropout(0.2)
        self.act = nn.SiLU()
        self.local_widths: tuple[int, ...] = (early, 1280)

    def stages(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """A map at a sixteenth of the size, and what ``maps`` gives."""
        raise NotImplementedError

    def maps(self, image: Tensor) -> Tensor:
        """The last feature map, ``[N, 1280, S / 32, S / 32]`` for the part that is looked at."""
        return self.stages(image)[1]

    def head(self, pooled: Tensor) -> Tensor:
        """Features ``[N, 256]`` from the mean of the map over its places, ``[N, 1280]``."""
        return cast(Tensor, self.act(self.late(self.drop(pooled))))

    def searched(self, image: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The features, and the maps that a border is searched in."""
        early, late = self.stages(image)
        return self.head(late.mean((2, 3))), (early, late)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.maps(image).mean((2, 3)))


class MobileNetV2Encoder(MiddleEncoder):
    """MobileNetV2 (Sandler et al., CVPR 2018) on the middle of the crop.

    Takes float ``[N, 3, S, S]`` in -1 to 1; gives features ``[N, 256]``. ``view`` is the part of
    each side that is looked at: less of it is cheaper and leaves less of the scene to learn by
    heart, and below 0.8 the border of a swapped face begins to be cut off.
    """

    def __init__(self, start: Path | None = None, dim: int = DIM, view: float = VIEW) -> None:
        super().__init__()
        import timm

        net = timm.create_model("mobilenetv2_100", pad_type="same", num_classes=0)
        if start is not None:
            load_start(net, start)
        self._take(net, dim, view, 96)

    def stages(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """A map of 96 channels at a sixteenth of the size, and what ``maps`` gives."""
        net = self.net
        early = net.blocks[:5](net.bn1(net.conv_stem(middle(image, self.view))))
        return early, cast(Tensor, net.bn2(net.conv_head(net.blocks[5:](early))))


def middle(image: Tensor, view: float) -> Tensor:
    """The middle of ``image`` (``[N, C, S, S]``), ``view`` of each side, a whole step of 32 wide
    where ``S`` is 224."""
    side = int(image.shape[-1])
    edge = round(side * (1 - view) / 2)
    return image[:, :, edge : side - edge, edge : side - edge]


class ServedEncoder(nn.Module):
    """An encoder as it is served: uint8 ``[N, 224, 224, 3]`` in, features ``[N, D]`` out."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, frames: Tensor) -> Tensor:
        return cast(Tensor, self.encoder(as_input(frames)))


def as_input(image: Tensor) -> Tensor:
    """uint8 ``[N, S, S, 3]`` to float ``[N, 3, S, S]`` in -1 to 1, channels last in memory."""
    return image.permute(0, 3, 1, 2).float() * (1 / 127.5) - 1.0
