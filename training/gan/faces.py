"""The faces of two people, cut from their clips, with a mask for each and some kept out.

The crops are the server's own alignment at a smaller size, with room around them for turns and
warps. The last part of each clip is held out: nothing is trained on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stream_server.atomic import replacing
from stream_server.vision.crop import align_crop, alignment, to_crop
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Floats, Image
from training.arrays import as_image
from training.data.extract import Face, faces
from training.data.layouts import Item
from training.gan.nets import PEOPLE
from training.gan.outline import face_mask

MARGIN = 0.95  # the picture's side over the face's: brows to chin fill it, hair is hardly in it
ROOM = 1.25  # the stored picture's side over the picture's
LEAST = 24  # faces to train on; with fewer a person is one pose
_RATE = 30.0  # faces a second of a clip
_DETAIL = 2  # masks are found at this many times the stored size


@dataclass(frozen=True)
class Person:
    """Faces uint8 ``[N, R, R, 3]``, their masks uint8 ``[N, R, R]``, and which are held out."""

    pictures: Image
    masks: NDArray[np.uint8]
    held: NDArray[np.bool_]

    def part(self, held: bool) -> tuple[Image, NDArray[np.uint8]]:
        """The pictures and masks that are held out, or those that are not."""
        chosen = self.held == held
        return self.pictures[chosen], self.masks[chosen]


def stored_side(size: int) -> int:
    """The side of a stored picture whose middle is a picture of ``size``; even."""
    return round(size * ROOM / 2) * 2


def collect(clips: Sequence[Path], name: str, size: int, held: float = 0.2) -> Person:
    """The main face of each of one person's ``clips``, up to 30 times a second.

    The last ``held`` (a fraction) of each clip's faces is held out. Raises ``ValueError`` where a
    clip cannot be read or shows no face, or where fewer than ``LEAST`` faces are left.
    """
    if not 0 < held < 1:
        raise ValueError(f"the held-out part is {held}, it must be between 0 and 1")
    if not clips:
        raise ValueError(f"person {name} has no clip, at least 1 is needed")
    detector = FaceDetector(min_face=40)
    side = stored_side(size)
    pictures: list[Image] = []
    masks: list[NDArray[np.uint8]] = []
    out: list[bool] = []
    for clip in clips:
        found = _main_track(clip, detector)
        kept = len(found) - max(round(len(found) * held), 1)
        for number, face in enumerate(found):
            picture, mask = stored(face.patch, face.local, side)
            pictures.append(picture)
            masks.append(mask)
            out.append(number >= kept)
    person = Person(np.stack(pictures), np.stack(masks), np.array(out))
    train = int((~person.held).sum())
    if train < LEAST:
        raise ValueError(
            f"person {name} has {train} faces to train on, at least {LEAST} are needed: "
            "give longer clips or more of them"
        )
    return person


def _main_track(clip: Path, detector: FaceDetector) -> list[Face]:
    tracks: dict[int, list[Face]] = {}
    item = Item(name=clip.stem, path=clip, kind="video", label="real", dataset="")
    for number, face in faces(item, detector, _RATE):
        tracks.setdefault(number, []).append(face)
    if not tracks:
        raise ValueError(
            f"{clip}: no face found; faces must be at least 40 pixels wide and shown from the front"
        )
    return max(tracks.values(), key=lambda track: sum(face.side for face in track))


def stored(image: Image, landmarks: Floats, side: int) -> tuple[Image, NDArray[np.uint8]]:
    """One face with room around it, and its mask (0 to 255), both ``side`` pixels."""
    margin = MARGIN * ROOM
    large = align_crop(image, landmarks, side * _DETAIL, margin)
    points = to_crop(landmarks, alignment(landmarks, side * _DETAIL, margin))
    mask = face_mask(large, points)
    small = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
    thin = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
    return as_image(small), as_image(thin)


def save(path: Path, people: dict[str, Person]) -> None:
    """Both people in one file; it appears only when it is complete."""
    arrays = {
        f"{name}_{what}": getattr(people[name], what)
        for name in PEOPLE
        for what in ("pictures", "masks", "held")
    }
    with replacing(path) as part, part.open("wb") as handle:
        np.savez_compressed(handle, **arrays)


def load(path: Path) -> dict[str, Person]:
    """What ``save`` wrote. Raises ``ValueError`` where there is no such file."""
    if not path.is_file():
        raise ValueError(f"{path} is missing: run synthesize --gan with this --run first")
    with np.load(path) as data:
        return {
            name: Person(data[f"{name}_pictures"], data[f"{name}_masks"], data[f"{name}_held"])
            for name in PEOPLE
        }
