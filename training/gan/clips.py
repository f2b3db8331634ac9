"""Whole clips swapped, and the labelled folder of them that the extract step reads."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from stream_server.atomic import replacing
from stream_server.ingest.files.video import VideoFile
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker
from stream_server.vision.types import Floats, Image
from training.arrays import as_image
from training.data.crop_video import write_crop_video
from training.gan.nets import Swapper
from training.gan.swap import Paste, Tone, swap_face

METHOD = "autoencoder GAN"
COLUMNS = ("file", "split", "label", "method", "source", "half", "source_ids", "width", "height",
           "fps", "median_face_px", "pair")  # fmt: skip


@dataclass(frozen=True)
class Origin:
    """What is known about a clip: the data set, the people in it, its split."""

    source: str
    ids: str
    split: str

    @classmethod
    def of(cls, clip: Path) -> Origin:
        """From an ``index.csv`` in the clip's folder or above it; else the file's own name."""
        for folder in (clip.parent, clip.parent.parent):
            table = folder / "index.csv"
            if not table.is_file():
                continue
            with table.open(newline="") as handle:
                for row in csv.DictReader(handle):
                    if (folder / row["file"]).resolve() == clip.resolve():
                        return cls(row["source"], row["source_ids"], row["split"])
        return cls("gan", clip.stem, "")


@dataclass(frozen=True)
class Made:
    """One video that was written, as a row of ``index.csv`` says it, and how much was swapped."""

    file: str
    split: str
    label: str
    method: str
    source: str
    half: str
    source_ids: str
    width: int
    height: int
    fps: float
    median_face_px: float
    pair: str
    frames: int
    swapped: int


@dataclass(frozen=True)
class Recording:
    """Where the main face is in each frame of a clip; None where it is out of sight."""

    path: Path
    rate: float
    landmarks: Sequence[Floats | None]
    face_px: float

    @classmethod
    def of(cls, path: Path) -> Recording:
        """Raises ``ValueError`` where the clip cannot be read or shows no face."""
        tracker = FaceTracker(FaceDetector(min_face=40))
        seen: list[dict[int, tuple[Floats, float]]] = []
        for image, time in frames(path):
            tracks = tracker.update(image, time)
            seen.append({one.id: (one.landmarks.copy(), _side(one.box)) for one in tracks})
        weight: dict[int, float] = {}
        for found in seen:
            for number, (_, side) in found.items():
                weight[number] = weight.get(number, 0.0) + side
        if not weight:
            raise ValueError(f"{path}: no face found in {len(seen)} frames")
        main = max(weight, key=lambda number: weight[number])
        sides = [found[main][1] for found in seen if main in found]
        places = [found[main][0] if main in found else None for found in seen]
        return cls(path, frame_rate(path), places, float(np.median(sides)))


def swap_clip(
    maker: Swapper, recording: Recording, person: str, tone: Tone, paste: Paste
) -> Iterator[Image]:
    """Every frame with the main face drawn as ``person``; frames without it stay as they are."""
    for (image, _), landmarks in zip(frames(recording.path), recording.landmarks, strict=True):
        if landmarks is None:
            yield image
        else:
            yield swap_face(maker, image, landmarks, person, tone, paste)[0]


def write_clip(
    folder: Path, name: str, pictures: Iterator[Image], recording: Recording, row: dict[str, str],
    crf: int,
) -> Made:  # fmt: skip
    """Write one video of the folder and return its row."""
    size = (0, 0)

    def even() -> Iterator[Image]:
        nonlocal size
        for picture in pictures:
            height, width = (side - side % 2 for side in picture.shape[:2])
            size = (width, height)
            yield as_image(np.ascontiguousarray(picture[:height, :width]))

    count = write_crop_video(folder / f"{name}.mp4", even(), recording.rate, crf)
    swapped = sum(one is not None for one in recording.landmarks) if row["label"] == "fake" else 0
    return Made(
        file=f"{name}.mp4",
        width=size[0],
        height=size[1],
        fps=round(recording.rate, 3),
        median_face_px=round(recording.face_px, 1),
        half="full",
        frames=count,
        swapped=swapped,
        **row,
    )


def write_index(folder: Path, rows: Sequence[Made]) -> None:
    """``index.csv`` in the ``clips`` layout; it appears only when it is complete."""
    with replacing(folder / "index.csv") as part, part.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def frames(path: Path) -> Iterator[tuple[Image, float]]:
    """Every frame (RGB) of a video in its own size, with its time in seconds.

    Raises ``UnusableError`` where there is none.
    """
    for frame in VideoFile(path, str(path)).every_frame():
        yield frame.image, frame.media_time


def frame_rate(path: Path) -> float:
    """Frames a second as the file says; 25 where it does not."""
    return VideoFile(path, str(path)).info.rate or 25.0


def _side(box: Floats) -> float:
    return float(max(box[2] - box[0], box[3] - box[1]))
