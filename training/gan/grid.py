"""A grid of generated faces: what went in, what came out as either person, and the masks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stream_server.vision.types import Image
from training.arrays import as_image
from training.data.extract import png
from training.gan.faces import Person
from training.gan.measure import as_input, drawn
from training.gan.nets import PEOPLE, Swapper, composed

ROWS = ("original", "reconstruction", "mask", "swap", "swap's mask", "swap laid over")
_GAP = 2


def grid(maker: Swapper, people: Mapping[str, Person], columns: int = 8) -> Image:
    """Rows as ``ROWS`` says for each person, one face a column, uint8 ``[H, W, 3]``.

    Half of the columns are held-out faces, on the right. H is 2 x 6 cells of size + 2, W is
    ``columns`` of them. Raises ``ValueError`` where ``columns`` is not 2 to 64.
    """
    if not 2 <= columns <= 64:
        raise ValueError(f"columns is {columns}, it must be 2 to 64")
    size, cell = maker.shape.size, maker.shape.size + _GAP
    device = next(maker.parameters()).device
    was_training = maker.training
    maker.eval()
    canvas = np.full((len(PEOPLE) * len(ROWS) * cell, columns * cell, 3), 255, np.uint8)
    for block, person in enumerate(PEOPLE):
        other = PEOPLE[1 - block]
        chosen = as_input(_spread(people[person], columns), size)
        picture, mask = (one.cpu() for one in drawn(maker, chosen.to(device), person))
        swap, swap_mask = (one.cpu() for one in drawn(maker, chosen.to(device), other))
        rows = [chosen, picture, _grey(mask), swap, _grey(swap_mask),
                composed(swap, swap_mask, chosen)]  # fmt: skip
        for number, row in enumerate(rows):
            top = (block * len(ROWS) + number) * cell
            for column, one in enumerate(row):
                left = column * cell
                canvas[top : top + size, left : left + size] = to_picture(one)
    maker.train(was_training)
    return canvas


def write_grid(path: Path, picture: Image) -> None:
    """Write ``picture`` (RGB) as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(picture))


def to_picture(tensor: Tensor) -> Image:
    """``[3, S, S]`` in -1 to 1 as uint8 ``[S, S, 3]``."""
    values = ((tensor.detach().float().clamp(-1, 1) + 1) * 127.5).round()
    return as_image(values.permute(1, 2, 0).cpu().numpy())


def _grey(mask: Tensor) -> Tensor:
    return (mask * 2 - 1).expand(-1, 3, -1, -1)


def _spread(person: Person, count: int) -> Image:
    """``count`` faces evenly over the clip, the first half trained on, the second held out."""
    parts = []
    for held, share in ((False, count - count // 2), (True, count // 2)):
        pictures, _ = person.part(held)
        parts.append(pictures[torch.linspace(0, len(pictures) - 1, share).long().numpy()])
    return as_image(np.concatenate(parts))
