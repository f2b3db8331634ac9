"""HDR pictures to what an ordinary screen shows.

PQ is SMPTE ST 2084, HLG is ITU-R BT.2100; the models know neither. Up to half of paper white, where
faces are, light stays as it is; what is brighter is rolled off. Colours are carried from BT.2020 to
BT.709 by ITU-R BT.2407's matrix.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream_server.vision.types import Floats, Image

PQ, HLG = 16, 18  # AVColorTransferCharacteristic
_LEVELS = 4096
_KNEE = np.float32(0.5)
_WHITE = 203.0  # nits of a white sheet of paper in HDR (ITU-R BT.2408)
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)


def to_sdr(deep: NDArray[np.uint16], transfer: int) -> Image:
    """uint16 ``[H, W, 3]`` in BT.2020 with ``transfer`` PQ or HLG, to uint8 ``[H, W, 3]``."""
    light = _linear(transfer)[deep >> 4]
    light = np.asarray(cv2.transform(light, _TO_709), np.float32).clip(0, None)
    return _gamma()[(_shoulder(light) * (_LEVELS - 1)).astype(np.uint16)]


@lru_cache(maxsize=2)
def _linear(transfer: int) -> Floats:
    """Light per code value, with paper white at 1."""
    signal = np.linspace(0, 1, _LEVELS)
    if transfer == PQ:
        power = signal ** (1 / 78.84375)
        nits = 10000 * ((power - 0.8359375).clip(0) / (18.8515625 - 18.6875 * power)) ** (
            1 / 0.1593017578125
        )
    else:
        scene = np.where(
            signal <= 0.5,
            signal**2 / 3,
            (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12,
        )
        nits = 1000 * scene**1.2
    return (nits / _WHITE).astype(np.float32)


def _shoulder(light: Floats) -> Floats:
    over = (light - _KNEE) / (1 - _KNEE)
    rolled = _KNEE + (1 - _KNEE) * (1 - np.exp(-over.clip(0)))
    return np.where(light <= _KNEE, light, rolled).astype(np.float32)


@lru_cache(maxsize=1)
def _gamma() -> Image:
    light = np.linspace(0, 1, _LEVELS)
    return np.asarray(np.round(255 * light ** (1 / 2.4)), np.uint8)
