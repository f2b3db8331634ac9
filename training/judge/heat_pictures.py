"""Pictures of faces with a member's heat map beside them."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from stream_server.explain.heat import Part, joined
from stream_server.explain.paint import heat_over
from stream_server.vision.crop import CROP_SIZE, align_crop
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Image
from training.data.layouts import PICTURES
from training.judge.grad_cam import grad_cam
from training.models.explainable import parts_of
from training.models.member import Member


def explain_pictures(member: Member, paths: Sequence[Path], out: Path) -> list[dict[str, Any]]:
    """Write a picture for each face of ``paths``: the crop beside the crop with its heat.

    A picture of 224x224 counts as a finished crop. Returns what goes into ``heat.json``; pictures
    without a face and files that are no pictures are named on stderr and left out. Raises
    ``ValueError`` for a member that cannot be explained.
    """
    if member.encoder is None:
        raise ValueError(f"{member.name} sees landmarks only: no place in a picture to point at")
    view = parts_of(member.encoder).view
    detector = FaceDetector()
    out.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    for path in paths:
        try:
            with Pillow.open(path) as picture:
                upright = ImageOps.exif_transpose(picture)
                image = np.asarray(upright.convert("RGB"))
        except (UnidentifiedImageError, OSError) as error:
            sys.stderr.write(f"explain: {path}: {error}\n")
            continue
        crops = list(_crops(image, detector))
        if not crops:
            sys.stderr.write(f"explain: {path}: no face found\n")
        for number, crop in enumerate(crops, start=1):
            maps, logits = grad_cam(member, crop[None])
            grid = joined([Part(maps[0], view)])
            target = out / f"{path.stem}-{number}.png"
            Pillow.fromarray(np.hstack((crop, heat_over(crop, grid)))).save(target)
            found.append(
                {
                    "picture": str(path),
                    "face": number,
                    "file": target.name,
                    "logit": round(float(logits[0]), 4),
                    "score": round(1 / (1 + math.exp(-float(logits[0]))), 4),
                    "heat": [[round(float(value), 3) for value in row] for row in grid],
                }
            )
    return found


def _crops(image: Image, detector: FaceDetector) -> Iterator[Image]:
    if image.shape[:2] == (CROP_SIZE, CROP_SIZE):
        yield image
        return
    for landmarks in detector.detect(image).landmarks:
        yield align_crop(image, landmarks)


def pictures_in(inputs: Sequence[Path]) -> list[Path]:
    """Files as they are, folders as the pictures below them.

    Raises ``FileNotFoundError`` for what is missing and ``ValueError`` where there is no picture.
    """
    paths: list[Path] = []
    for one in inputs:
        if one.is_dir():
            paths += sorted(p for p in one.rglob("*") if p.suffix.lower() in PICTURES)
        elif one.is_file():
            paths.append(one)
        else:
            raise FileNotFoundError(f"{one} is missing")
    if not paths:
        raise ValueError(f"no pictures in {', '.join(map(str, inputs))}")
    return paths
