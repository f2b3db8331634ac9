"""Where a face lies in the whole upright picture, when a part or a turn of it was searched."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stream_server.face_look import Look
from stream_server.ingest.files.region import WHOLE_PICTURE, Region
from stream_server.scan.faces.album import FaceRecord
from stream_server.vision.types import Floats

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Place:
    """What was searched: ``region`` of the picture, turned by ``quarters`` counterclockwise."""

    region: Region = WHOLE_PICTURE
    quarters: int = 0

    def points(self, found: Floats) -> Floats:
        """Points ``[n, 2]`` in fractions of what was searched, as fractions of the picture."""
        across, down = found[:, 0], found[:, 1]
        turned = (
            (across, down),
            (1 - down, across),
            (1 - across, 1 - down),
            (down, 1 - across),
        )[self.quarters % 4]
        left, top, right, bottom = self.region
        x = left + turned[0] * (right - left)
        y = top + turned[1] * (bottom - top)
        return np.stack((x, y), axis=1).astype(np.float32)

    def box(self, found: Box) -> Box:
        """The same for a box: left, top, width, height."""
        left, top, width, height = found
        corners = self.points(np.array([(left, top), (left + width, top + height)], np.float32))
        (x, y), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return float(x), float(y), float(right - x), float(bottom - y)

    def put(self, face: FaceRecord) -> None:
        """Give everything that ``face`` holds its place in the picture."""
        if self == Place():
            return
        face.boxes = [self.box(box) for box in face.boxes]
        face.seen = {time: self.box(box) for time, box in face.seen.items()}
        face.gallery.change_looks(self._look)

    def _look(self, look: Look) -> Look:
        return replace(look, corners=self.points(look.corners), box=self.box(look.box))
