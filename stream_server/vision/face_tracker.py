"""Following faces over the frames of one video.

Every few tenths of a second MTCNN looks at the whole (downscaled) picture. In between, optical
flow carries each face along and the O-Net alone, a third of a millisecond a face, confirms it
and measures its landmarks anew. The end of a shot, a gap in time, or a face that suddenly looks
like somebody else ends a track, so that what is collected along a track is always one person.
"""

from __future__ import annotations

from itertools import count

import cv2
import numpy as np

from stream_server.rhythm import Pace
from stream_server.vision.association import associate, duplicates
from stream_server.vision.detect import FaceDetector
from stream_server.vision.flow import motion
from stream_server.vision.identity import signature
from stream_server.vision.shots import Shot, ShotWatch
from stream_server.vision.track import Track
from stream_server.vision.types import Detections, Floats, Gray, Image

_LONGEST_PATIENCE = 6.0  # seconds: after longer it is a new sight, however slow the source


def patience_at(rate: float) -> float:
    """How long a face may go unconfirmed, in seconds, at ``rate`` pictures a second: slow media
    leave more time between two sights of it."""
    return max(0.6, 1.5 / rate)


class FaceTracker:
    """Turns the frames of one video into tracks; one instance a video.

    ``detect_every`` (seconds of media time) is how often the whole picture is searched: a larger
    value saves time and lets new faces wait. ``patience`` is how long a face may go unconfirmed
    before its track ends, longer where pictures come slowly. ``longest_side`` bounds the picture
    that is searched: smaller is faster and misses small faces. ``max_faces`` bounds the tracks; the
    largest faces are kept, and ``crowded`` tells how many faces the last search found beyond it.
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
        self._shots = ShotWatch()
        self._pace = Pace()
        self._tracks: list[Track] = []
        self._numbers = count(1)
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
        self._pace = Pace()
        self._shots.reset()

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
        self._pace.note(media_time)
        shot = self._shots.see(small, media_time)
        if shot is Shot.NONE:
            return []
        if shot is Shot.NEW or media_time - self._time > 2 * self._patience:
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

    @property
    def _patience(self) -> float:
        slow = patience_at(1 / self._pace.seconds) if self._pace.seconds > 0 else 0.0
        return max(self.patience, min(slow, _LONGEST_PATIENCE))

    def _adapt_to_size(self, width: int, height: int) -> None:
        """An adaptive stream may change its resolution in the middle of a shot."""
        if self._size != (width, height) and self._size != (0, 0):
            ratio = np.array([width / self._size[0], height / self._size[1]], np.float32)
            for track in self._tracks:
                track.rescale(ratio)
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
            track.carry(moved, scale)
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
            self._measure(position, found.take([detection]), small, scale, now)
        alone = [i for i in range(len(boxes)) if i not in {position for position, _ in pairs}]
        if alone:
            checked = self.detector.refine_each(small, boxes[alone] * np.float32(scale))
            checked = checked.scaled(1 / scale)
            for answer, position in enumerate(alone):
                self._recheck(position, checked.take([answer]), small, scale, now)
        new = [found.take([i]) for i in range(len(found)) if i not in taken]
        fresh = [
            self._begin(one, signature(small, one.landmarks[0] * np.float32(scale)), now)
            for one in new
        ]
        self._tracks = [t for t in self._tracks if now - t.seen_time <= self._patience] + fresh
        self._tracks = self._without_duplicates()[: self.max_faces]

    def _recheck(
        self, position: int, seen: Detections, small: Image, scale: float, now: float
    ) -> None:
        track = self._tracks[position]
        shift = np.abs(seen.boxes[0] - track.box).max() / max(float(np.ptp(track.box[::2])), 1)
        if seen.scores[0] > self.detector.thresholds[2] and shift < 0.5:
            self._measure(position, seen, small, scale, now)
        else:
            track.visible = False

    def _measure(
        self, position: int, seen: Detections, small: Image, scale: float, now: float
    ) -> None:
        """Merge what was seen into a track, or let another take its place if it is someone else."""
        looks = signature(small, seen.landmarks[0] * np.float32(scale))
        if self._tracks[position].is_someone_else(looks):
            self._tracks[position] = self._begin(seen, looks, now)
        else:
            self._tracks[position].measure(seen, looks, now)

    def _begin(self, seen: Detections, looks: Floats, now: float) -> Track:
        return Track.begin(next(self._numbers), seen, looks, now)

    def _without_duplicates(self) -> list[Track]:
        """Two tracks that ran onto one face: the older one stays."""
        boxes = np.array([track.box for track in self._tracks], np.float32).reshape(-1, 4)
        doubled = duplicates(boxes)
        return [track for i, track in enumerate(self._tracks) if i not in doubled]


def _shrunk(image: Image, longest_side: int) -> tuple[Image, float]:
    height, width = image.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return image, 1.0
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale
