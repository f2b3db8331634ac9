"""Two people for the face swapper's tests: portraits that move a little, as clips and as faces."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Image
from tests.support.faces import backdrop, other_person, paste, person
from tests.support.training_sets import write_video
from training.arrays import as_image
from training.gan.faces import Person, stored, stored_side

_HEADS = {"a": person, "b": other_person}


def frame(name: str, number: int, width: int = 240, height: int = 200) -> Image:
    """One picture of person ``name``, who nods, shifts and changes colour with ``number``."""
    # Slowly, as a sudden change of light looks to the tracker like another person.
    light = 0.88 + 0.25 * float(np.sin(number / 2.5))
    head = np.clip(_HEADS[name]() * light, 0, 255).astype(np.uint8)
    turn = cv2.getRotationMatrix2D((110, 130), 6 * float(np.sin(number / 3)), 1.0)
    head = as_image(cv2.warpAffine(head, turn, (220, 260), borderMode=cv2.BORDER_REPLICATE))
    centre = (width / 2 + 8 * np.sin(number / 5), height / 2 + 4 * np.cos(number / 4))
    return paste(backdrop(width, height, ord(name)), head, centre, height * 0.85)


def clip(path: Path, name: str, count: int = 40, rate: int = 10) -> Path:
    """A video of person ``name``."""
    write_video(path, [frame(name, number) for number in range(count)], rate)
    return path


@cache
def faces_of(name: str, size: int = 32, count: int = 32, held: int = 8) -> Person:
    """The faces of ``count`` pictures of a person, the last ``held`` kept out."""
    detector = FaceDetector(min_face=40)
    pictures, masks = [], []
    for number in range(count):
        image = frame(name, number)
        picture, mask = stored(image, detector.detect(image).landmarks[0], stored_side(size))
        pictures.append(picture)
        masks.append(mask)
    return Person(np.stack(pictures), np.stack(masks), np.arange(count) >= count - held)
