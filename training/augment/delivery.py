"""What happens to a picture between the camera and the detector.

Applied alike to real and fake faces, in the frame's own pixels before the crop is cut, so that
compression blocks and resampling have the size they have in a video.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stream_server.vision.types import Floats, Image
from training.arrays import as_image


@dataclass(frozen=True)
class Delivery:
    """One way of delivery; fixed for a pair or a clip, noise aside.

    ``face_px`` is the size that the face is rescaled to (0 leaves it). ``jpeg`` and ``vp8`` are
    qualities, 0 for none: WebP's lossy form is a VP8 key frame, as video calls send.
    """

    face_px: float = 0.0
    back_up: bool = False
    interpolation: int = cv2.INTER_AREA
    gain: float = 1.0
    gamma: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gray: bool = False
    blur: float = 0.0
    motion: int = 0
    motion_turn: float = 0.0
    noise: float = 0.0
    vp8: int = 0
    first_jpeg: int = 0
    jpeg: int = 0

    @classmethod
    def random(cls, rng: np.random.Generator, strength: float = 1.0) -> Delivery:
        """Raising ``strength`` (0 to 1) makes each harm more frequent."""

        def hit(chance: float) -> bool:
            return bool(rng.random() < chance * strength)

        dark = hit(0.12)
        return cls(
            face_px=float(np.exp(rng.uniform(np.log(60), np.log(220)))) if hit(0.5) else 0.0,
            back_up=hit(0.3),
            interpolation=int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC])),
            gain=float(rng.uniform(0.25, 0.6)) if dark else float(rng.uniform(0.8, 1.2)),
            gamma=float(np.exp(rng.uniform(-0.3, 0.3))) if hit(0.4) else 1.0,
            tint=_tint(rng) if hit(0.35) else (1.0, 1.0, 1.0),
            gray=hit(0.03),
            blur=float(rng.uniform(0.3, 1.6)) if hit(0.18) else 0.0,
            motion=int(rng.integers(3, 8)) if hit(0.06) else 0,
            motion_turn=float(rng.uniform(0, np.pi)),
            noise=float(rng.uniform(1, 9)) if dark or hit(0.15) else 0.0,
            vp8=int(rng.integers(25, 80)) if hit(0.35) else 0,
            first_jpeg=int(rng.integers(40, 95)) if hit(0.2) else 0,
            jpeg=int(rng.integers(35, 96)) if hit(0.75) else 0,
        )

    def apply(
        self, image: Image, landmarks: Floats, face_px: float, rng: np.random.Generator
    ) -> tuple[Image, Floats]:
        """The picture as it arrives, and where its landmarks lie then."""
        before = image.shape[:2]
        factor = self.face_px / face_px if self.face_px else 1.0
        if self.first_jpeg:
            image = jpeg(image, self.first_jpeg)
        if factor < 0.95:
            image = resized(image, factor, self.interpolation)
            if self.back_up:
                image = resized(image, min(1 / factor, 2.0), cv2.INTER_LINEAR)
        image = self._lit(image)
        if self.blur:
            image = as_image(cv2.GaussianBlur(image, (0, 0), self.blur))
        if self.motion:
            image = as_image(cv2.filter2D(image, -1, _streak(self.motion, self.motion_turn)))
        if self.noise:
            rough = rng.standard_normal(image.shape, dtype=np.float32) * self.noise
            image = as_image(np.clip(image + rough + 0.5, 0, 255))
        if self.vp8:
            image = _coded(image, ".webp", cv2.IMWRITE_WEBP_QUALITY, self.vp8)
        if self.jpeg:
            image = jpeg(image, self.jpeg)
        after = image.shape[:2]
        scale = np.array([after[1] / before[1], after[0] / before[0]], np.float32)
        return image, landmarks * scale

    def _lit(self, image: Image) -> Image:
        if self.gray:
            gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            image = as_image(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB))
        if self.gain == 1 and self.gamma == 1 and self.tint == (1.0, 1.0, 1.0):
            return image
        table = 255 * (np.arange(256, dtype=np.float32) / 255) ** self.gamma * self.gain
        tables = np.stack([table * value for value in self.tint], axis=1)
        return as_image(cv2.LUT(image, as_image(np.clip(tables, 0, 255))[None]))


TIERS: dict[str, Delivery] = {
    "clean": Delivery(),
    "web": Delivery(jpeg=80, vp8=60),
    "hard": Delivery(face_px=80, interpolation=cv2.INTER_LINEAR, vp8=30, jpeg=60),
}


def jpeg(image: Image, quality: int) -> Image:
    """``image`` through JPEG at ``quality``, 4:2:0 as browsers write it."""
    return _coded(image, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def resized(image: Image, factor: float, interpolation: int) -> Image:
    """``image`` with its sides times ``factor``, 8 pixels at least."""
    size = (max(round(image.shape[1] * factor), 8), max(round(image.shape[0] * factor), 8))
    return as_image(cv2.resize(image, size, interpolation=interpolation))


def _coded(image: Image, extension: str, flag: int, quality: int) -> Image:
    # The channel order does not matter to a codec that is given back what it wrote, save that
    # luma weighs the channels: swap them, so that green stays green.
    good, data = cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [flag, quality])
    if not good:
        raise ValueError(f"a picture of shape {image.shape} could not be written as {extension}")
    return as_image(cv2.cvtColor(as_image(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB))


def _tint(rng: np.random.Generator) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in rng.uniform(0.85, 1.15, 3))
    return red, green, blue


def _streak(length: int, turn: float) -> Floats:
    kernel = np.zeros((length, length), np.float32)
    middle = (length - 1) / 2
    along = np.linspace(-middle, middle, 4 * length)
    columns = np.round(middle + along * np.cos(turn)).astype(int)
    rows = np.round(middle + along * np.sin(turn)).astype(int)
    kernel[rows.clip(0, length - 1), columns.clip(0, length - 1)] = 1
    result: Floats = kernel / kernel.sum()
    return result
