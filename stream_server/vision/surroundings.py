"""Whether there may be a face that nobody follows yet: did anything around those that are followed
change since the picture was searched?"""

from __future__ import annotations

import cv2
import numpy as np

from stream_server.vision.shrink import every_third
from stream_server.vision.types import Floats, Image

_SIZE = (48, 27)  # cells: the smallest face that is looked for covers nine and more
_CHANGED = 18.0  # of 255, in any colour, from which a cell has changed; noise averages out in one
_LEAST = 3  # cells
_RIM = 0.5  # of a face's longer side: hair, neck and shoulders move with it


class Surroundings:
    """What a picture showed when it was searched for faces."""

    def __init__(self) -> None:
        self._seen: Image | None = None

    def searched(self, image: Image) -> None:
        """Note that ``image``, uint8 ``[H, W, 3]``, is being searched."""
        self._seen = _small(image)

    def changed(self, image: Image, faces: Floats) -> bool:
        """Whether ``image`` differs from what was searched beyond ``faces``, float32 ``[n, 4]`` in
        its pixels. True where nothing was searched yet."""
        if self._seen is None:
            return True
        difference = cv2.absdiff(_small(image), self._seen).max(axis=2)
        across, down = _SIZE[0] / image.shape[1], _SIZE[1] / image.shape[0]
        for face in faces:
            rim = _RIM * float((face[2:] - face[:2]).max())
            left, top = ((face[:2] - rim) * (across, down)).clip(0).astype(int)
            right, bottom = np.ceil((face[2:] + rim) * (across, down)).clip(0).astype(int)
            difference[top:bottom, left:right] = 0
        return int((difference > _CHANGED).sum()) >= _LEAST


def _small(image: Image) -> Image:
    # Every third pixel tells as much about a cell, at a ninth of the cost.
    return np.asarray(cv2.resize(every_third(image), _SIZE, interpolation=cv2.INTER_AREA), np.uint8)
