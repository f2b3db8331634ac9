"""A part of each picture of a medium: one side of a clip that shows two versions side by side, or
one of the tiles that a long strip is looked at in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from stream_server.ingest.files.media import Media, ReadCounts, Stretch
from stream_server.vision.types import Frame, Image

Region = tuple[float, float, float, float]
"""Left, top, right and bottom in fractions of the picture."""

WHOLE_PICTURE: Region = (0.0, 0.0, 1.0, 1.0)

_EXTREME = 4.0  # times as long as wide from which it is tiles; two pictures side by side are none
_TILE = 2.0  # how many times as long as wide a tile is; half of it lies in the next one too


def longest_side(width: int, height: int, limit: int) -> float:
    """How long the longer side of a picture may be so that no tile of it exceeds ``limit``."""
    ratio = max(width, height) / max(min(width, height), 1)
    return limit * ratio / _TILE if ratio > _EXTREME else limit


def tiles(width: int, height: int) -> tuple[Region, ...]:
    """The parts that a picture is looked at in: the whole one, unless it is a long strip.

    Two neighbours share a square, so that every face is whole in one of them.
    """
    long, short = max(width, height), max(min(width, height), 1)
    if long / short <= _EXTREME:
        return (WHOLE_PICTURE,)
    length = _TILE * short / long
    count = math.ceil((1 - length) / (length / 2) - 1e-9) + 1
    starts = [i * (1 - length) / (count - 1) for i in range(count)]
    if width > height:
        return tuple((start, 0.0, start + length, 1.0) for start in starts)
    return tuple((0.0, start, 1.0, start + length) for start in starts)


class PartOfPicture:
    """``region`` of ``media``, as a ``Media`` of its own."""

    def __init__(self, media: Media, region: Region) -> None:
        self._media = media
        self._region = region
        left, top, right, bottom = region
        self.info = replace(
            media.info,
            width=round(media.info.width * (right - left)),
            height=round(media.info.height * (bottom - top)),
        )

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """See ``Media.read``."""
        for stretch, frame in self._media.read(stretches, rate, counts):
            yield stretch, replace(frame, image=_part(frame.image, self._region))


def within(media: Media, region: Region) -> Media:
    """``media``, or the part of it that ``region`` names."""
    return media if region == WHOLE_PICTURE else PartOfPicture(media, region)


def _part(image: Image, region: Region) -> Image:
    height, width = image.shape[:2]
    left, top, right, bottom = region
    rows = slice(round(top * height), round(bottom * height))
    columns = slice(round(left * width), round(right * width))
    return np.ascontiguousarray(image[rows, columns])
