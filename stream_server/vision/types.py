"""The types that the vision code passes around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""An RGB picture, uint8 ``[H, W, 3]``."""

Gray = NDArray[np.uint8]
"""A luma picture, uint8 ``[H, W]``."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Frame:
    """One decoded picture of a stream.

    ``media_time`` is in seconds of the video's own clock; ``frame_id`` is the sender's number.
    """

    image: Image
    media_time: float
    frame_id: int = 0


@dataclass(frozen=True)
class Detections:
    """The faces found in one picture, in its own pixels.

    ``boxes`` is float32 ``[n, 4]`` as left, top, right, bottom; ``scores`` float32 ``[n]`` in 0
    to 1; ``landmarks`` float32 ``[n, 5, 2]`` in MTCNN's order: the eye on the picture's left, the
    eye on its right, nose, the mouth corner on the left, the one on the right.
    """

    boxes: Floats
    scores: Floats
    landmarks: Floats

    @classmethod
    def empty(cls) -> Detections:
        return cls(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)
        )

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_] | list[int]) -> Detections:
        """The detections at ``index`` (positions or a mask), in that order."""
        return Detections(self.boxes[index], self.scores[index], self.landmarks[index])

    def scaled(self, factor: float) -> Detections:
        """The same faces in a picture ``factor`` times as large."""
        scale = np.float32(factor)
        return Detections(self.boxes * scale, self.scores, self.landmarks * scale)
