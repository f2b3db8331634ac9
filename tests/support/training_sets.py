"""Small data sets of moving portraits, made on the spot: real, and blended so that it shows."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Image
from training.augment.self_blend import Blend, Change

OUTLINE = [(0.5, 0.1), (0.85, 0.25), (0.85, 0.7), (0.5, 1.0), (0.15, 0.7), (0.15, 0.25)]
STRONG = Blend(
    outline=np.array(OUTLINE, np.float32),
    soft=0.01,
    feather=0.0,
    ratio=1.0,
    inside=True,
    change=Change(shift=(30.0, -25.0, -25.0), saturation=0.3),
    resolution=0.25,
    smooth=0,
    zoom=1.0,
    shift=(0.0, 0.0),
)


def portrait(seed: int, time: float = 0.0, size: tuple[int, int] = (320, 240)) -> Image:
    """A view of the astronaut: another light, mirror image and path for each ``seed``."""
    rng = np.random.default_rng(seed)
    picture = np.ascontiguousarray(data.astronaut()[:, :, :3])
    if rng.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
        centre = 512 - 224
    else:
        centre = 224
    zoom = rng.uniform(1.1, 1.5)
    turn = rng.uniform(-6, 6) + 3 * np.sin(2 * time + seed)
    move = cv2.getRotationMatrix2D((centre, 118), turn, zoom)
    aim = np.array(size) / 2 + 8 * np.array([np.sin(3 * time + seed), np.cos(2 * time)])
    move[:, 2] += aim - (centre, 118)
    view = cv2.warpAffine(picture, move, size, borderMode=cv2.BORDER_REFLECT_101)
    tint = rng.uniform(0.85, 1.1, 3)
    return np.clip(view * tint, 0, 255).astype(np.uint8)


def write_video(path: Path, pictures: list[Image], rate: int = 10) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"crf": "16", "preset": "veryfast"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))


def face_video(path: Path, seed: int, fake: bool, frames: int = 12) -> None:
    """A video of one moving face at 10 pictures per second, blended where ``fake``."""
    detector = FaceDetector(min_face=40)
    rng = np.random.default_rng(seed)
    pictures = [portrait(seed, number / 10) for number in range(frames)]
    if fake:
        points = [detector.detect(picture).landmarks[0] for picture in pictures]
        pictures = [
            STRONG.apply(picture, landmarks, rng)
            for picture, landmarks in zip(pictures, points, strict=True)
        ]
    write_video(path, pictures)


def folder_set(root: Path, videos: int, frames: int = 12) -> Path:
    """``root/real`` and ``root/fake`` with ``videos`` videos each."""
    for number in range(videos):
        face_video(root / "real" / f"r{number:02d}.mp4", number, False, frames)
        face_video(root / "fake" / "blend" / f"f{number:02d}.mp4", 100 + number, True, frames)
    return root
