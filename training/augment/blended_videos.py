"""Self-blended fakes of real videos, as shards: sets to look at and to test on.

One mask and one transform a clip, trembling a little, so that a video of them holds together.
Training blends on the fly and does not need them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.augment.self_blend import Blend
from training.data.extract import png
from training.data.manifest import Manifest, landmarks_of
from training.data.shards import Sample, Stored, write_shard

METHOD = "self-blended"


def blended(
    manifest: Manifest, rows: Sequence[Stored], seed: int
) -> Iterator[tuple[Sample, str, bytes]]:
    """The samples of one real video, each with its face blended over."""
    rng = np.random.default_rng((seed, zlib.crc32(rows[0].sample.video.encode())))
    blend = replace(Blend.random(rng), jitter=0.006)
    for row in rows:
        sample = row.sample
        image = blend.apply(manifest.image(row), landmarks_of(sample), rng)
        fake = replace(
            sample,
            key=f"{sample.key}-blended",
            video=f"{sample.video}-blended",
            label="fake",
            method=METHOD,
            pair=sample.video,
        )
        yield fake, "png", png(image)


def real_videos(manifest: Manifest) -> dict[str, list[Stored]]:
    """The rows of each real video. Raises ``ValueError`` where there is none."""
    real = {
        name: rows for name, rows in manifest.videos().items() if rows[0].sample.label == "real"
    }
    if not real:
        raise ValueError(f"{manifest.root} holds no real face to blend")
    return real


def write_blended(manifest: Manifest, rows: Sequence[Stored], out: Path, seed: int) -> int:
    """Write the fake of one real video as a shard in ``out``; returns the number of faces.

    0 where it is there already.
    """
    path = out / f"{rows[0].sample.video}-blended.tar"
    return 0 if path.exists() else write_shard(path, blended(manifest, rows, seed))
