"""Following faces over the frames of one video.

Every few tenths of a second MTCNN looks at the whole (downscaled) picture. In between, optical
flow carries each face along and the O-Net alone, a third of a millisecond a face, confirms it
and measures its landmarks anew. A scene cut, a gap in time, or a face that suddenly looks like
somebody else ends a track, so that what is collected along a track is always one person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from stream_server.vision.association import associate, duplicates
from stream_server.vision.detect import FaceDetector
from stream_server.vision.flow import motion
from stream_server.vision.identity import likeness, signature
from stream_server.vision.scene import CutDetector
from stream_server.vision.types import Detections, Floats, Gray, Image


@dataclass
class Track:
    """One face followed over time. Coordinates are in pixels of the frames given."""

    id: int
    box: Floats
    landmarks: Floats
    score: float
    first_time: float
    seen_time: float
    signature: Floats
    reference: Floats
    reference_time: float
    visible: bool = True
    carried: bool = False  # optical flow followed it into this frame


def patience_at(rate: float) -> float:
    """How long a face may go unconfirmed, in seconds, at ``rate`` pictures a second: slow media
    leave more time between two sights of it."""
    return max(0.6, 1.5 / rate)


class FaceTracker:
    """Turns the frames of one video into tracks; one instance a video.

    ``detect_every`` (seconds of media time) is how often the whole picture is searched: a larger
    value saves time and lets new faces wait. ``patience`` is how long a face may go unconfirmed
    before its track ends. ``longest_side`` bounds the picture that is searched: smaller is faster
    and misses small faces. ``max_faces`` bounds the tracks; the largest faces are kept, and
    ``crowded`` tells how many faces the last search found beyond it.
    """

    def __init__(
        self,
        detector: FaceDetector,
        detect_every: float = 0.5,
        patience: float = 0.6,
        longest_side: int = 640,
        max_faces: int = 16,
    ) -> None:
        self.detector = detector
        self.detect_every = detect_every
        self.patience = patience
        self.longest_side = longest_side
        self.max_faces = max_faces
        self.crowded = 0
        self.cuts = 0
        self._cut = CutDetector()
        self._tracks: list[Track] = []
        self._ids = self._count()
        self._gray: Gray | None = None
        self._size = (0, 0)
        self._time = -np.inf
        self._searched = -np.inf

    @property
    def tracks(self) -> list[Track]:
        """All tracks that have not ended, those out of sight for a moment too."""
        return list(self._tracks)

    def reset(self) -> None:
        """End all tracks, as after a seek. Track numbers are not used again."""
        self._tracks = []
        self._gray = None
        self._time = self._searched = -np.inf
        self._cut.reset()

    def update(self, image: Image, media_time: float) -> list[Track]:
        """Follow the faces into ``image`` (uint8 ``[H, W, 3]``) and return those visible in it.

        ``media_time`` in seconds must not run backwards; call ``reset`` on a seek. Raises
        ``ValueError`` if it does.
        """
        if media_time < self._time:
            raise ValueError(f"media_time {media_time} comes after {self._time}")
        small, scale = _shrunk(image, self.longest_side)
        gray: Gray = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        self._adapt_to_size(image.shape[1], image.shape[0])
        if self._cut.is_cut(small) or media_time - self._time > 2 * self.patience:
            self.cuts += bool(self._tracks)
            self._tracks = []
            self._searched = -np.inf
        lost = self._carry(gray, scale)
        if self._search_due(media_time, lost):
            self._searched = media_time
            found = self._search(small, scale)
        else:
            found = Detections.empty()
        self._confirm(small, scale, found, media_time)
        self._time, self._gray = media_time, gray
        return [track for track in self._tracks if track.visible]

    def _adapt_to_size(self, width: int, height: int) -> None:
        """An adaptive stream may change its resolution in the middle of a shot."""
        if self._size != (width, height) and self._size != (0, 0):
            ratio = np.array([width / self._size[0], height / self._size[1]], np.float32)
            for track in self._tracks:
                track.box = track.box * np.tile(ratio, 2)
                track.landmarks = track.landmarks * ratio
            self._gray = None
            self._searched = -np.inf
        self._size = (width, height)

    def _search_due(self, now: float, lost: bool) -> bool:
        waited = now - self._searched
        # A lost face is looked for at once, but a face that stays away must not cost a search
        # in every frame.
        return waited >= (self.detect_every / 4 if lost else self.detect_every)

    def _carry(self, gray: Gray, scale: float) -> bool:
        """Move every track by the flow since the last frame; whether one could not be moved."""
        lost = False
        for track in self._tracks:
            lost = lost or not track.visible
            track.carried = False
            if self._gray is None or self._gray.shape != gray.shape:
                continue
            moved = motion(self._gray, gray, track.box * np.float32(scale))
            if moved is None:
                lost = True
                continue
            track.carried = True
            turn, shift = moved[:, :2], moved[:, 2] / np.float32(scale)
            track.landmarks = track.landmarks @ turn.T + shift
            centre = turn @ ((track.box[:2] + track.box[2:]) / 2) + shift
            half = (track.box[2:] - track.box[:2]) / 2 * float(np.hypot(turn[0, 0], turn[1, 0]))
            track.box = np.concatenate((centre - half, centre + half)).astype(np.float32)
        return lost

    def _search(self, small: Image, scale: float) -> Detections:
        found = self.detector.detect(small).scaled(1 / scale)
        found = found.take(found.scores > 0.9)
        area = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
        largest = np.argsort(-area, kind="stable")
        self.crowded = max(len(found) - self.max_faces, 0)
        return found.take(largest[: self.max_faces])

    def _confirm(self, small: Image, scale: float, found: Detections, now: float) -> None:
        boxes = np.array([track.box for track in self._tracks], np.float32).reshape(-1, 4)
        pairs = associate(boxes, found.boxes)
        taken = {detection for _, detection in pairs}
        for position, detection in pairs:
            one = found.take([detection])
            self._measure(self._tracks[position], one, small, scale, now)
        alone = [i for i in range(len(boxes)) if i not in {position for position, _ in pairs}]
        if alone:
            checked = self.detector.refine_each(small, boxes[alone] * np.float32(scale))
            checked = checked.scaled(1 / scale)
            for answer, position in enumerate(alone):
                self._recheck(self._tracks[position], checked.take([answer]), small, scale, now)
        new = [i for i in range(len(found)) if i not in taken]
        fresh = [self._begin(found.take([i]), small, scale, now) for i in new]
        self._tracks = [t for t in self._tracks if now - t.seen_time <= self.patience] + fresh
        self._tracks = self._without_duplicates()[: self.max_faces]

    def _recheck(
        self, track: Track, answer: Detections, small: Image, scale: float, now: float
    ) -> None:
        shift = np.abs(answer.boxes[0] - track.box).max() / max(float(np.ptp(track.box[::2])), 1)
        if answer.scores[0] > self.detector.thresholds[2] and shift < 0.5:
            self._measure(track, answer, small, scale, now)
        else:
            track.visible = False

    def _measure(
        self, track: Track, answer: Detections, small: Image, scale: float, now: float
    ) -> None:
        """Merge a measurement into a track, or let it begin a new one if it is someone else."""
        looks = signature(small, answer.landmarks[0] * np.float32(scale))
        # A head that turns fast changes its looks, but flow follows it; another face it does not.
        least_now, least_before = (0.5, 0.0) if track.carried else (0.7, 0.4)
        if (
            likeness(looks, track.signature) < least_now
            or likeness(looks, track.reference) < least_before
        ):
            successor = self._begin(answer, small, scale, now)
            track.__dict__.update(successor.__dict__)
            return
        side = max(float((track.box[2:] - track.box[:2]).max()), 1.0)
        jump = float(np.abs(answer.landmarks[0] - track.landmarks).max()) / side
        # The O-Net's landmarks tremble by a pixel or two; flow does not, but drifts. Where both
        # agree the mixture is steadier than either.
        trust = np.float32(0.4 if jump < 0.08 and track.visible else 1.0)
        track.landmarks = track.landmarks + trust * (answer.landmarks[0] - track.landmarks)
        track.box = _merged(track.box, answer.boxes[0], trust)
        track.score, track.seen_time, track.visible = float(answer.scores[0]), now, True
        track.signature = looks
        if now - track.reference_time > 1.0:
            track.reference, track.reference_time = looks, now

    def _begin(self, one: Detections, small: Image, scale: float, now: float) -> Track:
        looks = signature(small, one.landmarks[0] * np.float32(scale))
        return Track(
            id=next(self._ids),
            box=one.boxes[0],
            landmarks=one.landmarks[0],
            score=float(one.scores[0]),
            first_time=now,
            seen_time=now,
            signature=looks,
            reference=looks,
            reference_time=now,
        )

    def _without_duplicates(self) -> list[Track]:
        """Two tracks that ran onto one face: the older one stays."""
        boxes = np.array([track.box for track in self._tracks], np.float32).reshape(-1, 4)
        doubled = duplicates(boxes)
        return [track for i, track in enumerate(self._tracks) if i not in doubled]

    @staticmethod
    def _count() -> Iterator[int]:
        number = 0
        while True:
            number += 1
            yield number


def _shrunk(image: Image, longest_side: int) -> tuple[Image, float]:
    height, width = image.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return image, 1.0
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _merged(box: Floats, measured: Floats, trust: np.float32) -> Floats:
    """The box between prediction and measurement; its size follows more slowly than its place."""
    centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    new_centre, new_size = (measured[:2] + measured[2:]) / 2, measured[2:] - measured[:2]
    slow = trust if trust == 1 else trust / 2
    centre = centre + trust * (new_centre - centre)
    size = size + slow * (new_size - size)
    return np.concatenate((centre - size / 2, centre + size / 2)).astype(np.float32)
