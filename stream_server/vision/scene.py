"""Scene cuts: did the picture change so much between two frames that another shot began?"""

from __future__ import annotations

import cv2
import numpy as np

from stream_server.vision.shrink import every_third
from stream_server.vision.types import Image

_SIZE = (48, 27)
_BINS = 8

Measured = tuple[np.ndarray, np.ndarray]
"""A small picture, uint8 ``[27, 48, 3]``, and the histogram of its colours."""


class CutDetector:
    """Compares each frame with the one before it, in time and colour.

    A cut is a change of the mean pixel above ``hard`` (of 255), or one above ``soft`` together
    with colours that moved: histograms that share less than ``overlap``. Raising ``hard`` and
    ``soft`` misses cuts between alike shots; lowering them takes fast pans for cuts.
    """

    def __init__(self, hard: float = 45.0, soft: float = 18.0, overlap: float = 0.65) -> None:
        self.hard, self.soft, self.overlap = hard, soft, overlap
        self._last: Measured | None = None

    def reset(self) -> None:
        """Forget the last frame: the next one starts a shot without being a cut."""
        self._last = None

    def take(self, now: Measured) -> None:
        """Compare with ``now`` from here on."""
        self._last = now

    def differs(self, now: Measured) -> bool:
        """Whether ``now`` begins another shot than what was taken last."""
        last = self._last
        if last is None:
            return False
        change = cv2.norm(now[0], last[0], cv2.NORM_L1) / now[0].size
        if change > self.hard:
            return True
        return change > self.soft and float(np.minimum(now[1], last[1]).sum()) < self.overlap


def measured(image: Image) -> Measured:
    """What is compared of ``image``, uint8 ``[H, W, 3]``."""
    # Every third pixel tells as much about a shot, at a ninth of the cost.
    small = cv2.resize(every_third(image), _SIZE, interpolation=cv2.INTER_AREA)
    histogram = cv2.calcHist([small], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3)
    return small, np.asarray(histogram / (small.shape[0] * small.shape[1]), np.float32)
