"""One face followed over time: where it is, what it looks like, and if it is still the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_server.vision.identity import likeness
from stream_server.vision.types import Detections, Floats

_REFERENCE_SECONDS = 1.0  # how old the looks are that a face is held against beside the last ones


@dataclass
class Track:
    """Coordinates are in pixels of the video, times in seconds of media time."""

    id: int
    box: Floats
    landmarks: Floats
    score: float
    seen_time: float
    signature: Floats
    reference: Floats
    reference_time: float
    visible: bool = True
    carried: bool = False  # optical flow followed it into this frame

    @classmethod
    def begin(cls, number: int, seen: Detections, looks: Floats, now: float) -> Track:
        """A track of the only face in ``seen``, which has the signature ``looks``."""
        return cls(
            id=number,
            box=seen.boxes[0],
            landmarks=seen.landmarks[0],
            score=float(seen.scores[0]),
            seen_time=now,
            signature=looks,
            reference=looks,
            reference_time=now,
        )

    def rescale(self, ratio: Floats) -> None:
        """Adapt to frames whose width and height are ``ratio`` ``[2]`` times what they were."""
        self.box = self.box * np.tile(ratio, 2)
        self.landmarks = self.landmarks * ratio

    def carry(self, moved: Floats) -> None:
        """Move by the similarity ``moved`` ``[2, 3]``."""
        turn, shift = moved[:, :2], moved[:, 2]
        self.landmarks = self.landmarks @ turn.T + shift
        centre = turn @ ((self.box[:2] + self.box[2:]) / 2) + shift
        half = (self.box[2:] - self.box[:2]) / 2 * float(np.hypot(turn[0, 0], turn[1, 0]))
        self.box = np.concatenate((centre - half, centre + half)).astype(np.float32)
        self.carried = True

    def unseen(self, now: float, likely: bool) -> None:
        """No picture shows where it is; ``likely``: it may well be there still."""
        if not likely:
            self.visible = False
        elif self.visible:
            self.seen_time = now

    def is_someone_else(self, looks: Floats) -> bool:
        """Whether a face found where this one is has the signature of another person."""
        # A head that turns fast changes its looks, but flow follows it; another face it does not.
        least_now, least_before = (0.5, 0.0) if self.carried else (0.7, 0.4)
        return (
            likeness(looks, self.signature) < least_now
            or likeness(looks, self.reference) < least_before
        )

    def measure(self, seen: Detections, looks: Floats, now: float) -> None:
        """Take in a new measurement of this face, the only one in ``seen``."""
        side = max(float((self.box[2:] - self.box[:2]).max()), 1.0)
        jump = float(np.abs(seen.landmarks[0] - self.landmarks).max()) / side
        # The O-Net's landmarks tremble by a pixel or two; flow does not, but drifts. Where both
        # agree the mixture is steadier than either.
        trust = np.float32(0.4 if jump < 0.08 and self.visible else 1.0)
        self.landmarks = self.landmarks + trust * (seen.landmarks[0] - self.landmarks)
        self.box = _merged(self.box, seen.boxes[0], trust)
        self.score, self.seen_time, self.visible = float(seen.scores[0]), now, True
        self.signature = looks
        if now - self.reference_time > _REFERENCE_SECONDS:
            self.reference, self.reference_time = looks, now


def _merged(box: Floats, measured: Floats, trust: np.float32) -> Floats:
    """The box between prediction and measurement; its size follows more slowly than its place."""
    centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    new_centre, new_size = (measured[:2] + measured[2:]) / 2, measured[2:] - measured[:2]
    slow = trust if trust == 1 else trust / 2
    centre = centre + trust * (new_centre - centre)
    size = size + slow * (new_size - size)
    return np.concatenate((centre - size / 2, centre + size / 2)).astype(np.float32)
