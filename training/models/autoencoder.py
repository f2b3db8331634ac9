"""Small autoencoders of pictures: what their decoders leave, every generator of their kind leaves.

A generator of heads ends in a decoder that enlarges a small map to a picture; how it enlarges
shows (Odena et al., "Deconvolution and Checkerboard Artifacts", 2016; Frank et al., "Leveraging
Frequency Analysis for Deep Fake Image Recognition", ICML 2020). A real face sent through such a
decoder is a fake that differs from its original in nothing else, so that a detector cannot learn a
maker's people, light or codec instead (Rajan et al., "Aligned Datasets Improve Detection of Latent
Diffusion-Generated Images", ICLR 2025).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.weights import load_strictly, read

UPS = ("nearest", "bilinear", "transposed", "shuffle")
_HALVINGS = (2, 3)
_WIDEST = 192


@dataclass(frozen=True)
class Kind:
    """One autoencoder: how its decoder enlarges, and how much its map keeps.

    ``halvings`` is how often the side is halved. Raising ``code``, the channels of the smallest
    map, keeps more detail; raising ``width``, the channels at half the side, costs time.
    """

    up: str = "nearest"
    halvings: int = 2
    code: int = 8
    width: int = 24

    def __post_init__(self) -> None:
        if self.up not in UPS:
            raise ValueError(f"up is {self.up!r}, it must be one of {', '.join(UPS)}")
        if self.halvings not in _HALVINGS:
            raise ValueError(f"halvings is {self.halvings}, it must be one of {_HALVINGS}")
        for name, value in (("code", self.code), ("width", self.width)):
            if not 1 <= value <= _WIDEST:
                raise ValueError(f"{name} is {value}, it must be 1 to {_WIDEST}")

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.up}-{1 << self.halvings}-{self.code}"

    def facts(self) -> dict[str, str | int]:
        """The values as a file of weights holds them."""
        return asdict(self)


KINDS = (
    Kind("nearest", 2, 6), Kind("nearest", 3, 24), Kind("bilinear", 3, 24),
    Kind("transposed", 2, 6), Kind("transposed", 3, 24), Kind("shuffle", 3, 24),
)  # fmt: skip


class Autoencoder(nn.Module):
    """Pictures ``[N, 3, H, W]`` in -1 to 1 to pictures of the same size; H and W divide by 8."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind
        widths = [min(kind.width * 2**step, _WIDEST) for step in range(kind.halvings)]
        down: list[nn.Module] = []
        before = 3
        for width in widths:
            down += [nn.Conv2d(before, width, 4, 2, 1), nn.LeakyReLU(0.1), _Residual(width)]
            before = width
        self.down = nn.Sequential(*down, nn.Conv2d(before, kind.code, 1))
        up: list[nn.Module] = [nn.Conv2d(kind.code, before, 1), _Residual(before)]
        for width in reversed(widths[:-1]):
            up += [_larger(kind.up, before, width), nn.LeakyReLU(0.1), _Residual(width)]
            before = width
        last = kind.width // 2
        up += [_larger(kind.up, before, last), nn.LeakyReLU(0.1), nn.Conv2d(last, 3, 3, 1, 1)]
        self.up = nn.Sequential(*up)

    def forward(self, pictures: Tensor) -> Tensor:
        return torch.tanh(1.2 * self.up(self.down(pictures)))


def load_autoencoder(path: Path) -> Autoencoder:
    """The one in ``path``, to be used and not trained on.

    Raises ``FileNotFoundError``, and ``ValueError`` for a file of another kind.
    """
    found: dict[str, Any] = read(path, ": run the autoencoders step first")
    if not {"kind", "state"} <= set(found):
        raise ValueError(f"{path} holds no autoencoder")
    net = Autoencoder(Kind(**found["kind"]))
    load_strictly(net, found["state"], path)
    return net.eval().requires_grad_(False)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, maps: Tensor) -> Tensor:
        return maps + functional.leaky_relu(self.change(maps), 0.1)


def _larger(up: str, before: int, after: int) -> nn.Module:
    """Twice the side: one of the ways that generators use."""
    if up == "transposed":
        return nn.ConvTranspose2d(before, after, 4, 2, 1)
    if up == "shuffle":
        return nn.Sequential(nn.Conv2d(before, 4 * after, 3, 1, 1), nn.PixelShuffle(2))
    align = {"align_corners": False} if up == "bilinear" else {}
    enlarge = nn.Upsample(scale_factor=2, mode=up, **align)
    return nn.Sequential(enlarge, nn.Conv2d(before, after, 3, 1, 1))
