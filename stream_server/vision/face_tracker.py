"""Following faces over the frames of one video.

Every few tenths of a second MTCNN looks at the whole (downscaled) picture: half as often while all
faces that it found are followed, a quarter while nothing changes around them either. In between,
optical flow carries each face along and the O-Net alone, a third of a millisecond a face, confirms
it and measures its landmarks anew. The end of a shot, a gap in time, or a face that suddenly looks
like somebody else ends a track, so that what is collected along a track is always one person.

A moment may show parts of the video only: each face is followed in the finest picture that holds
it, and one that no picture holds stays as it was until the whole is seen again.
"""

from __future__ import annotations

from itertools import count

import numpy as np

from stream_server.rhythm import Pace
from stream_server.vision.association import associate, duplicates, of_smaller
from stream_server.vision.detect import WITHIN, FaceDetector
from stream_server.vision.flow import between
from stream_server.vision.identity import signature
from stream_server.vision.search import FaceSearch, together
from stream_server.vision.shots import Shot
from stream_server.vision.sight_shots import SightShots
from stream_server.vision.surroundings import Surroundings
from stream_server.vision.track import Track
from stream_server.vision.types import Detections, Floats, Image
from stream_server.vision.views import Sight, View, finest

# Times as long as ``detect_every`` that the next search may wait:
_FOLLOWED = 2  # while all faces are followed,
_STILL = 4  # and while nothing changes around them
_LONGEST_PATIENCE = 6.0  # seconds: after longer it is a new sight, however slow the source
UNSEEN = 3.0
"""Seconds without the whole after which what no picture shows is no longer taken to be there."""


def patience_at(rate: float) -> float:
    """How long a face may go unconfirmed, in seconds, at ``rate`` pictures a second: slow media
    leave more time between two sights of it."""
    return max(0.6, 1.5 / rate)


