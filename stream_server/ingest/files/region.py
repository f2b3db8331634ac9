"""A part of each picture of a medium: one side of a clip that shows two versions side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from stream_server.ingest.files.media import Media, ReadCounts, Stretch
from stream_server.vision.types import Frame, Image

Region = tuple[float, float, float, float]
"""Left, top, right and bottom in fractions of the picture."""

WHOLE_PICTURE: Region = (0.0, 0.0, 1.0, 1.0)


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
