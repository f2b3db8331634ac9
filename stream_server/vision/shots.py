"""Where one shot ends and another begins, and which pictures belong to none.

Cuts change the whole picture from one frame to the next. Dissolves, wipes and fades take longer:
every pixel that changes goes from its old value to the new one and does not come back, which
neither movement nor a camera does. A flash, or a single black or white frame, changes the whole
picture and is gone again: it ends no shot, and it shows no face that could be judged.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

import cv2
import numpy as np

from stream_server.vision.scene import CutDetector, measured
from stream_server.vision.types import Floats, Image

_LONGEST_FLASH = 0.35  # seconds
_SHORTEST_SHOT = 0.15  # seconds that a shot has lasted before a flash can be told from a cut
_BRIGHTER = 30.0  # of 255, by which a flash lifts the picture, or a dark frame lowers it
_KEPT_SIGN = 0.9  # of the pixels change in one direction in a flash
_BLOWN_OUT = 0.25  # of the pixels are white in a flash that leaves nothing to compare
_BLANK_SPREAD = 8.0  # of 255: a picture that varies less is blank

_SPANS = (0.6, 1.3)  # seconds over which a transition is looked for
_STEP = 0.08  # seconds between two pictures that are remembered
_CHANGED = 24.0  # of 255, from which a pixel has changed
_LEAST_CHANGED = 0.35  # of the pixels
_LEAST_CHANGE = 14.0  # of 255, on average
_GOES_OVER = 0.8  # of the changed pixels go straight from old to new
_SAME_SCENE = 0.75  # likeness of two pictures that differ in light and place alone
_NEARLY_SAME = 0.65  # the same, if their edges are where they were: light in a part of them alone
_SAME_EDGES = 0.55  # likeness of edges
_EDGE = 3.0  # pixels of the small picture around which an edge is judged
_MOVES = (6, 4)  # pixels of the small picture that a camera may have moved, across and down
_FADED = 0.3  # of the contrast is left where a picture has faded out


class Shot(Enum):
    """What a frame is to the one before it."""

    SAME = auto()
    NEW = auto()
    NONE = auto()


class ShotWatch:
    """Is shown every frame of one video, in the order of time."""

    def __init__(self) -> None:
        self._cut = CutDetector()
        self._past: deque[tuple[float, Floats]] = deque()
        self._last: Floats | None = None
        self._flash_since: float | None = None
        self._begun = -np.inf

    def reset(self) -> None:
        """Forget all frames: the next one starts a shot."""
        self._cut.reset()
        self._past.clear()
        self._last = None
        self._flash_since = None
        self._begun = -np.inf

    def see(self, image: Image, time: float) -> Shot:
        """What ``image`` (uint8 ``[H, W, 3]``) is; ``time`` in seconds."""
        now = measured(image)
        small = np.asarray(now[0], np.float32)
        cut = self._cut.differs(now)
        if cut and self._flashes(small, time):
            return Shot.NONE
        flash, self._flash_since = self._flash_since, None
        self._last = small
        self._cut.take(now)
        if cut or (flash is not None and time - flash > _LONGEST_FLASH):
            self._begin(small, time)
            return Shot.NEW
        if self._begun == -np.inf:
            self._begun = time
        if not self._past or time - self._past[-1][0] >= _STEP:
            self._past.append((time, small))
            while time - self._past[0][0] > _SPANS[-1] + _STEP:
                self._past.popleft()
            if any(self._goes_over(span) for span in _SPANS):
                self._begin(small, time)
                return Shot.NEW
        return Shot.SAME

    def _begin(self, small: Floats, time: float) -> None:
        self._past.clear()
        self._past.append((time, small))
        self._begun = time

    def _flashes(self, small: Floats, time: float) -> bool:
        """Whether this frame, which looks like a cut, is a flash in the shot of ``_last``."""
        if self._last is None or time - self._begun < _SHORTEST_SHOT:
            return False
        since = time if self._flash_since is None else self._flash_since
        if time - since > _LONGEST_FLASH or not _is_flash(small, self._last):
            return False
        self._flash_since = since
        return True

    def _goes_over(self, span: float) -> bool:
        """Whether the pictures of the last ``span`` seconds lead from one scene to another."""
        now = self._past[-1][0]
        pictures = [picture for time, picture in self._past if time >= now - span - _STEP / 2]
        if len(pictures) < 5 or now - self._past[0][0] < span - _STEP:
            return False
        return is_transition(pictures)


def is_transition(pictures: list[Floats]) -> bool:
    """Whether ``pictures``, float32 ``[27, 48, 3]`` each, lead from one scene to another."""
    first, last = pictures[0], pictures[-1]
    way = last - first
    squared = np.einsum("hwc,hwc->hw", way, way)
    length = np.sqrt(squared / 3)
    changed = length > _CHANGED
    enough = int(np.count_nonzero(changed))
    if enough < _LEAST_CHANGED * changed.size or length.mean() < _LEAST_CHANGE:
        return False
    between = pictures[1:-1]
    chosen = [between[i] for i in np.linspace(0, len(between) - 1, 4).round().astype(int)]
    squared = np.maximum(squared, 1.0)
    before = np.zeros_like(length)
    straight = changed.copy()
    for picture in chosen:
        step = picture - first
        share = np.einsum("hwc,hwc->hw", step, way) / squared
        step -= share[..., None] * way
        aside = np.sqrt(np.einsum("hwc,hwc->hw", step, step) / 3)
        straight &= (share > before - 0.15) & (share < 1.15) & (aside < 0.25 * length + 4)
        before = np.maximum(before, share)
        if np.count_nonzero(straight) < _GOES_OVER * enough:
            return False
    return not _alike(first, last)


def _alike(first: Floats, last: Floats) -> bool:
    """Whether both show one scene, moved or in another light perhaps."""
    spread = sorted((float(first.std()), float(last.std())))
    if spread[0] < max(_FADED * spread[1], _BLANK_SPREAD):
        return False
    likeness = _likeness(first, last, _SAME_SCENE)
    if likeness > _SAME_SCENE:
        return True
    if likeness <= _NEARLY_SAME:
        return False
    return _likeness(_edges(first), _edges(last), _SAME_EDGES) > _SAME_EDGES


def _likeness(first: Floats, last: Floats, enough: float) -> float:
    one_way = _found(last, first)
    return one_way if one_way > enough else max(one_way, _found(first, last))


def _edges(picture: Floats) -> Floats:
    """How each pixel stands out from those around it, whatever light falls there."""
    luma = picture.mean(axis=2)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), _EDGE)
    strength = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), _EDGE)) + 4
    return np.asarray((detail / strength)[..., None], np.float32)


def _found(scene: Floats, picture: Floats) -> float:
    """How well the middle of ``picture`` fits somewhere in ``scene``, at most 1."""
    height, width = picture.shape[0] - 2 * _MOVES[1], picture.shape[1] - 2 * _MOVES[0]
    middle = picture[_MOVES[1] : _MOVES[1] + height, _MOVES[0] : _MOVES[0] + width]
    return float(cv2.matchTemplate(scene, middle, cv2.TM_CCOEFF_NORMED).max())


def _is_flash(small: Floats, before: Floats) -> bool:
    """Whether ``small`` is ``before`` in a flash, or blank."""
    luma, last = small.mean(axis=2), before.mean(axis=2)
    if luma.std() < _BLANK_SPREAD:
        return True
    change = luma - last
    if change.mean() > _BRIGHTER and (change > -12).mean() > _KEPT_SIGN:
        return bool((luma > 245).mean() > _BLOWN_OUT) or _alike(before, small)
    return bool(
        change.mean() < -_BRIGHTER and (change < 12).mean() > _KEPT_SIGN and _alike(before, small)
    )
