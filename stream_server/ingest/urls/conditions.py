"""States of a source that are no evidence: black, a frozen picture, silence."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stream_server.vision.types import Image

BLACK_AFTER = 1.5  # seconds
FROZEN_AFTER = 4.0
SILENT_AFTER = 10.0
_SMALL = (64, 36)  # cells that a picture is compared in: one is smaller than a mouth that matters
_DARK = (20, 40)  # levels of 255 that the mean and the brightest cell of a black picture stay under
_STILL = 4  # levels that no cell of a frozen picture moves by; encoding it anew moves it by less
_SILENCE = 1e-3  # of full scale, effective: -60 dBFS
Small = NDArray[np.int16]


class PictureWatch:
    """Whether the picture is black or has not changed for a while. Times are media times."""

    def __init__(self) -> None:
        self._still: tuple[Small, float] | None = None
        self._black_since: float | None = None

    def saw(self, image: Image, time: float) -> str | None:
        """What is wrong after ``image``, uint8 ``[H, W, 3]``: ``black``, ``frozen`` or nothing."""
        small = _shrunk(image)
        if small.mean() < _DARK[0] and small.max() < _DARK[1]:
            self._black_since = time if self._black_since is None else self._black_since
        else:
            self._black_since = None
        if self._still is None or np.abs(small - self._still[0]).max() >= _STILL:
            self._still = (small, time)
        if self._black_since is not None and time - self._black_since >= BLACK_AFTER:
            return "black"
        return "frozen" if time - self._still[1] >= FROZEN_AFTER else None


class SoundWatch:
    """Whether there was nothing to hear for a while."""

    def __init__(self) -> None:
        self._heard = -math.inf

    def heard(self, frame: Any, time: float) -> None:
        """Take in a decoded frame of sound at media ``time``."""
        samples = np.asarray(frame.to_ndarray())
        scale = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
        loud = samples.size and float(np.sqrt(np.mean(np.square(samples / scale)))) >= _SILENCE
        if loud or self._heard == -math.inf:
            self._heard = time

    def silent(self, time: float) -> bool:
        """Whether it has been silent long enough; never where there is no sound at all."""
        return self._heard > -math.inf and time - self._heard >= SILENT_AFTER


REASONS = {
    "black": f"the picture has been black for {BLACK_AFTER:g} s",
    "frozen": f"the picture has not changed for {FROZEN_AFTER:g} s",
    "silent": f"there has been no sound for {SILENT_AFTER:g} s",
}


def _shrunk(image: Image) -> Small:
    small = cv2.resize(image, _SMALL, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.int16)
