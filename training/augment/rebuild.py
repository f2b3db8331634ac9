"""Faces as a generator's decoder leaves them: real ones sent through small autoencoders.

Two ways: the whole picture, as with heads that are generated as a whole, and the face alone inside
a blend's mask, as lip-sync nets and face swaps paste it. Now and then the face is bent a little
first, as nets that move a still picture bend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from stream_server.vision.types import Floats, Image
from training.arrays import as_floats, as_image
from training.augment.filters import sharpened
from training.augment.self_blend import Blend
from training.models.autoencoder import Autoencoder, load_autoencoder

_MULTIPLE = 8
_SIDES = (112, 288)  # of the picture that goes through, in pixels
_CODED_SIDE = 176  # the least of them where a net keeps an eighth of the side: less is a smear
_BENT, _SHARPENED, _TWICE, _SOFT = 0.4, 0.5, 0.15, 0.6
_GRID = 5


@dataclass(frozen=True)
class Rebuild:
    """Draws one of ``nets`` for each picture. ``whole`` is the share of pictures done wholly."""

    nets: Sequence[Autoencoder]
    whole: float = 0.5

    @classmethod
    def load(cls, folder: Path) -> Rebuild:
        """With every autoencoder in ``folder``. Raises ``FileNotFoundError`` where it has none."""
        files = sorted(folder.glob("*.pt"))
        if not files:
            raise FileNotFoundError(f"{folder} holds no *.pt; run the autoencoders step first")
        return cls([load_autoencoder(path) for path in files])

    def apply(
        self, image: Image, landmarks: Floats, rng: np.random.Generator
    ) -> tuple[Image, Image, Floats | None]:
        """A real picture, it made anew, and the mask of what was: float32 ``[H, W]``, None for all.

        The real one is ``image``, or ``image`` as small as what went through and enlarged again:
        or the size of the picture would tell, where the decoder should.
        """
        net = self.nets[int(rng.integers(len(self.nets)))]
        height, width = image.shape[:2]
        least = _CODED_SIDE if net.kind.halvings > 2 else _SIDES[0]
        factor = float(np.exp(rng.uniform(*np.log((least, _SIDES[1]))))) / max(height, width)
        small = (_whole(width * min(factor, 1.5)), _whole(height * min(factor, 1.5)))
        back = (width, height), int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA]))
        bent = _bent(image, landmarks, rng) if rng.random() < _BENT else image
        made = _through(net, _resized(bent, small, cv2.INTER_AREA))
        if rng.random() < _TWICE:
            made = _through(net, made)
        made = _coloured(_resized(made, *back), image)
        if rng.random() < _SHARPENED:  # or the loss of the finest detail alone would tell
            made = sharpened(made, float(rng.uniform(0.2, 1.2)))
        if rng.random() < self.whole:
            soft = rng.random() < _SOFT
            real = _resized(_resized(image, small, cv2.INTER_AREA), *back) if soft else image
            return real, made, None
        mask = Blend.random(rng).mask_on(image, landmarks, rng)
        weight = (mask / max(float(mask.max()), 1e-3))[:, :, None]
        mixed = image + weight * (made.astype(np.float32) - image)
        return image, as_image(np.clip(mixed + 0.5, 0, 255)), mask


def _whole(side: float) -> int:
    return max(round(side / _MULTIPLE), 2) * _MULTIPLE


def _resized(image: Image, size: tuple[int, int], interpolation: int) -> Image:
    return as_image(cv2.resize(image, size, interpolation=interpolation))


def _through(net: Autoencoder, image: Image) -> Image:
    given = torch.from_numpy(image[None]).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        out = net(given.contiguous(memory_format=torch.channels_last)).float()
    made = ((out[0].permute(1, 2, 0) + 1) * 127.5 + 0.5).clamp(0, 255)
    return as_image(made.numpy().astype(np.uint8))


def _coloured(made: Image, like: Image) -> Image:
    """``made`` with the colours' means and spreads of ``like``: a small net's own would tell."""
    mean, spread = cv2.meanStdDev(made)
    wanted, wide = cv2.meanStdDev(like)
    gain = (wide + 1) / (spread + 1)
    values = (made.astype(np.float32) - mean.T) * gain.T + wanted.T
    return as_image(np.clip(values + 0.5, 0, 255))


def _bent(image: Image, landmarks: Floats, rng: np.random.Generator) -> Image:
    """``image`` moved smoothly by up to a twentieth of the face, least at its rim."""
    height, width = image.shape[:2]
    face = float(np.abs(landmarks - landmarks.mean(axis=0)).max()) * 2.5
    moves = rng.normal(0, 0.02, (_GRID, _GRID, 2)).clip(-0.05, 0.05) * face
    moves[[0, -1]] = 0
    moves[:, [0, -1]] = 0
    field = cv2.resize(moves.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    across, along = np.meshgrid(np.arange(width), np.arange(height))
    to_x, to_y = (
        as_floats((grid + field[..., axis]).astype(np.float32))
        for axis, grid in enumerate((across, along))
    )
    rim = cv2.BORDER_REFLECT_101
    return as_image(cv2.remap(image, to_x, to_y, cv2.INTER_CUBIC, borderMode=rim))
