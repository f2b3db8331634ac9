"""Where a face went between two frames, by sparse optical flow.

Bouguet's pyramidal Lucas-Kanade with a forward-backward check (Kalal et al., "Forward-Backward
Error", ICPR 2010) and a robust similarity fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream_server.vision.types import Floats, Gray
from stream_server.vision.views import View

_POINTS = 30
_FEWEST = 6
_WINDOW = 15  # pixels
_INSET = 0.1  # of a face's box on each side, which is background
_SIDE = 80.0  # pixels at least that a face is followed at, where it has as many
_REACH = 0.5  # of a face's side: it goes no further from one frame to the next
_RETURN_ERROR = 1.0  # pixels between a point and itself after the way there and back
_AROUND = 0.75  # of a face's box on each side, where its surroundings are brought to one scale
_LONGEST_SIDE = 256  # pixels of those


def between(before: View, after: View, box: Floats) -> Floats | None:
    """The 2x3 similarity, in the video's pixels, that moved what ``box`` held; see ``motion``.

    Both views are gray. Where they show other parts, or at other scales, the face's surroundings
    are brought to the coarser of the two first.
    """
    if not before.lies_like(after):
        rim = _AROUND * float((box[2:] - box[:2]).max())
        around = np.concatenate((box[:2] - rim, box[2:] + rim)).astype(np.float32)
        side = max(float((around[2:] - around[:2]).max()), 1.0)
        scale = min(before.scale, after.scale, _LONGEST_SIDE / side)
        before, after = before.patch(around, scale), after.patch(around, scale)
    moved = motion(before.image, after.image, after.inwards(box))
    if moved is None:
        return None
    return _from_part(moved, np.float32(1 / after.scale), after.corner)


def motion(before: Gray, after: Gray, box: Floats) -> Floats | None:
    """The 2x3 similarity that moved what ``box`` (left, top, right, bottom) held, or ``None``.

    ``None`` means that too few points could be followed: the face turned away, left, or the
    picture is too smooth or too fast to tell.
    """
    near = _near(before, box)
    if near is None:
        return None
    before, after = near.of(before), near.of(after)
    left, top, right, bottom = near.inside(box, before.shape)
    if right - left < 8 or bottom - top < 8:
        return None
    spacing = max((right - left) / 12, 2.0)
    corners = cv2.goodFeaturesToTrack(before[top:bottom, left:right], _POINTS, 0.01, spacing)
    if corners is None or len(corners) < _FEWEST:
        return None
    start = corners.reshape(-1, 1, 2).astype(np.float32) + np.array([left, top], np.float32)
    end, found = _follow(before, after, start)
    back, returned = _follow(after, before, end)
    off = (back - start)[:, 0]
    near_enough = np.einsum("pc,pc->p", off, off) < _RETURN_ERROR**2
    good = (found[:, 0] == 1) & (returned[:, 0] == 1) & near_enough
    if np.count_nonzero(good) < _FEWEST:
        return None
    matrix, inliers = cv2.estimateAffinePartial2D(
        start[good, 0], end[good, 0], ransacReprojThreshold=2.0
    )
    if matrix is None or np.count_nonzero(inliers) < _FEWEST:
        return None
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    if not 0.7 < scale < 1.4:  # no face grows by half in a tenth of a second
        return None
    return _from_part(np.asarray(matrix, np.float32), np.float32(near.step), near.corner)


def _from_part(moved: Floats, size: np.float32, corner: Floats) -> Floats:
    """The 2x3 similarity ``moved`` in the pixels of a part, each of ``size``, that begins at
    ``corner``, in those of the whole."""
    whole = moved.copy()
    whole[:, 2] = moved[:, 2] * size + (corner - moved[:, :2] @ corner)
    return whole


@dataclass(frozen=True)
class _Near:
    """What lies around a face, every ``step`` pixels averaged into one: the pyramids of all the
    rest, at full size, would take more time than following the points does."""

    rows: slice
    columns: slice
    step: int

    def of(self, picture: Gray) -> Gray:
        """That part of ``picture``."""
        part = picture[self.rows, self.columns]
        if self.step == 1:
            return part
        size = (part.shape[1] // self.step, part.shape[0] // self.step)
        return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)

    @property
    def corner(self) -> Floats:
        """The first small pixel's centre in the picture."""
        middle = (self.step - 1) / 2
        return np.array([self.columns.start + middle, self.rows.start + middle], np.float32)

    def inside(self, box: Floats, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of ``box`` without its rim, which is background, in the
        pixels of the part, which is of ``shape``."""
        x, y = self.corner.tolist()
        left, top, right, bottom = box.tolist()
        across, down = _INSET * (right - left), _INSET * (bottom - top)
        return (
            max(int((left + across - x) / self.step), 0),
            max(int((top + down - y) / self.step), 0),
            min(int((right - across - x) / self.step), shape[1]),
            min(int((bottom - down - y) / self.step), shape[0]),
        )


def _near(picture: Gray, box: Floats) -> _Near | None:
    """``None`` where the picture does not reach as far as there."""
    height, width = picture.shape
    left, top, right, bottom = box.tolist()
    side = max(right - left, bottom - top)
    step = max(int(side / _SIDE), 1)
    rim = _REACH * side + step * _WINDOW
    rows = _within(top - rim, bottom + rim, height, step)
    columns = _within(left - rim, right + rim, width, step)
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return None
    return _Near(rows, columns, step)


def _within(low: float, high: float, end: int, step: int) -> slice:
    """From ``low`` to ``high``, as far as 0 to ``end`` reach, in whole steps."""
    first, last = min(max(int(low), 0), end), min(max(int(high), 0), end)
    return slice(first, first + (last - first) // step * step)


def _follow(before: Gray, after: Gray, points: Floats) -> tuple[Floats, NDArray[np.uint8]]:
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.empty(0, np.float32), winSize=(_WINDOW, _WINDOW), maxLevel=3
    )
    return np.asarray(end, np.float32), np.asarray(found, np.uint8)
