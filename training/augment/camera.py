"""What differs from camera to camera and from room to room, and is no evidence of anything.

Real faces stand in coloured light, come through analogue colour, edge enhancement, noise
suppression and interlacing. A net that has seen few such sources may take the look of one for
the trace of a fake. Applied alike to real and fake faces, before delivery; none of it has an
edge that follows the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stream_server.vision.types import Floats, Image
from training.arrays import as_floats, as_image
from training.augment.filters import saturated, sharpened


@dataclass(frozen=True)
class Camera:
    """One camera in one light; fixed for a pair or a clip.

    ``light`` is a grid ``[n, n, 3]`` of gains, stretched over the picture; ``saturation`` and
    ``contrast`` are factors. ``sharpen`` is the strength of an edge enhancement of ``radius``
    pixels. ``bleed`` is the blur of the colours along the line, ``slip`` their shift, in pixels.
    ``suppress`` chooses the noise suppression: 0 for none. ``interlaced`` keeps one line of two.
    """

    light: Floats | None = None
    saturation: float = 1.0
    contrast: float = 1.0
    sharpen: float = 0.0
    radius: float = 1.0
    bleed: float = 0.0
    slip: int = 0
    suppress: int = 0
    interlaced: bool = False

    @classmethod
    def random(cls, rng: np.random.Generator, strength: float = 1.0) -> Camera:
        """Raising ``strength`` (0 to 1) makes each peculiarity more frequent."""

        def hit(chance: float) -> bool:
            return bool(rng.random() < chance * strength)

        analogue = hit(0.15)
        return cls(
            light=_light(rng) if hit(0.5) else None,
            saturation=float(rng.uniform(0.4, 1.7)) if hit(0.35) else 1.0,
            contrast=float(rng.uniform(0.65, 1.4)) if hit(0.3) else 1.0,
            sharpen=float(rng.uniform(0.3, 2.0)) if analogue or hit(0.2) else 0.0,
            radius=float(rng.uniform(0.8, 2.5)),
            bleed=float(rng.uniform(1.0, 5.0)) if analogue else 0.0,
            slip=int(rng.integers(-3, 4)) if analogue else 0,
            suppress=int(rng.integers(1, 4)) if hit(0.15) else 0,
            interlaced=hit(0.06),
        )

    def apply(self, image: Image) -> Image:
        """``image``, uint8 ``[H, W, 3]``, as this camera would have given it."""
        if self.suppress:
            image = _suppressed(image, self.suppress)
        if self.light is not None:
            image = _lit(image, self.light)
        if self.saturation != 1:
            image = saturated(image, self.saturation)
        if self.contrast != 1:
            level = 128 * (1 - self.contrast)
            image = as_image(cv2.addWeighted(image, self.contrast, image, 0, level))
        if self.bleed or self.slip:
            image = self._bled(image)
        if self.interlaced:
            height, width = image.shape[:2]
            field = as_image(image[::2])
            image = as_image(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR))
        if self.sharpen:
            image = sharpened(image, self.sharpen, self.radius)
        return image

    def _bled(self, image: Image) -> Image:
        luma, *chroma = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
        move = np.array([[1, 0, self.slip], [0, 1, 0]], np.float32)
        moved = [
            cv2.warpAffine(cv2.GaussianBlur(plane, (0, 0), sigmaX=max(self.bleed, 0.1), sigmaY=0.5),
                           move, plane.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
            for plane in chroma
        ]  # fmt: skip
        return as_image(cv2.cvtColor(cv2.merge([luma, *moved]), cv2.COLOR_YCrCb2RGB))


def _light(rng: np.random.Generator) -> Floats:
    """Gains around 1, coarse enough that nothing of the face's outline is in them."""
    cells = int(rng.integers(2, 4))
    bright = rng.normal(0, rng.uniform(0.05, 0.25), (cells, cells, 1))
    colour = rng.normal(0, rng.uniform(0.02, 0.15), (cells, cells, 3))
    return as_floats(np.exp(np.clip(bright + colour, -0.8, 0.6)).astype(np.float32))


def _lit(image: Image, light: Floats) -> Image:
    height, width = image.shape[:2]
    field = cv2.resize(light, (width, height), interpolation=cv2.INTER_CUBIC)
    return as_image(cv2.multiply(image, field, dtype=cv2.CV_8U))


def _suppressed(image: Image, how: int) -> Image:
    if how == 1:
        return as_image(cv2.medianBlur(image, 3))
    if how == 2:
        return as_image(cv2.bilateralFilter(image, 5, 25, 3))
    return as_image(cv2.bilateralFilter(image, 7, 45, 4))