class FaceTracker:
    """Turns the frames of one video into tracks; one instance a video.

    ``detect_every`` (seconds of media time) is how often the whole picture is searched while nobody
    is followed: a larger value saves time and lets new faces wait. ``patience`` is how long a face
    may go unconfirmed before its track ends, longer where pictures come slowly. ``longest_side``
    bounds the picture that is searched: smaller is faster and misses small faces. ``max_faces``
    bounds the tracks; the largest faces are kept, and ``crowded`` tells how many faces the last
    search found beyond it.
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
        self._search_every = detect_every
        self._search = FaceSearch(detector, max_faces)
        self._shots = SightShots()
        self._surroundings = Surroundings()
        self._pace = Pace()
        self._tracks: list[Track] = []
        self._numbers = count(1)
        self._past: list[View] = []  # the luma of the last moment's pictures
        self._size = (0, 0)
        self._time = -np.inf
        self._busy = False
        self._begin_search_anew()

    @property
    def max_faces(self) -> int:
        """The most faces that are followed."""
        return self._search.max_faces

    @property
    def crowded(self) -> int:
        """How many faces the last search found beyond them."""
        return self._search.crowded

    @property
    def tracks(self) -> list[Track]:
        """All tracks that have not ended, those out of sight for a moment too."""
        return list(self._tracks)

    def reset(self) -> None:
        """End all tracks, as after a seek. Track numbers are not used again."""
        self._tracks = []
        self._past = []
        self._time = -np.inf
        self._begin_search_anew()
        self._pace = Pace()
        self._shots.reset()

    def update(self, image: Image, media_time: float) -> list[Track]:
        """Follow the faces into ``image`` (uint8 ``[H, W, 3]``) and return those visible in it.

        ``media_time`` in seconds must not run backwards; call ``reset`` on a seek. Raises
        ``ValueError`` if it does.
        """
        return self.follow(Sight.of(image), media_time)

    def follow(
        self, sight: Sight, media_time: float, share: float = 1.0, busy: bool = False
    ) -> list[Track]:
        """Like ``update``, with all pictures of one moment. A face that none of them holds counts
        as visible for as long as nothing speaks against it. ``share`` of the searches are made;
        while a moment is ``busy`` with other work, a search that nobody is lost for waits for the
        next one."""
        if media_time < self._time:
            raise ValueError(f"media_time {media_time} comes after {self._time}")
        self._search_every = self.detect_every / share
        self._busy = busy and not self._busy  # not twice in a row
        views = [view.shrunk(self.longest_side) for view in sight.views]
        self._adapt_to_size(sight.size)
        self._pace.note(media_time)
        change = self._shots.see(views, media_time)
        if change.shot is Shot.NONE:
            return []
        if change.shot is Shot.NEW or media_time - self._time > 2 * self._patience:
            self._tracks = []
            self._begin_search_anew()
        elif change.cut:
            self._tracks = [one for one in self._tracks if not self._is_in(change.cut, one, views)]
            self._searched = -np.inf
        hidden = [one for one in self._tracks if self._is_in(change.blank, one, views)]
        views = [view for view in views if view not in change.blank]
        luma = [view.gray() for view in views]
        lost = self._carry(luma)
        if sight.whole is not None:
            self._whole_time = media_time
        found = self._look_around(views, lost, media_time)
        self._confirm(views, found, media_time)
        self._time, self._past = media_time, luma
        return [track for track in self._tracks if track.visible and track not in hidden]

    def _is_in(self, some: tuple[View, ...], track: Track, views: list[View]) -> bool:
        """Whether ``track`` is followed in one of ``some`` of the ``views``."""
        return bool(some) and finest(views, track.box, self._size) in some

    @property
    def _patience(self) -> float:
        slow = patience_at(1 / self._pace.seconds) if self._pace.seconds > 0 else 0.0
        return max(self.patience, min(slow, _LONGEST_PATIENCE))

    def _begin_search_anew(self) -> None:
        self._searched = self._parts_searched = self._whole_time = -np.inf

    def _adapt_to_size(self, size: tuple[int, int]) -> None:
        """An adaptive stream may change its resolution in the middle of a shot."""
        if self._size != size and self._size != (0, 0):
            ratio = np.array([size[0] / self._size[0], size[1] / self._size[1]], np.float32)
            for track in self._tracks:
                track.rescale(ratio)
            self._past = []
            self._begin_search_anew()
        self._size = size

    def _search_due(self, now: float, lost: bool, searched: float) -> bool:
        # A lost face is looked for at once, but a face that stays away must not cost a search
        # in every frame.
        return now - searched >= (self._search_every / 4 if lost else self._search_every)

    def _whole_search_due(self, whole: View, now: float, lost: bool) -> bool:
        since = (now - self._searched) / self._search_every
        if lost or not self._tracks:
            return self._search_due(now, lost, self._searched)
        if self._busy or since >= _STILL:
            return not self._busy
        boxes = np.array([track.box for track in self._tracks], np.float32)
        return since >= _FOLLOWED and self._surroundings.changed(whole.image, whole.inwards(boxes))

    def _carry(self, luma: list[View]) -> bool:
        """Move every track by the flow since the last frame; whether one could not be moved."""
        lost = False
        for track in self._tracks:
            track.carried = False
            after = finest(luma, track.box, self._size)
            before = finest(self._past, track.box, self._size)
            if after is None:
                continue
            lost = lost or not track.visible
            if before is None:
                continue
            moved = between(before, after, track.box)
            if moved is None:
                lost = True
                continue
            track.carry(moved)
        return lost

    def _look_around(self, views: list[View], lost: bool, now: float) -> Detections:
        """Search the whole when that is due, and the cut-outs in which a face was lost."""
        found = []
        if lost and self._search_due(now, lost, self._parts_searched):
            found = self._look_in_cut_outs(views, now)
        whole = next((view for view in views if view.covers), None)
        if whole is not None and self._whole_search_due(whole, now, lost):
            self._searched = now
            self._surroundings.searched(whole.image)
            # Those that flow follows the O-Net alone confirms, as between two searches.
            followed = [track.box for track in self._tracks if track.visible and track.carried]
            known = np.array(followed, np.float32).reshape(-1, 4)
            everywhere = self._search.whole(whole, known)
            found.append(self._search.sharpened(everywhere, views, self._size))
        return together(found)

    def _look_in_cut_outs(self, views: list[View], now: float) -> list[Detections]:
        missing: dict[int, list[Floats]] = {}
        for track in self._tracks:
            view = finest(views, track.box, self._size)
            if view is not None and not view.covers and not (track.visible and track.carried):
                missing.setdefault(views.index(view), []).append(track.box)
        if missing:
            self._parts_searched = now
        return [self._search.lost(views[at], boxes) for at, boxes in missing.items()]

    def _confirm(self, views: list[View], found: Detections, now: float) -> None:
        boxes = np.array([track.box for track in self._tracks], np.float32).reshape(-1, 4)
        # A search leaves out whom flow follows: what it finds there is somebody else, unless the
        # O-Net sees no face there any more.
        followed = [i for i, track in enumerate(self._tracks) if track.visible and track.carried]
        self._confirm_alone(followed, boxes, views, now)
        sure = [i for i in followed if self._tracks[i].visible]
        found = self._besides(sure, found)
        missed = [i for i in range(len(boxes)) if i not in sure]
        pairs = [(missed[at], one) for at, one in associate(boxes[missed], found.boxes)]
        taken = {detection for _, detection in pairs}
        for position, detection in pairs:
            self._measure(position, found.take([detection]), views, now)
        done = {position for position, _ in pairs}.union(followed)
        self._confirm_alone([i for i in missed if i not in done], boxes, views, now)
        new = [found.take([i]) for i in range(len(found)) if i not in taken]
        fresh = [self._begin(one, self._looks(one, views), now) for one in new]
        self._tracks = [t for t in self._tracks if now - t.seen_time <= self._patience] + fresh
        self._tracks = self._without_duplicates()[: self.max_faces]

    def _besides(self, sure: list[int], found: Detections) -> Detections:
        """What was found but the faces of the tracks at the positions ``sure``."""
        if not sure or not len(found):
            return found
        places = np.array([self._tracks[i].box for i in sure], np.float32)
        return found.take(np.flatnonzero(of_smaller(found.boxes, places).max(axis=1) <= WITHIN))

    def _confirm_alone(
        self, alone: list[int], boxes: Floats, views: list[View], now: float
    ) -> None:
        """What became of the tracks at the positions ``alone``, for which no search speaks."""
        shown: dict[int | None, list[int]] = {}
        for position in alone:
            view = finest(views, boxes[position], self._size)
            shown.setdefault(None if view is None else views.index(view), []).append(position)
        for at, positions in shown.items():
            if at is None:
                for position in positions:
                    self._tracks[position].unseen(now, now - self._whole_time <= UNSEEN)
                continue
            view = views[at]
            places = view.inwards(boxes[positions])
            checked = view.found(self.detector.refine_each(view.image, places))
            for answer, position in enumerate(positions):
                self._recheck(position, checked.take([answer]), views, now)

    def _recheck(self, position: int, seen: Detections, views: list[View], now: float) -> None:
        track = self._tracks[position]
        shift = np.abs(seen.boxes[0] - track.box).max() / max(float(track.box[2] - track.box[0]), 1)
        if seen.scores[0] > self.detector.thresholds[2] and shift < 0.5:
            self._measure(position, seen, views, now)
        else:
            track.visible = False

    def _measure(self, position: int, seen: Detections, views: list[View], now: float) -> None:
        """Merge what was seen into a track, or let another take its place if it is someone else."""
        looks = self._looks(seen, views)
        if self._tracks[position].is_someone_else(looks):
            self._tracks[position] = self._begin(seen, looks, now)
        else:
            self._tracks[position].measure(seen, looks, now)

    def _looks(self, seen: Detections, views: list[View]) -> Floats:
        """The signature of the only face in ``seen``, where it is shown best."""
        box = seen.boxes[0]
        view = finest(views, box, self._size) or finest(views, box, self._size, outside=np.inf)
        assert view is not None, "a moment without a picture"
        return signature(view.image, view.inwards(seen.landmarks[0]))

    def _begin(self, seen: Detections, looks: Floats, now: float) -> Track:
        return Track.begin(next(self._numbers), seen, looks, now)

    def _without_duplicates(self) -> list[Track]:
        """Two tracks that ran onto one face: the older one stays."""
        boxes = np.array([track.box for track in self._tracks], np.float32).reshape(-1, 4)
        doubled = duplicates(boxes)
        return [track for i, track in enumerate(self._tracks) if i not in doubled]
