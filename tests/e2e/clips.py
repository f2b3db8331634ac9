"""Short videos made from scikit-image's portrait of an astronaut, a photograph of a real face."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from skimage import data

Picture = NDArray[np.uint8]
Box = tuple[float, float, float, float]
FPS = 25
SIZE = (640, 360)
# The face in the 512 x 512 portrait: left, top, width, height.
_FACE = (178, 62, 92, 128)


@lru_cache(maxsize=8)
def portrait(height: int, warm: float = 0.0) -> Picture:
    """Head and shoulders, ``height`` pixels high; ``warm`` shifts the colours to red."""
    cut = data.astronaut()[0:300, 60:400]
    width = round(340 * height / 300)
    small = np.asarray(Image.fromarray(cut).resize((width, height), Image.Resampling.LANCZOS))
    shifted = small.astype(np.int16) + np.array([120 * warm, -40 * warm, -60 * warm], np.int16)
    return np.clip(shifted, 0, 255).astype(np.uint8)


def face_in(left: float, top: float, height: float, size: tuple[int, int] = SIZE) -> Box:
    """Where the face is, in fractions of the picture, for a portrait pasted at ``left, top``."""
    scale = height / 300
    x, y, w, h = _FACE
    return (
        (left + (x - 60) * scale) / size[0],
        (top + y * scale) / size[1],
        w * scale / size[0],
        h * scale / size[1],
    )


def scene(placed: list[tuple[float, float, int]], size: tuple[int, int] = SIZE) -> Picture:
    """Portraits at ``left, top, height`` before a grey wall."""
    canvas = np.full((size[1], size[0], 3), 118, np.uint8)
    canvas[:: size[1] // 9, :] = 106
    for left, top, height in placed:
        face = portrait(height)
        x, y = round(left), round(top)
        x0, x1 = max(0, x), min(size[0], x + face.shape[1])
        y0, y1 = max(0, y), min(size[1], y + face.shape[0])
        canvas[y0:y1, x0:x1] = face[y0 - y : y1 - y, x0 - x : x1 - x]
    return canvas


def still(seconds: float = 12, height: int = 240) -> Iterator[Picture]:
    """One face that does not move."""
    frame = scene([(150, 90, height)])
    for _ in range(round(seconds * FPS)):
        yield frame


def close_up(seconds: float = 12) -> Iterator[Picture]:
    """One face that leaves no room for a label beside it."""
    frame = scene([(-62, -113, 700)])
    for _ in range(round(seconds * FPS)):
        yield frame


def walking(seconds: float = 12, height: int = 240) -> Iterator[Picture]:
    """One face that goes to and fro; ``walking_left`` says where it is."""
    for index in range(round(seconds * FPS)):
        yield scene([(walking_left(index / FPS), 90, height)])


def walking_left(time: float) -> float:
    """Left edge of the walking portrait in pixels."""
    return 180 + 150 * math.sin(2 * math.pi * time / 6)


LARGE = (1920, 1080)


@lru_cache(maxsize=1)
def leaves() -> Picture:
    """A wall of some detail, as large as ``LARGE``."""
    spots = np.random.default_rng(1).integers(60, 150, (270, 480, 3), np.uint8)
    wide = Image.fromarray(spots).resize(LARGE, Image.Resampling.BICUBIC)
    return np.asarray(wide, np.uint8)


def afar(seconds: float = 8) -> Iterator[Picture]:
    """A small face in a large picture, which goes to and fro; ``afar_at`` is one picture of it."""
    for index in range(round(seconds * FPS)):
        yield afar_at(index / FPS)


def afar_at(time: float, height: int = 250) -> Picture:
    """The picture of ``afar`` at a time in seconds; ``height`` is the portrait's."""
    picture, face = leaves().copy(), portrait(height)
    left = round(700 + 120 * math.sin(2 * math.pi * time / 4))
    picture[300 : 300 + face.shape[0], left : left + face.shape[1]] = face
    return picture


DISTANT = 300


def distant(seconds: float = 8) -> Iterator[Picture]:
    """A face that stands still, large enough to be judged in a picture 1280 pixels wide, and too
    small in one of 960."""
    frame = afar_at(0, DISTANT)
    for _ in range(round(seconds * FPS)):
        yield frame


def couple(seconds: float = 12) -> Iterator[Picture]:
    """Two faces side by side."""
    for index in range(round(seconds * FPS)):
        sway = 8 * math.sin(2 * math.pi * index / FPS / 4)
        yield scene([(20 + sway, 110, 220), (350 - sway, 110, 220)])


# A clip that the made-up model calls likely fake only in the middle, where it is bright.
FLAGGED_S = (2.6, 5.2)


def flagged(seconds: float = 7.6, size: tuple[int, int] = SIZE) -> Iterator[Picture]:
    """One face in changing light: dim, bright from ``FLAGGED_S[0]`` to ``[1]``, dim again."""
    scale = size[1] / SIZE[1]
    plain = scene([(150 * scale, 90 * scale, round(240 * scale))], size).astype(np.int16)
    bright = np.clip(plain + 50, 0, 255).astype(np.uint8)
    dim = np.clip(plain + np.array([-60, -10, -60], np.int16), 0, 255).astype(np.uint8)
    for index in range(round(seconds * FPS)):
        yield bright if FLAGGED_S[0] <= index / FPS < FLAGGED_S[1] else dim


def flagged_small() -> Iterator[Picture]:
    """The same in fewer pixels."""
    return flagged(size=(480, 270))


def advert() -> Iterator[Picture]:
    """A short clip of one dim face, in which nothing is flagged."""
    for index, frame in enumerate(flagged()):
        if index == round(FLAGGED_S[0] * FPS):
            return
        yield frame


def blurred(seconds: float = 12) -> Iterator[Picture]:
    """A face out of focus."""
    sharp = Image.fromarray(scene([(150, 90, 240)]))
    frame = np.asarray(sharp.filter(ImageFilter.GaussianBlur(4)))
    for _ in range(round(seconds * FPS)):
        yield frame


def black(seconds: float = 8) -> Iterator[Picture]:
    """No picture at all."""
    frame = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for _ in range(round(seconds * FPS)):
        yield frame


def empty(seconds: float = 8) -> Iterator[Picture]:
    """A moving scene without a face."""
    ramp = np.linspace(40, 200, SIZE[0], dtype=np.uint8)
    for index in range(round(seconds * FPS)):
        row = np.roll(ramp, index * 3)
        yield np.repeat(np.repeat(row[None, :, None], SIZE[1], 0), 3, 2)


def write(
    path: Path,
    frames: Iterator[Picture],
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode ``frames``; the container follows the file's suffix."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=FPS)
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, FPS)
        stream.options = options or {}
        for index, picture in enumerate(frames):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


_X264 = {"preset": "veryfast", "crf": "18", "g": "25"}


def mp4(path: Path, frames: Iterator[Picture]) -> Path:
    """H.264 in MP4, with its index in front."""
    return write(path, frames, "libx264", _X264, {"movflags": "faststart"})


def fragmented_mp4(path: Path, frames: Iterator[Picture]) -> Path:
    """H.264 in the fragments that Media Source Extensions take."""
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    return write(path, frames, "libx264", _X264, flags)


def webm(path: Path, frames: Iterator[Picture]) -> Path:
    """VP8 in WebM."""
    options = {"deadline": "realtime", "cpu-used": "8", "b:v": "2M"}
    return write(path, frames, "libvpx", options)


MAKERS: dict[str, Callable[[Path, Iterator[Picture]], Path]] = {
    "mp4": mp4,
    "webm": webm,
    "fmp4": fragmented_mp4,
}
