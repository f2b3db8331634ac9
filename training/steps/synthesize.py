"""The synthesize step: self-blended fakes of the real faces in a folder of shards, as shards.

With --gan it trains a face swapper on two people's clips instead and writes swapped videos, with
--grid it draws a grid of its faces: "synthesize --gan --help" tells of both.

One mask and one transform a clip, trembling a little, so that a video of them holds together.
Training blends on the fly and does not need this step; it makes sets to look at and to test on.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.augment.self_blend import Blend
from training.data.extract import png
from training.data.manifest import Manifest, landmarks_of
from training.data.shards import Sample, Stored, write_shard
from training.fit.run import RunDir

METHOD = "self-blended"


def blended(
    manifest: Manifest, rows: list[Stored], seed: int
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


def main(argv: list[str]) -> int:
    if "--gan" in argv or "--grid" in argv:
        from training.steps import synthesize_gan  # needs PyTorch, which this step does not

        return synthesize_gan.main(argv)
    parser = argparse.ArgumentParser(prog="python -m training synthesize", description=__doc__)
    parser.add_argument("shards", type=Path, help="folder of the extract step")
    parser.add_argument("--out", type=Path, required=True, help="folder for the new shards")
    parser.add_argument("--limit", type=int, default=0, help="videos at most; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    manifest = Manifest.open(options.shards)
    real = {
        name: rows for name, rows in manifest.videos().items() if rows[0].sample.label == "real"
    }
    if not real:
        raise ValueError(f"{options.shards} holds no real face to blend")
    run = RunDir(options.out / "run", vars(options))
    names = list(real)[: options.limit or None]
    for number, name in enumerate(names, start=1):
        path = options.out / f"{name}-blended.tar"
        if path.exists():
            continue
        count = write_shard(path, blended(manifest, real[name], options.seed))
        run.log("video", video=name, samples=count)
        sys.stderr.write(f"\r{number}/{len(names)} {name}: {count} faces\033[K")
    sys.stderr.write("\n")
    return 0
