"""The crop, cut a little differently each time: shift, scale, turn, mirror image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_server.vision.crop import CROP_SIZE, MARGIN, align_crop, alignment, to_crop
from stream_server.vision.types import Floats, Image
from training.arrays import as_floats

_MIRRORED = [1, 0, 2, 4, 3]  # the five landmarks' order in a mirrored picture


@dataclass(frozen=True)
class Cut:
    """How one crop departs from the serving one; one ``Cut`` serves a whole clip or pair.

    ``shift`` is in fractions of the face, ``turn`` in radians.
    """

    margin: float = MARGIN
    shift: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    mirror: bool = False

    @classmethod
    def random(cls, rng: np.random.Generator) -> Cut:
        """Raising these ranges makes the net bear a worse detector, and blurs what it learns."""
        return cls(
            margin=MARGIN * float(np.exp(rng.uniform(-0.13, 0.16))),
            shift=(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03))),
            turn=float(rng.normal(0, 0.06)),
            mirror=bool(rng.random() < 0.5),
        )

    def apply(self, image: Image, landmarks: Floats, size: int = CROP_SIZE) -> Image:
        """``align_crop`` of ``image`` with its landmarks moved as this cut says."""
        crop = align_crop(image, self.moved(landmarks), size, self.margin)
        return np.ascontiguousarray(crop[:, ::-1]) if self.mirror else crop

    def points(self, landmarks: Floats) -> Floats:
        """Where ``landmarks`` lie in the crop that ``apply`` cuts, float32 ``[10]``, in pixels."""
        placed = to_crop(landmarks, alignment(self.moved(landmarks), CROP_SIZE, self.margin))
        if self.mirror:
            placed = placed[_MIRRORED] * np.array([-1, 1], np.float32)
            placed = placed + np.array([CROP_SIZE - 1, 0], np.float32)
        return placed.reshape(-1).astype(np.float32)

    def moved(self, landmarks: Floats) -> Floats:
        """``landmarks`` shifted and turned as this cut says, in pixels of the same picture."""
        centre = landmarks.mean(axis=0)
        reach = float(np.abs(landmarks - centre).max()) * 2
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        turned = (landmarks - centre) @ np.array([[cos, sin], [-sin, cos]])
        return as_floats(turned + centre + np.array(self.shift) * reach)
