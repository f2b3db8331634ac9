"""Videos and pictures to shards of face patches, unit by unit.

A unit is a video, or some hundred pictures. Its shard appears when it is complete, so a process
killed at any moment loses at most the unit in hand, and the next run goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from stream_server.vision.crop import CROP_SIZE, align_crop, alignment
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Detections, Floats, Image
from training.data.frames import TarReader, UnreadableError, decoded, part, sampled
from training.data.layouts import Item
from training.data.shards import Sample, write_shard

PATCH_MARGIN = 1.75  # room for a wider margin, a shift and a turn around the crop's 1.3
STILLS_PER_UNIT = 500
_PAD = 0.25  # pictures that are all face are mirrored outwards before a face is looked for


@dataclass(frozen=True)
class Unit:
    """What becomes one shard."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Face:
    """One face in one frame, before it belongs to a track."""

    time: float
    box: Floats
    landmarks: Floats
    score: float
    patch: Image
    offset: tuple[int, int]


def units(items: Sequence[Item]) -> list[Unit]:
    """Each video on its own; pictures of one archive and split together."""
    stills: dict[str, list[Item]] = {}
    result: list[Unit] = []
    for item in items:
        if item.kind == "video":
            result.append(Unit(item.name, (item,)))
        else:
            stills.setdefault(f"{item.dataset.lower()}-{item.split or 'all'}", []).append(item)
    for group, members in stills.items():
        for start in range(0, len(members), STILLS_PER_UNIT):
            name = f"{group}-{start // STILLS_PER_UNIT:04d}"
            result.append(Unit(name, tuple(members[start : start + STILLS_PER_UNIT])))
    return result


class Extractor:
    """Finds, follows and stores the faces of units; ``rate`` in frames per second."""

    def __init__(self, out: Path, rate: float = 10.0, min_face: int = 40) -> None:
        self.out = out
        self.rate = rate
        self.videos = FaceDetector(min_face=min_face)
        self.stills = FaceDetector(min_face=80)
        self.archives = TarReader()

    def shard(self, unit: Unit) -> Path:
        return self.out / f"{unit.name}.tar"

    def done(self, unit: Unit) -> bool:
        return self.shard(unit).exists()

    def run(self, unit: Unit) -> tuple[int, list[str]]:
        """Extract one unit; returns its number of samples and what was skipped, and why."""
        skipped: list[str] = []
        video = unit.items[0].kind == "video"
        found = self._video(unit.items[0], skipped) if video else self._pictures(unit, skipped)
        count = write_shard(self.shard(unit), found)
        if skipped:
            listing = self.out / f"{unit.name}.skipped.json"
            listing.write_text(json.dumps(skipped, indent=0))
        return count, skipped

    def _video(self, item: Item, skipped: list[str]) -> Iterator[tuple[Sample, str, bytes]]:
        tracks: list[list[Face]] = []
        try:
            for frame in sampled(item.path, self.rate):
                image = part(frame.image, item.region)
                link(tracks, faces(image, self.videos.detect(image), frame.media_time))
        except UnreadableError as error:
            skipped.append(str(error))
            return
        if not tracks:
            skipped.append(f"{item.path}: no face found")
            return
        track = max(tracks, key=lambda faces: sum(_side(face.box) for face in faces))
        for number, face in enumerate(track):
            yield self._sample(item, f"{item.name}-{number:05d}", face)

    def _pictures(self, unit: Unit, skipped: list[str]) -> Iterator[tuple[Sample, str, bytes]]:
        for item in unit.items:
            try:
                if item.member:
                    data = self.archives.read(item.path, item.member)
                else:
                    data = item.path.read_bytes()
                image = decoded(data, item.name)
            except (UnreadableError, OSError, KeyError) as error:
                skipped.append(f"{item.name}: {error}")
                continue
            pad = round(_PAD * max(image.shape[:2]))
            wide = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REFLECT_101)
            found = self.stills.detect(wide)  # type: ignore[arg-type]  # uint8 in, uint8 out
            if not len(found):
                skipped.append(f"{item.name}: no face found")
                continue
            best = int(np.argmax(found.boxes[:, 2] - found.boxes[:, 0]))
            box, landmarks = found.boxes[best] - pad, found.landmarks[best] - pad
            face = Face(0.0, box, landmarks, float(found.scores[best]), image, (0, 0))
            sample, _, _ = self._sample(item, item.name, face, encode=False)
            yield sample, item.member.rpartition(".")[2].lower() or "jpg", data

    def _sample(
        self, item: Item, key: str, face: Face, encode: bool = True
    ) -> tuple[Sample, str, bytes]:
        local = face.landmarks - np.array(face.offset, np.float32)
        sample = Sample(
            key=key.replace(".", "_"),
            video=item.name,
            track=0,
            time=face.time,
            landmarks=tuple(round(float(value), 3) for value in local.reshape(-1)),
            face_px=_side(face.box),
            score=face.score,
            sharpness=sharpness(align_crop(face.patch, local)),
            label=item.label,
            dataset=item.dataset,
            method=item.method,
            split=item.split,
            pair=item.pair,
            identities=item.identities,
        )
        return sample, "png", png(face.patch) if encode else b""


def faces(image: Image, found: Detections, time: float) -> list[Face]:
    """The detections in ``image``, each with the pixels around it."""
    return [
        Face(time, box, landmarks, float(score), *patch(image, landmarks))
        for box, landmarks, score in zip(found.boxes, found.landmarks, found.scores, strict=True)
    ]


def patch(
    image: Image, landmarks: Floats, margin: float = PATCH_MARGIN
) -> tuple[Image, tuple[int, int]]:
    """The upright rectangle that holds an aligned crop of ``margin``, and its left top corner."""
    height, width = image.shape[:2]
    back = cv2.invertAffineTransform(alignment(landmarks, CROP_SIZE, margin))
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32) * CROP_SIZE
    corners = corners @ back[:, :2].T + back[:, 2]
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0, (width - 2, height - 2))
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).clip(2, (width, height))
    right, bottom = max(right, left + 2), max(bottom, top + 2)
    return image[top:bottom, left:right].copy(), (int(left), int(top))


def link(tracks: list[list[Face]], found: list[Face], overlap: float = 0.3) -> None:
    """Append each face to the track whose last box overlaps it most, or begin a new one."""
    free = [track for track in tracks if track]
    for face in found:
        best = max(free, key=lambda track: _overlap(track[-1].box, face.box), default=None)
        if best is not None and _overlap(best[-1].box, face.box) >= overlap:
            best.append(face)
            free = [track for track in free if track is not best]
        else:
            tracks.append([face])


def sharpness(crop: Image) -> float:
    """Variance of the Laplacian of the crop's grey values."""
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(gray, cv2.CV_32F).var())


def png(image: Image) -> bytes:
    good, data = cv2.imencode(
        ".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    if not good:
        raise ValueError(f"a picture of shape {image.shape} could not be written as PNG")
    return data.tobytes()


def _side(box: Floats) -> float:
    return float(max(box[2] - box[0], box[3] - box[1]))


def _overlap(first: Floats, second: Floats) -> float:
    inner = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    inter = float(np.prod(inner.clip(min=0)))
    areas = [float(np.prod(box[2:] - box[:2])) for box in (first, second)]
    return inter / (sum(areas) - inter) if inter else 0.0
