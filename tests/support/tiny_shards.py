"""Shards of face patches without a detector: the astronaut, her landmarks known, shifted a little.

For tests of what comes after extraction; ``training_sets`` makes videos for those of all of it.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from training.data.manifest import Manifest
from training.data.shards import Sample, write_shard

_CENTRE = np.array([224.0, 118.0])
_POINTS = np.array([[206, 106], [244, 106], [225, 127], [209, 145], [241, 145]], np.float64)
_HALF = 90


def tiny_shards(root: Path, videos: int = 3, frames: int = 2, light: float = 1.0) -> Path:
    """``videos`` real and as many fake videos in each of train and dev, with their listing.

    Fakes are green in the middle of the face. Each video has ``light`` times the light of the one
    before. Returns ``root``.
    """
    picture = np.ascontiguousarray(data.astronaut()[:, :, :3])
    rng = np.random.default_rng(0)
    for split in ("train", "dev"):
        for label in ("real", "fake"):
            for number in range(videos):
                name = f"{split}-{label}-{number}"
                samples = []
                for frame in range(frames):
                    middle = np.round(_CENTRE + rng.uniform(-6, 6, 2))
                    left, top = (middle - _HALF).astype(int)
                    patch = picture[max(top, 0) : top + 2 * _HALF, left : left + 2 * _HALF].copy()
                    patch = (patch * light**number).astype(np.uint8)
                    points = _POINTS - (left, max(top, 0))
                    if label == "fake":
                        x, y = points[2].astype(int)
                        patch[y - 30 : y + 30, x - 30 : x + 30, 1] |= 128
                    samples.append((_sample(name, frame, split, label, points), "png", _png(patch)))
                write_shard(root / f"{name}.tar", samples)
    Manifest.scan(root).write()
    return root


def _sample(video: str, frame: int, split: str, label: str, points: np.ndarray) -> Sample:
    return Sample(
        key=f"{video}-{frame}",
        video=video,
        track=1,
        time=frame / 10,
        landmarks=tuple(float(value) for value in points.flatten()),
        face_px=90.0,
        score=0.99,
        sharpness=100.0,
        label=label,
        dataset="tiny",
        method="green" if label == "fake" else "",
        split=split,
        pair="",
        identities=(video,),
    )


def _png(picture: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(picture).save(target, format="PNG")
    return target.getvalue()
