"""Self-blended images: fakes made from one real face, which no maker's fingerprint gives away.

Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022: two slightly
different versions of one picture are blended inside a mask of the face, so that what is left to
find is what every blend leaves: a border, and statistics that differ on its two sides. Added to
the paper: masks of parts of the face (mouth or eyes alone, as reenactment leaves them), an inner
version that went through a smaller resolution or a smoothing filter as a generator's output
does, and now and then another person's face, as in Li et al., "Face X-ray", CVPR 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from stream_server.vision.crop import CROP_SIZE, MARGIN, alignment
from stream_server.vision.types import Floats, Image
from training.arrays import as_floats, as_image
from training.augment.filters import saturated, sharpened

_MASK = 96  # masks are drawn small and enlarged: they are smooth anyway

# Outlines in the face square (0 to 1 in both directions), clockwise.
_OUTLINES: dict[str, list[tuple[float, float]]] = {
    "face": [(0.5, 0.08), (0.78, 0.15), (0.93, 0.38), (0.9, 0.65), (0.75, 0.9), (0.5, 1.0),
             (0.25, 0.9), (0.1, 0.65), (0.07, 0.38), (0.22, 0.15)],
    "inner": [(0.5, 0.2), (0.8, 0.22), (0.85, 0.42), (0.78, 0.7), (0.65, 0.9), (0.5, 0.94),
              (0.35, 0.9), (0.22, 0.7), (0.15, 0.42), (0.2, 0.22)],
    "lower": [(0.2, 0.48), (0.5, 0.4), (0.8, 0.48), (0.86, 0.68), (0.72, 0.92), (0.5, 1.0),
              (0.28, 0.92), (0.14, 0.68)],
    "mouth": [(0.26, 0.72), (0.38, 0.62), (0.62, 0.62), (0.74, 0.72), (0.66, 0.88), (0.5, 0.93),
              (0.34, 0.88)],
    "eyes": [(0.12, 0.28), (0.3, 0.2), (0.7, 0.2), (0.88, 0.28), (0.84, 0.44), (0.5, 0.52),
             (0.16, 0.44)],
    "square": [(0.12, 0.14), (0.88, 0.14), (0.88, 0.96), (0.12, 0.96)],
}  # fmt: skip
_PARTS = ("face", "inner", "lower", "mouth", "eyes", "square")
_SHARES = (0.36, 0.28, 0.13, 0.09, 0.05, 0.09)


@dataclass(frozen=True)
class Blend:
    """One way of blending; the same ``Blend`` over a clip gives a clip-level fake.

    ``outline`` is the mask's polygon in the face square. ``soft`` and ``feather`` are the mask's
    blur, in fractions of the face; ``ratio`` its strength. ``change`` are the parameters of the
    colour and frequency change, which falls on the blended-in version when ``inside``.
    """

    outline: Floats
    soft: float
    feather: float
    ratio: float
    inside: bool
    change: Change
    resolution: float
    smooth: int
    zoom: float
    shift: tuple[float, float]
    jitter: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Blend:
        """A blend of any part of the face, as often mild as strong."""
        part = _PARTS[int(rng.choice(len(_PARTS), p=_SHARES))]
        outline = np.array(_OUTLINES[part], np.float32)
        centre = outline.mean(axis=0)
        outline = (outline - centre) * rng.uniform(0.86, 1.12, 2) + centre
        outline = outline + rng.normal(0, 0.022, outline.shape) + rng.normal(0, 0.015, 2)
        return cls(
            outline=outline.astype(np.float32),
            soft=float(rng.uniform(0.01, 0.07)),
            feather=float(rng.uniform(0.0, 0.05)),
            ratio=float(rng.choice([0.4, 0.6, 0.8, 1.0, 1.0, 1.0])),
            inside=bool(rng.random() < 0.6),
            change=Change.random(rng),
            resolution=float(np.exp(rng.uniform(np.log(0.3), 0))) if rng.random() < 0.45 else 1.0,
            smooth=int(rng.integers(1, 4)) if rng.random() < 0.2 else 0,
            zoom=float(rng.uniform(0.96, 1.04)),
            shift=(float(rng.uniform(-0.025, 0.025)), float(rng.uniform(-0.02, 0.02))),
        )

    @classmethod
    def lips(cls, rng: np.random.Generator) -> Blend:
        """As lip-sync nets leave a face: its lower part anew, from 96 to 256 pixels a face."""
        other = cls.random(rng)
        outline = np.array(_OUTLINES["lower" if rng.random() < 0.6 else "mouth"], np.float32)
        centre = outline.mean(axis=0)
        outline = (outline - centre) * rng.uniform(0.9, 1.15, 2) + centre
        outline = outline + rng.normal(0, 0.02, outline.shape)
        return replace(
            other,
            outline=as_floats(outline.astype(np.float32)),
            soft=float(rng.uniform(0.03, 0.1)),
            ratio=1.0,
            inside=True,
            change=replace(other.change, sharpen=0.0, scale=1.0),
            resolution=float(rng.uniform(0.3, 0.75)),
            smooth=int(rng.integers(1, 4)) if rng.random() < 0.4 else 0,
        )

    def apply(
        self,
        image: Image,
        landmarks: Floats,
        rng: np.random.Generator,
        donor: tuple[Image, Floats] | None = None,
    ) -> Image:
        """``image`` with its face blended over; ``donor`` gives another face to put there.

        ``rng`` drives the jitter from frame to frame alone.
        """
        return self.blended(image, landmarks, rng, donor)[0]

    def blended(
        self,
        image: Image,
        landmarks: Floats,
        rng: np.random.Generator,
        donor: tuple[Image, Floats] | None = None,
    ) -> tuple[Image, Floats]:
        """What ``apply`` gives, and its mask: float32 ``[H, W]``, 0 outside to ``ratio``."""
        height, width = image.shape[:2]
        mask = self.mask_on(image, landmarks, rng)
        inner, outer = (image if donor is None else _placed(donor, image, landmarks)), image
        if self.inside:
            inner = self.change.apply(inner)
        else:
            outer = self.change.apply(outer)
        inner = _softened(inner, self.resolution, self.smooth)
        move = self._move(landmarks, rng)
        inner = as_image(cv2.warpAffine(inner, move, (width, height),
                                      borderMode=cv2.BORDER_REFLECT_101))  # fmt: skip
        mask = as_floats(cv2.warpAffine(mask, move, (width, height)))
        weight = mask[:, :, None]
        mixed = outer + weight * (inner.astype(np.float32) - outer)
        return as_image(np.clip(mixed + 0.5, 0, 255)), mask

    def mask_on(self, image: Image, landmarks: Floats, rng: np.random.Generator) -> Floats:
        """The mask over the face of ``image``: float32 ``[H, W]``, 0 outside to ``ratio``."""
        height, width = image.shape[:2]
        from_crop = cv2.invertAffineTransform(alignment(landmarks, _MASK, MARGIN))
        return as_floats(cv2.warpAffine(self._mask(rng), from_crop, (width, height)))

    def _mask(self, rng: np.random.Generator) -> Floats:
        outline = self.outline
        if self.jitter:
            outline = as_floats(outline + rng.normal(0, self.jitter, outline.shape))
        # The face square takes the middle 1 / MARGIN of the crop.
        points = ((outline - 0.5) / MARGIN + 0.5) * _MASK
        mask = np.zeros((_MASK, _MASK), np.float32)
        cv2.fillPoly(mask, [_rounded(points.astype(np.float32))], 1.0)
        mask = as_floats(cv2.GaussianBlur(mask, (0, 0), max(self.soft * _MASK, 0.5)))
        if self.feather:
            # Cutting the blurred mask before a second blur moves the border, as in the paper.
            mask = np.where(mask > 0.5, mask, 0.0).astype(np.float32)
            mask = as_floats(cv2.GaussianBlur(mask, (0, 0), max(self.feather * _MASK, 0.5)))
        return (mask * (self.ratio / max(float(mask.max()), 1e-3))).astype(np.float32)

    def _move(self, landmarks: Floats, rng: np.random.Generator) -> Floats:
        face = float(np.abs(landmarks - landmarks.mean(axis=0)).max()) * 2.5
        zoom, shift = self.zoom, np.array(self.shift) * face
        if self.jitter:
            zoom += float(rng.normal(0, self.jitter / 4))
            shift = shift + rng.normal(0, self.jitter / 4 * face, 2)
        centre = landmarks.mean(axis=0)
        move = np.array([[zoom, 0, 0], [0, zoom, 0]], np.float32)
        move[:, 2] = centre * (1 - zoom) + shift
        return move


@dataclass(frozen=True)
class Change:
    """A change of colour and sharpness, mild enough to pass for another recording."""

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gain: float = 1.0
    gamma: float = 1.0
    saturation: float = 1.0
    sharpen: float = 0.0
    scale: float = 1.0
    noise: float = field(default=0.0)

    @classmethod
    def random(cls, rng: np.random.Generator) -> Change:
        """A mild change; each part of it is as often left out."""

        def maybe(chance: float, low: float, high: float, otherwise: float) -> float:
            return float(rng.uniform(low, high)) if rng.random() < chance else otherwise

        red, green, blue = (float(value) for value in rng.uniform(-18, 18, 3))
        return cls(
            shift=(red, green, blue) if rng.random() < 0.4 else (0.0, 0.0, 0.0),
            gain=maybe(0.5, 0.86, 1.14, 1.0),
            gamma=maybe(0.4, 0.8, 1.25, 1.0),
            saturation=maybe(0.4, 0.7, 1.3, 1.0),
            sharpen=maybe(0.25, 0.2, 1.0, 0.0),
            scale=maybe(0.35, 0.35, 0.9, 1.0),
        )

    def apply(self, image: Image) -> Image:
        """``image``, uint8 ``[H, W, 3]``, with this change."""
        table = np.arange(256, dtype=np.float32) / 255
        table = 255 * np.clip(table, 0, 1) ** self.gamma * self.gain
        tables = np.stack([table + value for value in self.shift], axis=1)
        lut = as_image(np.clip(tables, 0, 255))[None]
        result = as_image(cv2.LUT(image, lut))
        if self.saturation != 1:
            result = saturated(result, self.saturation)
        if self.scale != 1:
            result = _softened(result, self.scale, 0)
        elif self.sharpen:
            result = sharpened(result, self.sharpen)
        return result


def _rounded(points: Floats) -> NDArray[np.int32]:
    """A closed curve through the middle of each edge (Chaikin's corner cutting, twice)."""
    for _ in range(2):
        following = np.roll(points, -1, axis=0)
        pairs = np.stack((0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following), 1)
        points = pairs.reshape(-1, 2).astype(np.float32)
    return points.round().astype(np.int32)


def _softened(image: Image, resolution: float, smooth: int) -> Image:
    height, width = image.shape[:2]
    if resolution < 1:
        small = (max(round(width * resolution), 8), max(round(height * resolution), 8))
        shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        image = as_image(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR))
    if smooth == 1:
        return as_image(cv2.medianBlur(image, 3))
    if smooth == 2:
        return as_image(cv2.GaussianBlur(image, (0, 0), 0.8))
    if smooth == 3:
        return as_image(cv2.bilateralFilter(image, 5, 20, 3))
    return image


def _placed(donor: tuple[Image, Floats], image: Image, landmarks: Floats) -> Image:
    """The donor's picture laid over ``image`` landmark on landmark, in ``image``'s colours."""
    face, points = donor
    there = np.vstack((alignment(landmarks, CROP_SIZE, MARGIN), [0, 0, 1]))
    here = np.vstack((alignment(points, CROP_SIZE, MARGIN), [0, 0, 1]))
    move = (np.linalg.inv(there) @ here)[:2].astype(np.float32)
    height, width = image.shape[:2]
    placed = cv2.warpAffine(face, move, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    box = np.concatenate((landmarks.min(axis=0), landmarks.max(axis=0)))
    left, top, right, bottom = box.astype(int).clip(0, [width - 2, height - 2, width, height])
    inside = slice(top, max(bottom, top + 2)), slice(left, max(right, left + 2))
    for_colour = placed[inside].reshape(-1, 3).astype(np.float32)
    wanted = image[inside].reshape(-1, 3).astype(np.float32)
    gain = (wanted.std(axis=0) + 4) / (for_colour.std(axis=0) + 4)
    offset = wanted.mean(axis=0) - gain * for_colour.mean(axis=0)
    return as_image(np.clip(placed * gain + offset, 0, 255))
