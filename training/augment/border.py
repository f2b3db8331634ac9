"""Where in a crop the border of a blend runs, as a target to learn; see ``models.local``."""

from __future__ import annotations

import cv2
import numpy as np

from stream_server.vision.types import Floats
from training.arrays import as_floats, as_image
from training.augment.margin import Cut

CELLS = 14  # across a crop of 224 pixels: a stride of 16
UNKNOWN = -1.0
_FINE = 4  # places a cell is averaged over


def border(mask: Floats, landmarks: Floats, cut: Cut) -> Floats:
    """The border of ``mask`` (``[H, W]``, any scale) in the cells of a crop, ``[14, 14]``, 0 to 1.

    ``landmarks`` are those of the picture that the mask lies on, ``cut`` the one that its crop is
    cut by.
    """
    share = mask / max(float(mask.max()), 1e-3)
    edge = as_image(255 * 4 * share * (1 - share))
    crop = cut.apply(as_image(cv2.cvtColor(edge, cv2.COLOR_GRAY2RGB)), landmarks, CELLS * _FINE)
    cells = cv2.resize(crop[:, :, 0], (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return as_floats(np.clip(cells.astype(np.float32) / 255 * 2, 0, 1))


def nowhere() -> Floats:
    """What ``border`` is for a real face."""
    return np.zeros((CELLS, CELLS), np.float32)


def unknown() -> Floats:
    """What ``border`` is for a fake that somebody else made: nobody says where."""
    return np.full((CELLS, CELLS), UNKNOWN, np.float32)
