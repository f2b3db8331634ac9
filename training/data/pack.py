"""Less of a set of shards, in pieces small enough to be carried to another machine.

Of each video some samples, evenly over its time; patches at most 320 pixels wide, as JPEG of high
quality without subsampled colours where they were PNG. Real and fake go through the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from stream_server.vision.types import Image
from training.arrays import as_image
from training.data.manifest import Manifest, spread
from training.data.shards import Sample, Stored, write_shard

_SIDE, _QUALITY = 320, 95
_PER_SAMPLE = 2560  # its facts and the archive's own headers, in bytes


def chosen(
    manifest: Manifest, per_video: int, stills: int, others: Mapping[str, int]
) -> list[list[Stored]]:
    """At most ``per_video`` samples of each video and ``stills`` pictures of each set and label.

    ``others`` says otherwise for ``"DATASET/LABEL"``. The halves of a moment stay together.
    """
    pairs: dict[str, dict[int, list[Stored]]] = {}
    kept: list[list[Stored]] = []
    pictures: dict[str, list[Stored]] = {}
    for _, rows in sorted(manifest.videos().items()):
        one = rows[0].sample
        name = f"{one.dataset}/{one.label}"
        if one.pair:
            moments = pairs.setdefault(f"{one.dataset} {one.pair}", {})
            for row in rows:
                moments.setdefault(round(row.sample.time * 100), []).append(row)
        elif len(rows) == 1:
            pictures.setdefault(name, []).append(rows[0])
        else:
            kept.append(spread(rows, others.get(name, per_video)))
    for moments in pairs.values():
        whole = [rows for _, rows in sorted(moments.items()) if len(rows) == 2]
        name = f"{whole[0][0].sample.dataset}/pair" if whole else ""
        kept.append([row for rows in spread(whole, others.get(name, per_video)) for row in rows])
    for name, rows in pictures.items():
        kept += [[row] for row in spread(rows, others.get(name, stills))]
    return [rows for rows in kept if rows]


def pack(
    manifest: Manifest, groups: Sequence[Sequence[Stored]], out: Path, size: int, seed: int = 0
) -> Iterator[tuple[Path, int]]:
    """Write ``groups`` in a random order to ``OUT/piece-NN.tar`` of at most ``size`` bytes each.

    Gives each piece and its number of samples. A group stays whole.
    """
    order = np.random.default_rng(seed).permutation(len(groups))
    number, piece, full = 0, list[tuple[Sample, str, bytes]](), 0
    for place in order:
        made = [_carried(manifest, row) for row in groups[int(place)]]
        more = sum(len(data) + _PER_SAMPLE for _, _, data in made)
        if piece and full + more > size:
            yield _written(out, number, piece), len(piece)
            number, piece, full = number + 1, [], 0
        piece += made
        full += more
    if piece:
        yield _written(out, number, piece), len(piece)


def _written(out: Path, number: int, piece: Sequence[tuple[Sample, str, bytes]]) -> Path:
    path = out / f"piece-{number:02d}.tar"
    write_shard(path, piece)
    return path


def _carried(manifest: Manifest, row: Stored) -> tuple[Sample, str, bytes]:
    raw, sample = manifest.raw(row), row.sample
    jpeg = raw[:2] == b"\xff\xd8"
    image = manifest.image(row)
    side = max(image.shape[:2])
    if jpeg and side <= _SIDE:
        return sample, "jpg", raw
    if side > _SIDE:
        factor = _SIDE / side
        size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
        image = as_image(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        points = tuple(value * factor for value in sample.landmarks)
        sample = replace(sample, landmarks=points, face_px=sample.face_px * factor)
    return sample, "jpg", _encoded(image)


def _encoded(image: Image) -> bytes:
    settings = [
        cv2.IMWRITE_JPEG_QUALITY, _QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]  # fmt: skip
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)[1].tobytes()
