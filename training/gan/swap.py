"""One frame with one face swapped: align, draw, match colours, blend by the mask, put back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from stream_server.vision.crop import align_crop, alignment
from stream_server.vision.types import Floats, Image
from training.arrays import as_floats, as_image
from training.gan.faces import MARGIN
from training.gan.grid import to_picture
from training.gan.nets import Swapper

_LEAST_STD = 2.0  # grey levels; a flat face must not be stretched without end


@dataclass(frozen=True)
class Paste:
    """How the drawn face is laid into the frame.

    ``feather`` is the blur of the mask and ``border`` the strip along the picture's edge where the
    mask falls to nothing, both in fractions of the picture. Raising either hides the seam and
    leaves more of the person who was there.
    """

    feather: float = 0.03
    border: float = 0.06


def swap_face(
    maker: Swapper, image: Image, landmarks: Floats, person: str, tone: Tone, paste: Paste
) -> tuple[Image, Floats]:
    """``image`` (RGB) with the face at ``landmarks`` (float32 ``[5, 2]``) drawn as ``person``.

    ``tone`` is of the faces that ``person``'s decoder was trained on. Returns the frame and the
    mask (0 to 1, float32 ``[H, W]``) of what was replaced.
    """
    size = maker.shape.size
    to_picture_space = alignment(landmarks, size, MARGIN)
    there = align_crop(image, landmarks, size, MARGIN)
    # In the other person's colours first: the encoder knows each person in their own light alone.
    given = recoloured(there, Tone.of(there), tone)
    device = next(maker.parameters()).device
    tensor = torch.from_numpy(given).permute(2, 0, 1)[None].float().to(device) / 127.5 - 1
    with torch.no_grad():
        made, soft = maker(tensor, person)
    drawn = to_picture(made[0])
    mask = finished_mask(as_floats(soft[0, 0].float().cpu().numpy()), paste)
    drawn = recoloured(drawn, Tone.of(drawn, mask), Tone.of(there, mask))
    height, width = image.shape[:2]
    back = cv2.invertAffineTransform(to_picture_space)
    large = cv2.warpAffine(
        drawn, back, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    weight = as_floats(cv2.warpAffine(mask, back, (width, height), flags=cv2.INTER_LINEAR))
    mixed = image + weight[:, :, None] * (large.astype(np.float32) - image)
    return as_image(np.clip(mixed + 0.5, 0, 255)), weight


def finished_mask(mask: Floats, paste: Paste) -> Floats:
    """The decoder's mask, softened, and 0 at the picture's edge."""
    size = len(mask)
    soft = as_floats(cv2.GaussianBlur(mask, (0, 0), max(paste.feather * size, 0.3)))
    distance = np.minimum(np.arange(size), np.arange(size)[::-1]).astype(np.float32)
    ramp = np.clip(distance / max(paste.border * size, 1), 0, 1)
    return as_floats(soft * np.minimum(ramp[:, None], ramp[None, :]))


@dataclass(frozen=True)
class Tone:
    """Mean and standard deviation of each channel of Lab (8 bit)."""

    mean: Floats
    std: Floats

    @classmethod
    def of(cls, image: Image, mask: Floats | None = None) -> Tone:
        """The tone of ``image`` (RGB) inside ``mask`` (0 to 1); of its inner half without one."""
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
        if mask is None or float(mask.sum()) < 1:
            height, width = image.shape[:2]
            mask = np.zeros((height, width), np.float32)
            mask[height // 4 : height - height // 4, width // 4 : width - width // 4] = 1
        weight = (mask / mask.sum())[:, :, None]
        mean = (lab * weight).sum(axis=(0, 1))
        spread = np.sqrt((((lab - mean) ** 2) * weight).sum(axis=(0, 1)))
        return cls(as_floats(mean), as_floats(spread))

    @classmethod
    def of_all(cls, pictures: Image) -> Tone:
        """The mean tone of many pictures uint8 ``[N, H, W, 3]``."""
        tones = [cls.of(picture) for picture in pictures]
        return cls(
            as_floats(np.mean([tone.mean for tone in tones], axis=0)),
            as_floats(np.mean([tone.std for tone in tones], axis=0)),
        )


def recoloured(image: Image, now: Tone, wanted: Tone) -> Image:
    """``image`` (RGB) carried from one tone to another (Reinhard et al., CG&A 2001)."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    gain = np.clip(wanted.std / np.maximum(now.std, _LEAST_STD), 0.5, 2.0)
    moved = (lab - now.mean) * gain + wanted.mean
    return as_image(cv2.cvtColor(as_image(np.clip(moved + 0.5, 0, 255)), cv2.COLOR_LAB2RGB))
