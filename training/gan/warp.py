"""Random views of a person's faces for training: what goes in is bent, what is asked for is not.

The bending makes the encoder say where eyes and mouth are and leaves nothing to copy, as in the
first "deepfakes" autoencoder; turn, zoom, shift, mirroring and light are the same for both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from stream_server.vision.types import Image
from training.gan.faces import ROOM, Person


@dataclass(frozen=True)
class Bend:
    """``warp`` is the standard deviation of each of 5 x 5 points' moves, in half sides.

    Raising it makes the encoder coarser about shape; lowering it lets it copy. ``turn`` is in
    radians, ``zoom`` and ``shift`` are fractions, ``light`` is a gain and offset per channel.
    """

    warp: float = 0.045
    turn: float = 0.12
    zoom: float = 0.06
    shift: float = 0.03
    light: float = 0.08


@dataclass(frozen=True)
class Batch:
    """Bent pictures and what they should become ``[B, 3, S, S]`` in -1 to 1, masks ``[B, 1, ..]``.

    ``source`` is what goes in; ``target`` and ``mask`` are asked for.
    """

    source: Tensor
    target: Tensor
    mask: Tensor


def training_faces(person: Person) -> Tensor:
    """The faces that are not held out with their masks, uint8 ``[N, 4, R, R]``."""
    pictures, masks = person.part(held=False)
    stacked = torch.cat((torch.from_numpy(pictures), torch.from_numpy(masks)[..., None]), dim=3)
    return stacked.permute(0, 3, 1, 2).contiguous()


def draw(faces: Tensor, count: int, size: int, bend: Bend, rng: torch.Generator) -> Batch:
    """``count`` random views of ``faces`` (uint8 ``[N, 4, R, R]``), each ``size`` pixels."""

    def spread(scale: float, *shape: int) -> Tensor:
        return (torch.rand(shape, generator=rng) * 2 - 1) * scale

    chosen = faces[torch.randint(len(faces), (count,), generator=rng)].float() / 127.5 - 1
    turn, zoom = spread(bend.turn, count), 1 + spread(bend.zoom, count)
    mirror = torch.where(torch.rand(count, generator=rng) < 0.5, -1.0, 1.0)
    move = torch.zeros(count, 2, 3)
    move[:, 0, 0], move[:, 0, 1] = mirror * zoom * turn.cos(), -zoom * turn.sin()
    move[:, 1, 0], move[:, 1, 1] = mirror * zoom * turn.sin(), zoom * turn.cos()
    move[:, :, 2] = spread(bend.shift, count, 2)
    straight = functional.affine_grid(move / ROOM, [count, 4, size, size], align_corners=False)
    points = torch.randn((count, 2, 5, 5), generator=rng) * bend.warp / ROOM
    waves = functional.interpolate(points, (size, size), mode="bicubic", align_corners=True)
    bent = straight + waves.permute(0, 2, 3, 1)
    source = _sampled(chosen[:, :3], bent)
    target = _sampled(chosen, straight)
    gain = 1 + spread(bend.light, count, 3, 1, 1)
    offset = spread(bend.light, count, 3, 1, 1)
    return Batch(
        (source * gain + offset).clamp(-1, 1),
        (target[:, :3] * gain + offset).clamp(-1, 1),
        (target[:, 3:] + 1) / 2,
    )


def _sampled(pictures: Tensor, grid: Tensor) -> Tensor:
    return functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def middle(faces: Tensor, size: int) -> Tensor:
    """The middle of stored pictures ``[N, C, R, R]``: what is measured and shown."""
    edge = (faces.shape[-1] - size) // 2
    return faces[..., edge : edge + size, edge : edge + size]


def middle_of(pictures: Image, size: int) -> Image:
    """The same of pictures with their channels last, uint8 ``[N, R, R, 3]``."""
    edge = (pictures.shape[1] - size) // 2
    return pictures[:, edge : edge + size, edge : edge + size]
