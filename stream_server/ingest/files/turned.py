"""The pictures of a medium by quarter turns, to find faces that lie on their side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from stream_server.ingest.files.media import Media, ReadCounts, Stretch
from stream_server.vision.types import Frame


class Turned:
    """``media`` turned counterclockwise by ``quarters`` of a turn, as a ``Media`` of its own."""

    def __init__(self, media: Media, quarters: int) -> None:
        self._media = media
        self._quarters = quarters
        self.info = media.info
        if quarters % 2:
            self.info = replace(media.info, width=media.info.height, height=media.info.width)

    def read(
        self, stretches: tuple[Stretch, ...], rate: float, counts: ReadCounts
    ) -> Iterator[tuple[Stretch, Frame]]:
        """See ``Media.read``."""
        for stretch, frame in self._media.read(stretches, rate, counts):
            turned = np.ascontiguousarray(np.rot90(frame.image, self._quarters))
            yield stretch, replace(frame, image=turned)
