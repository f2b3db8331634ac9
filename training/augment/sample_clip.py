"""A sample clip: a moving portrait whose middle third is self-blended.

The portrait is scikit-image's ``astronaut``, Eileen Collins photographed by NASA, in the public
domain. Nobody else's footage is in it, so the project may carry it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from stream_server.atomic import replacing
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Floats, Image
from training.arrays import as_floats, as_image
from training.augment.self_blend import Blend, Change

WIDTH, HEIGHT, RATE = 640, 360, 25

_FACE = (224.0, 118.0)  # the middle of the face in the photograph
_OUTLINE = [
    (0.5, 0.1), (0.8, 0.18), (0.92, 0.4), (0.88, 0.66), (0.74, 0.9), (0.5, 0.99),
    (0.26, 0.9), (0.12, 0.66), (0.08, 0.4), (0.2, 0.18),
]  # fmt: skip
BLEND = Blend(
    outline=np.array(_OUTLINE, np.float32),
    soft=0.03,
    feather=0.02,
    ratio=1.0,
    inside=True,
    change=Change(shift=(10.0, -4.0, -8.0), gain=0.95, gamma=1.06, saturation=0.88),
    resolution=0.34,
    smooth=0,
    zoom=1.02,
    shift=(0.008, 0.01),
    jitter=0.006,
)


def frames(seconds: float = 27.0, seed: int = 0) -> Iterator[tuple[Image, bool]]:
    """The clip's pictures, RGB uint8 ``[360, 640, 3]``, and whether each is blended."""
    from skimage import data

    rng = np.random.default_rng(seed)
    portrait = as_image(data.astronaut()[:, :, :3])  # type: ignore[no-untyped-call]
    detector = FaceDetector(min_face=60)
    count = round(seconds * RATE)
    for number in range(count):
        picture = view(portrait, number / RATE)
        blended = count // 3 <= number < 2 * count // 3
        if blended:
            picture = BLEND.apply(picture, landmarks_in(picture, detector), rng)
        grain = rng.normal(0, 1.5, picture.shape).astype(np.float32)
        yield np.clip(picture + grain + 0.5, 0, 255).astype(np.uint8), blended


def view(portrait: Image, time: float) -> Image:
    """The portrait as a slowly moving hand-held camera sees it at ``time`` seconds.

    The head stands nearer than what is behind it, so it moves a little more (parallax).
    """
    zoom = 1.62 + 0.1 * np.sin(0.45 * time) + 0.02 * np.sin(2.1 * time)
    turn = 0.03 * np.sin(0.7 * time + 1) + 0.01 * np.sin(2.7 * time)
    pan = np.array([60 * np.sin(0.5 * time), 8 * np.sin(0.8 * time + 0.5)])
    cos, sin = np.cos(turn) / zoom, np.sin(turn) / zoom
    columns, rows = np.meshgrid(
        np.arange(WIDTH, dtype=np.float32) - WIDTH / 2 - pan[0],
        np.arange(HEIGHT, dtype=np.float32) - HEIGHT * 0.42 - pan[1],
    )
    x = _FACE[0] + cos * columns + sin * rows
    y = _FACE[1] - sin * columns + cos * rows
    near = np.exp(-(((x - _FACE[0]) / 95) ** 2) - ((y - _FACE[1]) / 130) ** 2)
    sway = (6 * np.sin(1.1 * time), 3 * np.sin(1.7 * time))
    x = (x - sway[0] * near).astype(np.float32)
    y = (y - sway[1] * near).astype(np.float32)
    picture = cv2.remap(portrait, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    light = 1 + 0.05 * np.sin(0.6 * time)
    return as_image(np.clip(picture * np.float32(light), 0, 255))


def write(path: Path, pictures: Iterator[tuple[Image, bool]], crf: int = 25) -> int:
    """Encode to H.264 in ``path``; it appears only when complete. Returns the frames written."""
    count = 0
    faststart = {"movflags": "faststart"}
    with replacing(path) as part, av.open(str(part), "w", format="mp4", options=faststart) as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": str(crf), "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        stream.thread_count = 1
        for picture, _ in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            count += 1
        out.mux(stream.encode(None))
    return count


def landmarks_in(picture: Image, detector: FaceDetector) -> Floats:
    """The five points of the best face in ``picture``, float32 ``[5, 2]``."""
    found = detector.detect(picture)
    if not len(found):
        raise ValueError("no face found in the picture")
    return as_floats(found.landmarks[int(found.scores.argmax())])
