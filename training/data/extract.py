"""Videos and pictures to shards of face patches, unit by unit, with the server's own eyes.

A unit is a video, or some hundred pictures. Its shard appears when it is complete, so a process
killed at any moment loses at most the unit in hand, and the next run goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from stream_server.atomic import write_text
from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.pictures import picture_in
from stream_server.ingest.files.region import within
from stream_server.ingest.files.unusable import UnusableError
from stream_server.vision.crop import CROP_SIZE, align_crop, alignment, to_crop
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker, patience_at
from stream_server.vision.quality import judge
from stream_server.vision.types import Floats, Image
from training.data.archives import TarReader
from training.data.crop_video import write_crop_video
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
    """One sample of one track. ``patch`` is the picture around it, with its corner's place."""

    time: float
    box: Floats
    landmarks: Floats
    score: float
    sharpness: float
    patch: Image
    offset: tuple[int, int]

    @property
    def side(self) -> float:
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def local(self) -> Floats:
        """The landmarks in pixels of the patch."""
        return self.landmarks - np.array(self.offset, np.float32)

    def crop(self) -> Image:
        """What the server would cut from the whole frame."""
        return align_crop(self.patch, self.local)


@dataclass
class Extracted:
    """What came of one unit."""

    samples: int = 0
    skipped: list[str] = field(default_factory=list)


