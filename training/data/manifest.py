"""All samples of a folder of shards, filtered, and their pictures by random access."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from stream_server.atomic import replacing
from stream_server.ingest.files.pictures import picture_in
from stream_server.vision.types import Floats, Image
from training.data.shards import HalfShardError, Sample, Stored, read_shard, sample_from

T = TypeVar("T")


@dataclass(frozen=True)
class Quality:
    """What a face must have to be used. Raising a bound drops more of the bad crops.

    ``sharpness`` is the variance of the crop's Laplacian, ``face_px`` the box's longer side,
    ``score`` the detector's confidence.
    """

    sharpness: float = 30.0
    face_px: float = 40.0
    score: float = 0.9

    def passes(self, sample: Sample) -> bool:
        """Whether ``sample`` has all of it."""
        return (
            sample.sharpness >= self.sharpness
            and sample.face_px >= self.face_px
            and sample.score >= self.score
        )


LISTING = "manifest.jsonl"


class ManifestError(ValueError):
    """The listing does not fit the files beside it."""


class Manifest:
    """The samples found under ``root``; ``broken`` names the shards that could not be read."""

    def __init__(self, root: Path, rows: Sequence[Stored], broken: Sequence[str] = ()) -> None:
        self.root = root
        self.rows = list(rows)
        self.broken = list(broken)
        self._files: dict[str, int] = {}

    @classmethod
    def scan(cls, root: Path, quality: Quality | None = None) -> Manifest:
        """Read every shard's listing. Raises ``FileNotFoundError`` where there is none."""
        shards = sorted(root.glob("*.tar"))
        if not shards:
            raise FileNotFoundError(f"{root} holds no shard (*.tar); run the extract step first")
        rows: list[Stored] = []
        broken: list[str] = []
        for shard in shards:
            try:
                rows += list(read_shard(shard))  # whole or not at all
            except HalfShardError as error:
                broken.append(str(error))
        if quality is not None:
            rows = [row for row in rows if quality.passes(row.sample)]
        return cls(root, rows, broken)

    @classmethod
    def open(cls, root: Path, quality: Quality | None = None) -> Manifest:
        """The listing that the splits step wrote, or the shards themselves where there is none.

        Raises ``ManifestError`` where the listing names shards that are missing or cut off.
        """
        listing = root / LISTING
        if not listing.is_file():
            return cls.scan(root, quality)
        rows: list[Stored] = []
        for number, line in enumerate(listing.read_text().splitlines(), start=1):
            try:
                facts = json.loads(line)
                sample = sample_from(facts["sample"])
                rows.append(Stored(sample, facts["shard"], facts["offset"], facts["size"]))
            except (ValueError, KeyError, TypeError) as error:
                raise ManifestError(f"{listing} line {number}: {error}") from error
        ends: dict[str, int] = {}
        for row in rows:
            ends[row.shard] = max(ends.get(row.shard, 0), row.offset + row.size)
        bad = [
            name
            for name, end in ends.items()
            if not (root / name).is_file() or (root / name).stat().st_size < end
        ]
        if bad:
            raise ManifestError(
                f"{listing} names {len(bad)} shards that are missing or cut off: "
                f"{', '.join(sorted(bad)[:5])}; run the extract and splits steps again"
            )
        if quality is not None:
            rows = [row for row in rows if quality.passes(row.sample)]
        return cls(root, rows)

    def write(self) -> Path:
        """Write the listing beside the shards; whole or not at all."""
        with replacing(self.root / LISTING) as part, part.open("w") as handle:
            for row in self.rows:
                facts = {"shard": row.shard, "offset": row.offset, "size": row.size}
                handle.write(json.dumps({**facts, "sample": asdict(row.sample)}) + "\n")
        return self.root / LISTING

    def split(self, name: str) -> Manifest:
        """The samples of one split. Raises ``ValueError`` where there is none."""
        part = self.where(row for row in self.rows if row.sample.split == name)
        if not len(part):
            raise ValueError(f"{self.root}: no sample of split {name!r}; run the splits step")
        return part

    def where(self, rows: Iterable[Stored]) -> Manifest:
        """``rows`` of this manifest, as one of their own."""
        return Manifest(self.root, list(rows), self.broken)

    def __len__(self) -> int:
        return len(self.rows)

    def image(self, row: Stored) -> Image:
        """The patch of ``row``, RGB."""
        return picture_in(self.raw(row), row.sample.key)

    def raw(self, row: Stored) -> bytes:
        """The bytes of ``row``'s picture as stored."""
        if row.shard not in self._files:
            self._files[row.shard] = os.open(self.root / row.shard, os.O_RDONLY)
        return os.pread(self._files[row.shard], row.size, row.offset)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_files": {}}  # file numbers mean nothing in another process

    def videos(self) -> dict[str, list[Stored]]:
        """The rows of each video in the order of time."""
        result: dict[str, list[Stored]] = {}
        for row in self.rows:
            result.setdefault(row.sample.video, []).append(row)
        for rows in result.values():
            rows.sort(key=lambda row: row.sample.time)
        return result


def landmarks_of(sample: Sample) -> Floats:
    """The five points, float32 ``[5, 2]``, in pixels of the patch."""
    return np.array(sample.landmarks, np.float32).reshape(5, 2)


def spread(rows: Sequence[T], count: int) -> list[T]:
    """At most ``count`` of ``rows``, evenly over them."""
    if len(rows) <= count:
        return list(rows)
    return [rows[int(place)] for place in np.linspace(0, len(rows) - 1, count).round()]
