"""WebDataset shards of face patches: written whole or not at all, read at random.

A sample is a picture (``KEY.png`` or ``KEY.jpg``) and its facts (``KEY.json``). The picture is
the face with its surroundings as they stood in the frame, not yet aligned: the crop is cut from
it by ``stream_server.vision.crop.align_crop`` with the landmarks, so training can shift and scale
the crop without resampling twice.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stream_server.atomic import replacing

#: Data sets whose fakes are swapped or reenacted faces: what blending leaves can be found there.
SWAPS = ("DFDC", "DeepFaceLive demo", "FaceForensics++ c23", "frederickszk/LRNet")


@dataclass(frozen=True)
class Sample:
    """One face in one frame.

    ``landmarks`` are ten numbers, x and y of the five points in pixels of the patch; ``face_px``
    the box's longer side in pixels of the frame; ``sharpness`` the variance of the Laplacian of
    the crop; ``score`` the detector's.
    """

    key: str
    video: str
    track: int
    time: float
    landmarks: tuple[float, ...]
    face_px: float
    score: float
    sharpness: float
    label: str
    dataset: str
    method: str
    split: str
    pair: str
    identities: tuple[str, ...]


def sample_from(facts: dict[str, Any]) -> Sample:
    """A sample from its JSON form. Raises ``KeyError`` or ``TypeError`` where fields are amiss."""
    lists = {name: tuple(facts[name]) for name in ("landmarks", "identities")}
    return Sample(**{**facts, **lists})


@dataclass(frozen=True)
class Stored:
    """A sample and where its picture's bytes lie."""

    sample: Sample
    shard: str
    offset: int
    size: int


def write_shard(path: Path, samples: Iterable[tuple[Sample, str, bytes]]) -> int:
    """Write ``(sample, extension, picture bytes)`` to ``path``; it appears only when complete.

    Returns the number of samples. A process killed at any moment leaves at most a ``.part`` file.
    """
    count = 0
    with (
        replacing(path) as part,
        tarfile.open(part, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for sample, extension, picture in samples:
            _add(archive, f"{sample.key}.{extension}", picture)
            _add(archive, f"{sample.key}.json", json.dumps(asdict(sample)).encode())
            count += 1
    return count


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


class HalfShardError(ValueError):
    """A shard that breaks off, or holds a picture without its facts."""


def read_shard(path: Path) -> Iterator[Stored]:
    """The samples of one shard. Raises ``HalfShardError`` where it is cut off or malformed."""
    pictures: dict[str, tuple[int, int]] = {}
    try:
        with tarfile.open(path, mode="r:") as archive:
            for info in archive:
                key, _, extension = info.name.rpartition(".")
                if extension != "json":
                    pictures[key] = (info.offset_data, info.size)
                    continue
                handle = archive.extractfile(info)
                facts: dict[str, Any] = json.loads(handle.read() if handle else b"")
                offset, size = pictures.pop(key)
                yield Stored(sample_from(facts), path.name, offset, size)
    except (tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise HalfShardError(f"{path}: {type(error).__name__}: {error}") from error
    if pictures:
        raise HalfShardError(f"{path}: no facts for {next(iter(pictures))}")
