"""From feature maps and gradients to a heat map over the crop (Selvaraju et al., ICCV 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from stream_server.vision.types import Floats


@dataclass(frozen=True)
class Part:
    """One member's share: ``signed`` relevance ``[h, w]`` in logits, over the middle ``view`` of
    each side of the crop."""

    signed: Floats
    view: float


def weighed(maps: Floats, weights: Floats) -> Floats:
    """Maps float32 ``[n, C, h, w]`` and channel weights ``[n, C]`` to relevance ``[n, h, w]``.

    What speaks for manipulation is above zero, what speaks against it below. The paper cuts off
    the latter; here ``joined`` does, after the members are added up.
    """
    found: Floats = np.einsum("nc,nchw->nhw", weights, maps, optimize=True).astype(np.float32)
    return found


def joined(parts: Sequence[Part], size: int = 14) -> Floats:
    """The members' shares added up over the whole crop: float32 ``[size, size]``, 0 to 1.

    1 is the strongest influence in the picture, for or against: where the strongest speak against
    manipulation, what little speaks for it stays faint. All are 0 where nothing does.
    """
    total = np.zeros((size, size), np.float32)
    for part in parts:
        total += _over_crop(part, size)
    peak = float(np.abs(total).max(initial=0))
    return (np.maximum(total, 0) / max(peak, 1e-30)).astype(np.float32)


def _over_crop(part: Part, size: int) -> Floats:
    """A share on a grid of the whole crop, nothing where the member does not look."""
    rows, columns = part.signed.shape
    # Centres of the cells, from the crop's to the map's own grid.
    centres = ((np.arange(size) + 0.5) / size - 0.5) / part.view + 0.5
    x = np.clip(centres * columns - 0.5, 0, columns - 1).astype(np.float32)
    y = np.clip(centres * rows - 0.5, 0, rows - 1).astype(np.float32)
    grid_x, grid_y = np.meshgrid(x, y)
    spread = cv2.remap(part.signed, grid_x, grid_y, cv2.INTER_LINEAR)
    inside = (centres >= 0) & (centres <= 1)
    result: Floats = np.where(inside[:, None] & inside[None, :], spread, 0).astype(np.float32)
    return result
