"""Whether the face in a track is still the same one, by its looks.

A cut between two alike shots, or two people crossing, can put another face where the last one
was. Aligned faces of one person a moment apart agree almost pixel by pixel; those of two people
do not.
"""

from __future__ import annotations

import numpy as np

from stream_server.vision.crop import align_crop
from stream_server.vision.types import Floats, Image

_SIZE = 32
_MARGIN = 0.9
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def signature(image: Image, landmarks: Floats) -> Floats:
    """A small aligned picture of the face with its brightness and contrast taken out.

    float32 ``[2 * 32 * 32]`` of unit length: luma, and redness (a cue that light changes less).
    """
    face = align_crop(image, landmarks, _SIZE, _MARGIN, quick=True).astype(np.float32)
    luma = face @ _LUMA
    redness = face[..., 0] - face[..., 1]
    parts = []
    for part, weight in ((luma, 1.0), (redness, 0.3)):
        part = part - part.mean()
        parts.append((weight * part / (np.linalg.norm(part) + 1e-6)).ravel())
    whole = np.concatenate(parts)
    return np.asarray(whole / np.linalg.norm(whole), np.float32)


def likeness(first: Floats, second: Floats) -> float:
    """How alike two signatures are: 1 the same picture, about 0 nothing in common."""
    return float(first @ second)
