"""Windows of features: whole clips through one delivery, encoded once, cut at random lengths.

A pass is one clip with one delivery and one cut over all its frames. Real clips also get passes
that are self-blended at clip level: one mask and one transform for the whole clip, trembling a
little from frame to frame, so that a head sees them as it sees a maker's fakes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset

from stream_server.atomic import replacing, sweep
from stream_server.vision.types import Floats, Image
from training.arrays import as_floats
from training.augment.delivery import Delivery
from training.augment.margin import Cut
from training.augment.self_blend import Blend
from training.augment.transcode import Codec
from training.data.manifest import Manifest, landmarks_of
from training.data.shards import Stored
from training.fit.batches import Batch
from training.models.encoding import Encode

_TRANSCODED = 0.35  # the share of passes that go through a video codec once more
_TREMBLE = 0.006  # how far a clip-level blend moves from frame to frame, in faces


@dataclass(frozen=True)
class Clip:
    """One pass over one clip; ``features`` ``[n, D]``, ``landmarks`` ``[n, 10]`` in the crop."""

    features: Floats
    landmarks: Floats
    label: str
    dataset: str
    method: str
    blended: bool


def augmented(
    manifest: Manifest, rows: Sequence[Stored], rng: np.random.Generator, blended: bool
) -> tuple[list[Image], Floats]:
    """The crops of one pass over ``rows``, and their landmarks in the crop ``[n, 10]``."""
    delivery, cut = Delivery.random(rng), Cut.random(rng)
    blend = replace(Blend.random(rng), jitter=_TREMBLE)
    crops: list[Image] = []
    points: list[Floats] = []
    pictures = [manifest.image(row) for row in rows]
    places = [landmarks_of(row.sample) for row in rows]
    if blended:
        both = zip(pictures, places, strict=True)
        pictures = [blend.apply(image, landmarks, rng) for image, landmarks in both]
    if len(rows) > 1 and rng.random() < _TRANSCODED:
        before = pictures
        pictures = Codec.random(rng).apply(before)
        places = [
            as_floats(landmarks * (np.array(new.shape[1::-1]) / np.array(old.shape[1::-1])))
            for landmarks, new, old in zip(places, pictures, before, strict=True)
        ]
    for row, image, landmarks in zip(rows, pictures, places, strict=True):
        image, landmarks = delivery.apply(image, landmarks, row.sample.face_px, rng)
        crops.append(cut.apply(image, landmarks))
        points.append(cut.points(landmarks))
    return crops, np.stack(points)


def make_passes(
    manifest: Manifest, encode: Encode | None, out: Path, passes: int, stills: int, seed: int = 0
) -> Iterator[Path]:
    """Encode ``passes`` passes of every clip, and ``stills`` single pictures; yields the files.

    Files that are there already are kept, so a run that was cut off goes on where it stopped.
    Without ``encode`` (a member that sees landmarks alone) there are no blends and no features.
    """
    sweep(out)
    cv2.setNumThreads(1)
    videos = manifest.videos()
    for name, rows in videos.items():
        if len(rows) < 2:
            continue
        kinds = [False, True] if rows[0].sample.label == "real" and encode else [False]
        for number in range(passes):
            for blended in kinds:
                path = out / f"{name}-{number}{'-blended' if blended else ''}.npz"
                if not path.exists():
                    rng = np.random.default_rng((seed, zlib.crc32(path.name.encode())))
                    crops, points = augmented(manifest, rows, rng, blended)
                    _write(path, crops, points, encode, rows[:1], [blended])
                yield path
    singles = [rows[0] for rows in videos.values() if len(rows) == 1]
    rng = np.random.default_rng((seed, 1))
    chosen = [singles[int(place)] for place in rng.permutation(len(singles))[:stills]]
    for start in range(0, len(chosen) if encode else 0, 250):
        path = out / f"stills-{start:06d}.npz"
        part = chosen[start : start + 250]
        rng = np.random.default_rng((seed, 2, start))
        blends = [row.sample.label == "real" and bool(rng.random() < 0.35) for row in part]
        if not path.exists():
            pairs = [
                augmented(manifest, [row], rng, b) for row, b in zip(part, blends, strict=True)
            ]
            points = np.concatenate([points for _, points in pairs])
            _write(path, [crops[0] for crops, _ in pairs], points, encode, part, blends)
        yield path


def _write(
    path: Path,
    crops: list[Image],
    points: Floats,
    encode: Encode | None,
    rows: Sequence[Stored],
    blends: Sequence[bool],
) -> None:
    """One file: as many single clips as ``rows``, or one clip of all crops for one row."""
    batches = [np.stack(crops[start : start + 32]) for start in range(0, len(crops), 32)]
    features = np.concatenate([encode(batch) for batch in batches]) if encode else points[:, :0]
    with replacing(path) as part, part.open("wb") as handle:
        np.savez(
            handle,
            features=features.astype(np.float32),
            landmarks=points,
            label=[row.sample.label for row in rows],
            dataset=[row.sample.dataset for row in rows],
            method=[row.sample.method for row in rows],
            blended=np.array(blends),
        )


def read_passes(paths: Sequence[Path]) -> list[Clip]:
    """The clips in files that ``make_passes`` wrote."""
    clips: list[Clip] = []
    for path in paths:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        count = len(arrays["label"])
        features, landmarks = arrays["features"], arrays["landmarks"]
        cuts = [slice(None)] if count == 1 else [slice(n, n + 1) for n in range(count)]
        for number, where in enumerate(cuts):
            clips.append(
                Clip(
                    features[where],
                    landmarks[where],
                    str(arrays["label"][number]),
                    str(arrays["dataset"][number]),
                    str(arrays["method"][number]),
                    bool(arrays["blended"][number]),
                )
            )
    return clips


class Windows(IterableDataset[Batch]):
    """Endless batches of windows: ``features`` ``[n, T, D]``, ``length``, ``label`` ``[n, 1]``.

    A real window stands beside a fake one of the same length, or the length would give the label
    away; a quarter of these pairs are still pictures. Fakes come from every (data set, method,
    blended or not) in equal shares, reals from every data set. Lengths are 1 to 50, as often
    short as long.
    """

    def __init__(
        self, clips: Sequence[Clip], batch: int, seed: int, landmarks: bool = False, start: int = 0
    ) -> None:
        self.groups: dict[tuple[bool, bool], dict[str, list[Clip]]] = {}
        for clip in clips:
            fake, still = clip.label == "fake" or clip.blended, len(clip.landmarks) == 1
            group = f"{clip.dataset}/{clip.method}/{clip.blended}"
            self.groups.setdefault((still, fake), {}).setdefault(group, []).append(clip)
        for fake, name in ((False, "real"), (True, "fake")):
            if (False, fake) not in self.groups:
                raise ValueError(f"only one class to train on: no {name} video")
        self.stills = {(True, False), (True, True)} <= self.groups.keys()
        self.size, self.seed, self.landmarks, self.start = batch, seed, landmarks, start

    def __iter__(self) -> Iterator[Batch]:
        count = self.start
        while True:
            yield self.batch(np.random.default_rng((self.seed, count)))
            count += 1

    def batch(self, rng: np.random.Generator) -> Batch:
        """One batch; the same for the same state of ``rng``."""
        drawn: list[Floats] = []
        for _ in range(self.size // 2):
            still = self.stills and bool(rng.random() < 0.25)
            pair: list[Floats] = []
            for fake in (False, True):
                groups = list(self.groups[still, fake].values())
                group = groups[int(rng.integers(len(groups)))]
                clip = group[int(rng.integers(len(group)))]
                pair.append(clip.landmarks if self.landmarks else clip.features)
            wanted = int(np.exp(rng.uniform(0, np.log(50.99))))
            length = min(wanted, len(pair[0]), len(pair[1]))
            for series in pair:
                first = int(rng.integers(len(series) - length + 1))
                drawn.append(series[first : first + length])
        steps = max(len(series) for series in drawn)
        window = np.zeros((self.size, steps, drawn[0].shape[1]), np.float32)
        for row, series in zip(window, drawn, strict=True):
            row[: len(series)] = series
        lengths = np.array([[len(series)] for series in drawn], np.int32)
        labels = np.arange(self.size, dtype=np.float32)[:, None] % 2
        return {
            "features": torch.from_numpy(window),
            "length": torch.from_numpy(lengths),
            "label": torch.from_numpy(labels),
        }
