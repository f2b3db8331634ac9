"""The networks: an encoder for both people, a decoder with a mask and a critic for each of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

PEOPLE = ("a", "b")
_SIZES = (32, 64, 96, 128)
_WIDTHS = (8, 256)


@dataclass(frozen=True)
class Shape:
    """How large the networks are.

    ``size`` is the side of the picture in pixels. Raising ``width`` (channels of the first layer)
    or ``code`` (numbers that pass from the encoder to a decoder) keeps more detail and costs time;
    too large a ``code`` lets the encoder pass on who it was instead of how they look just now.
    """

    size: int = 64
    width: int = 24
    code: int = 192

    def __post_init__(self) -> None:
        if self.size not in _SIZES:
            raise ValueError(f"size is {self.size}, it must be one of {_SIZES}")
        if not _WIDTHS[0] <= self.width <= _WIDTHS[1]:
            raise ValueError(f"width is {self.width}, it must be {_WIDTHS[0]} to {_WIDTHS[1]}")
        if self.code < 1:
            raise ValueError(f"code is {self.code}, it must be at least 1")

    @property
    def steps(self) -> int:
        """How often the side is halved, down to 4 to 6 pixels."""
        return 3 if self.size == 32 else 4 if self.size < 128 else 5

    @property
    def bottom(self) -> int:
        """The side of the smallest map, in pixels."""
        return self.size >> self.steps

    def facts(self) -> dict[str, int]:
        """The numbers as a checkpoint holds them."""
        return asdict(self)


def _channels(shape: Shape) -> list[int]:
    """Channels after each halving: doubled up to eight times the width."""
    return [shape.width * min(2**step, 8) for step in range(shape.steps)]


class Encoder(nn.Module):
    """Pictures ``[N, 3, S, S]`` in -1 to 1 to what both decoders start from ``[N, C, s, s]``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for number, channels in enumerate(_channels(shape)):
            kernel = 5 if number == 0 else 3
            layers += [nn.Conv2d(before, channels, kernel, 2, kernel // 2), nn.LeakyReLU(0.1)]
            before = channels
        self.down = nn.Sequential(*layers)
        self.into = nn.Linear(before * shape.bottom**2, shape.code)
        self.out_of = nn.Linear(shape.code, before * shape.bottom**2)
        self.form = (before, shape.bottom, shape.bottom)

    def forward(self, pictures: Tensor) -> Tensor:
        # Through one vector: what lies where is mixed, so that a decoder can move it.
        code = self.into(self.down(pictures).flatten(1))
        start: Tensor = functional.leaky_relu(self.out_of(code), 0.1)
        return start.reshape(-1, *self.form)


class Shuffle(nn.Module):
    """Each pixel's four groups of channels to four pixels: ``[N, 4C, H, W]`` to ``[N, C, 2H, 2W]``.

    Instead of strided transposed convolutions, which leave a checkerboard. The order of channels is
    not that of ``nn.PixelShuffle``, but one that moves whole runs of memory in channels-last form.
    """

    def forward(self, values: Tensor) -> Tensor:
        count, _, height, width = values.shape
        rows = values.permute(0, 2, 3, 1).reshape(count, height, width, 2, 2, -1)
        spread = rows.permute(0, 1, 3, 2, 4, 5).flatten(1, 2).flatten(2, 3)
        return spread.permute(0, 3, 1, 2)


class Decoder(nn.Module):
    """An ``Encoder``'s answer to a picture ``[N, 3, S, S]`` in -1 to 1 and its mask ``[N, 1, ..]``.

    The mask is 0 to 1: how much of the picture replaces what it was made from.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = _channels(shape)
        layers: list[nn.Module] = []
        before = channels[-1]
        for after in [*reversed(channels[:-1]), shape.width // 2]:
            layers += [nn.Conv2d(before, 4 * after, 3, 1, 1), nn.LeakyReLU(0.1), Shuffle()]
            before = after
        self.up = nn.Sequential(*layers)
        self.refine = nn.Conv2d(before, before, 3, 1, 1)
        self.end = nn.Conv2d(before, 4, 3, 1, 1)

    def forward(self, code: Tensor) -> tuple[Tensor, Tensor]:
        grown = self.up(code)
        grown = grown + functional.leaky_relu(self.refine(grown), 0.1)
        # Plane by plane: the losses run several times faster on it than on interleaved channels.
        out = torch.sigmoid(self.end(grown).float().contiguous())
        return out[:, :3] * 2 - 1, out[:, 3:]


class Critic(nn.Module):
    """A picture and what it was made from ``[N, 6, S, S]`` to how real each patch looks.

    Patches (Isola et al., CVPR 2017), as a few hundred pictures are soon known by heart whole.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.layers = nn.Sequential(
            nn.Conv2d(6, width, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 1, 3, 1, 1),
        )  # fmt: skip

    def forward(self, picture: Tensor, source: Tensor) -> Tensor:
        answer: Tensor = self.layers(torch.cat((picture, source), dim=1))
        return answer


class Swapper(nn.Module):
    """The maker: ``forward`` gives the picture and mask of ``person`` for pictures of anybody."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.decoders = nn.ModuleDict({person: Decoder(shape) for person in PEOPLE})

    def forward(self, pictures: Tensor, person: str) -> tuple[Tensor, Tensor]:
        result: tuple[Tensor, Tensor] = self.decoders[person](self.encoder(pictures))
        return result


def composed(picture: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """``picture`` inside ``mask``, ``source`` outside."""
    return source + mask * (picture - source)