def units(items: Sequence[Item]) -> list[Unit]:
    """Each video on its own; pictures of one archive and split together."""
    stills: dict[str, list[Item]] = {}
    result: list[Unit] = []
    for item in items:
        if item.kind == "video":
            result.append(Unit(item.name, (item,)))
        else:
            # A set may be called by its repository, OWNER/NAME; shards all lie in one folder.
            group = f"{item.dataset.lower().replace('/', '-')}-{item.split or 'all'}"
            stills.setdefault(group, []).append(item)
    for group, members in stills.items():
        for start in range(0, len(members), STILLS_PER_UNIT):
            name = f"{group}-{start // STILLS_PER_UNIT:04d}"
            result.append(Unit(name, tuple(members[start : start + STILLS_PER_UNIT])))
    names = [unit.name for unit in result]
    twice = (
        {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()
    )
    if twice:
        raise ValueError(f"items of one name: {', '.join(sorted(twice)[:5])}")
    return result


class Extractor:
    """Finds, follows and stores the faces of units.

    ``rate`` is samples per second. ``min_face`` is the smallest face in pixels of the searched
    picture; ``sharpness`` drops samples whose variance of the Laplacian (of the inner face at 112
    pixels, as the server measures it) lies below. ``every_track`` keeps all faces of a video, not
    the main one alone: right only where every face in it has the video's label. ``form`` is
    ``shards`` (WebDataset) or ``video`` (a face-crop video for each track).
    """

    def __init__(
        self,
        out: Path,
        rate: float = 10.0,
        min_face: int = 40,
        sharpness: float = 30.0,
        every_track: bool = False,
        form: str = "shards",
    ) -> None:
        if form not in ("shards", "video"):
            raise ValueError(f"format is {form!r}, it must be shards or video")
        self.out, self.rate, self.sharpness = out, rate, sharpness
        self.every_track, self.form = every_track, form
        self.videos = FaceDetector(min_face=min_face)
        self.stills = FaceDetector(min_face=80)
        self.archives = TarReader()

    def target(self, unit: Unit) -> Path:
        """The file whose presence says that ``unit`` is done."""
        return self.out / f"{unit.name}{'.tar' if self.form == 'shards' else '.json'}"

    def done(self, unit: Unit) -> bool:
        return self.target(unit).exists()

    def run(self, unit: Unit) -> Extracted:
        """Extract one unit; what cannot be read or holds no face is listed, not raised."""
        result = Extracted()
        if unit.items[0].kind == "still":
            pictures = self._pictures(unit, result.skipped)
            result.samples = write_shard(self.target(unit), pictures)
            return result
        item = unit.items[0]
        tracks = self._tracks(item, result.skipped)
        if self.form == "video":
            result.samples = self._crop_videos(unit, item, tracks)
        else:
            rows = (
                sample_of(item, f"{name}-{number:05d}", name, track, face)
                for name, track, faces in tracks
                for number, face in enumerate(faces)
            )
            result.samples = write_shard(
                self.target(unit), ((row, "png", png(face.patch)) for row, face in rows)
            )
        return result

    def _tracks(self, item: Item, skipped: list[str]) -> list[tuple[str, int, list[Face]]]:
        """(video name, track number, its samples) of each track that is kept."""
        tracks: dict[int, list[Face]] = {}
        try:
            for number, face in faces(item, self.videos, self.rate):
                tracks.setdefault(number, []).append(face)
        except UnusableError as error:
            skipped.append(str(error))
            return []
        if not tracks:
            skipped.append(f"{item.path}: no face found")
            return []
        main = max(tracks, key=lambda number: sum(face.side for face in tracks[number]))
        kept = sorted(tracks) if self.every_track else [main]
        result: list[tuple[str, int, list[Face]]] = []
        for number in kept:
            sharp = [face for face in tracks[number] if face.sharpness >= self.sharpness]
            name = item.name if number == main else f"{item.name}~{number}"
            if sharp:
                result.append((name, number, sharp))
        if not result:
            skipped.append(f"{item.path}: every face is blurred")
        return result

    def _crop_videos(
        self, unit: Unit, item: Item, tracks: list[tuple[str, int, list[Face]]]
    ) -> int:
        listing = []
        for name, track, faces in tracks:
            write_crop_video(self.out / f"{name}.mp4", (face.crop() for face in faces), self.rate)
            facts = {"file": f"{name}.mp4", "label": item.label, "dataset": item.dataset}
            facts |= {"method": item.method, "split": item.split, "track": str(track)}
            facts |= {"identities": "+".join(item.identities), "frames": str(len(faces))}
            listing.append(facts)
        write_text(self.target(unit), json.dumps(listing, indent=1) + "\n")
        return sum(len(faces) for _, _, faces in tracks)

    def _pictures(self, unit: Unit, skipped: list[str]) -> Iterator[tuple[Sample, str, bytes]]:
        for item in unit.items:
            try:
                if item.member:
                    data = self.archives.read(item.path, item.member)
                else:
                    data = item.path.read_bytes()
                image = picture_in(data, item.name)
            except (UnusableError, OSError, KeyError) as error:
                skipped.append(f"{item.name}: {error}")
                continue
            face = picture_face(image, self.stills)
            if face is None:
                skipped.append(f"{item.name}: no face found")
            elif face.sharpness < self.sharpness:
                skipped.append(f"{item.name}: blurred, sharpness {face.sharpness:.0f}")
            else:
                suffix = (item.member or item.path.name).rpartition(".")[2].lower()
                yield sample_of(item, item.name, item.name, 0, face)[0], suffix, data


def faces(item: Item, detector: FaceDetector, rate: float) -> Iterator[tuple[int, Face]]:
    """(track number, sample) of every face in a video, as a scan sees them.

    Raises ``UnusableError`` where the video cannot be decoded at all.
    """
    media = within(open_media(item.path, str(item.path)), item.region)
    rate = media.info.sampling_rate(rate)
    tracker = FaceTracker(detector, patience=patience_at(rate))
    for _, frame in media.read(WHOLE, rate, ReadCounts()):
        image, time = frame.image, frame.media_time
        for track in tracker.update(image, time):
            yield track.id, look(image, track.box, track.landmarks, track.score, time)


def look(image: Image, box: Floats, landmarks: Floats, score: float, time: float) -> Face:
    """One face of ``image``, with its surroundings and the server's measure of sharpness."""
    around, offset = patch(image, landmarks)
    crop = align_crop(image, landmarks)
    quality = judge(image, box, crop, to_crop(landmarks, alignment(landmarks)))
    return Face(time, box.copy(), landmarks.copy(), score, quality.sharpness, around, offset)


def picture_face(image: Image, detector: FaceDetector) -> Face | None:
    """The largest face of a single picture, mirrored outwards first in case it fills it."""
    pad = round(_PAD * max(image.shape[:2]))
    wide = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REFLECT_101)
    found = detector.detect(np.asarray(wide, np.uint8))
    if not len(found):
        return None
    best = int(np.argmax(found.boxes[:, 2] - found.boxes[:, 0]))
    box, landmarks = found.boxes[best] - pad, found.landmarks[best] - pad
    face = look(image, box, landmarks, float(found.scores[best]), 0.0)
    # The picture is stored as it came, so the patch is all of it.
    return Face(0.0, box, landmarks, face.score, face.sharpness, image, (0, 0))


def sample_of(item: Item, key: str, video: str, track: int, face: Face) -> tuple[Sample, Face]:
    """The facts of one sample, beside it."""
    sample = Sample(
        key=key.replace(".", "_"),
        video=video,
        track=track,
        time=face.time,
        # Not rounded: the crop that is cut from the patch is the server's to the byte.
        landmarks=tuple(float(str(value)) for value in face.local.reshape(-1)),
        face_px=face.side,
        score=face.score,
        sharpness=face.sharpness,
        label=item.label,
        dataset=item.dataset,
        method=item.method,
        split=item.split,
        pair=item.pair,
        identities=item.identities,
    )
    return sample, face


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


def png(image: Image) -> bytes:
    """``image`` (RGB) as PNG. Raises ``ValueError`` where it cannot be written."""
    swapped = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    good, data = cv2.imencode(".png", swapped, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not good:
        raise ValueError(f"a picture of shape {image.shape} could not be written as PNG")
    return data.tobytes()
