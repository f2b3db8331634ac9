"""Files that were damaged at random: they are read as far as they go, or refused in words."""

from __future__ import annotations

import logging
import math
import random
from pathlib import Path
from typing import Any

import av.logging
import pytest
from PIL import Image as Pillow

from stream_server.ingest.files.media import ReadCounts, Stretch
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.unusable import UnusableError
from tests.support.scan_media import every, moving_face, write_video

SMALL = (160, 120)
EACH = 40


def video(path: Path, **options: Any) -> Path:
    return write_video(path, moving_face(SMALL), every(10, 1), rate=10, **options)


def animation(path: Path) -> Path:
    frames = [Pillow.fromarray(moving_face(SMALL)(t)) for t in every(10, 0.6)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path


def still(path: Path) -> Path:
    Pillow.fromarray(moving_face(SMALL)(0.0)).save(path)
    return path


VP9 = {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}
MAKERS = {
    "a.mp4": video,
    "a.mkv": video,
    "a.ts": video,
    "a.webm": lambda path: video(path, **VP9),
    "a.gif": animation,
    "a.webp": animation,
    "a.jpg": still,
    "a.png": still,
    "a.tiff": still,
}


def damaged(content: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return content[: chance.randrange(1, len(content))]
    changed = bytearray(content)
    for _ in range(chance.choice((1, 5, 40, 300))):
        # The first bytes are where the structure is.
        reach = min(len(changed), chance.choice((64, 600, len(changed))))
        changed[chance.randrange(reach)] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("name", MAKERS)
def test_damage_is_survived_or_refused_in_words(tmp_path: Path, name: Any) -> None:
    av.logging.set_level(None)
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    content = MAKERS[name](tmp_path / name).read_bytes()
    chance = random.Random(name)
    outcomes = {"read": 0, "refused": 0}
    for number in range(EACH):
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(damaged(content, chance))
        try:
            media = open_media(path, name, 8192 * 8192, 120_000_000)
            for _, frame in media.read((Stretch(0.0, math.inf),), 10.0, ReadCounts()):
                assert frame.image.ndim == 3 and math.isfinite(frame.media_time)
            outcomes["read"] += 1
        except UnusableError as error:
            assert name in str(error)
            outcomes["refused"] += 1
        path.unlink()
    # Checksums make a PNG all or nothing; the others are read in part now and then.
    assert outcomes["refused"] > 0 and (outcomes["read"] > 0 or name == "a.png"), outcomes
