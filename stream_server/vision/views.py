"""What the pictures of one moment show of a video: all of it, or parts at scales of their own.

Faces are followed in the video's own pixels, whatever part of it a picture shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from stream_server.vision.types import Detections, Floats, Frame, Image

_ALL = 0.99  # of the video, across and down: what shows this much shows all of it
_HALF = 0.5
_OUTSIDE = 0.1  # of a box: so much of it may lie beyond the picture's edge


@dataclass(frozen=True, eq=False)
class View:
    """A picture of a part of a video.

    ``image`` is uint8 ``[h, w, 3]``, or ``[h, w]`` for its luma. The part begins at ``left``,
    ``top`` in the video; ``scale`` is pixels of the picture per pixel of the video. ``covers`` says
    that the part is the whole video.
    """

    image: Image
    left: float = 0.0
    top: float = 0.0
    scale: float = 1.0
    covers: bool = True

    @property
    def corner(self) -> Floats:
        """Left and top, float32 ``[2]``."""
        return np.array([self.left, self.top], np.float32)

    @property
    def limits(self) -> Floats:
        """Left, top, right and bottom of the part in the video, float32 ``[4]``."""
        size = np.array(self.image.shape[1::-1], np.float32) / np.float32(self.scale)
        return np.concatenate((self.corner, self.corner + size))

    def inwards(self, places: Floats) -> Floats:
        """Points ``[…, 2]`` or boxes ``[…, 4]`` of the video, in the picture's pixels."""
        moved = (places.reshape(-1, 2) - self.corner) * np.float32(self.scale)
        return np.asarray(moved.reshape(places.shape), np.float32)

    def outwards(self, places: Floats) -> Floats:
        """Points ``[…, 2]`` or boxes ``[…, 4]`` of the picture, in the video's pixels."""
        moved = places.reshape(-1, 2) * np.float32(1 / self.scale) + self.corner
        return np.asarray(moved.reshape(places.shape), np.float32)

    def found(self, faces: Detections) -> Detections:
        """The faces of the picture, in the video's pixels."""
        return Detections(self.outwards(faces.boxes), faces.scores, self.outwards(faces.landmarks))

    def holds(self, box: Floats, outside: float) -> bool:
        """Whether ``box`` (float32 ``[4]``, the video's pixels) is in it, but for a rim of
        ``outside`` of its longer side."""
        if self.covers:
            return True
        rim = outside * float((box[2:] - box[:2]).max())
        limits = self.limits
        return bool((box[:2] >= limits[:2] - rim).all() and (box[2:] <= limits[2:] + rim).all())

    def shrunk(self, longest_side: int) -> View:
        """The same part in a picture of at most ``longest_side`` pixels."""
        height, width = self.image.shape[:2]
        factor = longest_side / max(height, width)
        if factor >= 1:
            return self
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        # Down to half, two pixels across and down are all that a small one covers, and weighing
        # them is quicker than adding up shares of them.
        way = cv2.INTER_LINEAR if factor >= _HALF else cv2.INTER_AREA
        small = np.asarray(cv2.resize(self.image, size, interpolation=way), np.uint8)
        return View(small, self.left, self.top, self.scale * factor, self.covers)

    def gray(self) -> View:
        """Its luma."""
        luma = np.asarray(cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY), np.uint8)
        return View(luma, self.left, self.top, self.scale, self.covers)

    def lies_like(self, other: View) -> bool:
        """Whether both show the same part at the same scale."""
        return self.image.shape[:2] == other.image.shape[:2] and (
            self.left,
            self.top,
            self.scale,
        ) == (other.left, other.top, other.scale)

    def patch(self, box: Floats, scale: float) -> View:
        """What lies in ``box`` at ``scale``, its edge repeated where the picture does not reach."""
        image, height, width = self.image, self.image.shape[0], self.image.shape[1]
        factor = min(scale / self.scale, 1.0)
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        if factor < 1:  # warping samples four pixels: shrink first, or fine structure aliases
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        across, down = scale / self.scale * width / size[0], scale / self.scale * height / size[1]
        shift = (self.corner - box[:2]) * scale
        matrix = np.array([[across, 0, shift[0]], [0, down, shift[1]]], np.float32)
        target = tuple(int(side) for side in np.maximum((box[2:] - box[:2]) * scale, 1).round())
        moved = cv2.warpAffine(image, matrix, target, borderMode=cv2.BORDER_REPLICATE)
        return View(np.asarray(moved, np.uint8), float(box[0]), float(box[1]), scale, False)


@dataclass(frozen=True, eq=False)
class Sight:
    """All pictures of one moment. ``size`` is the video's width and height."""

    size: tuple[int, int]
    views: tuple[View, ...]

    @classmethod
    def of(cls, image: Image) -> Sight:
        """A whole frame, uint8 ``[H, W, 3]``; its pixels count as the video's."""
        return cls((image.shape[1], image.shape[0]), (View(image),))

    @property
    def whole(self) -> View | None:
        """The picture of the whole video, if there is one."""
        return next((view for view in self.views if view.covers), None)

    @property
    def cut_outs(self) -> tuple[View, ...]:
        """The pictures of parts."""
        return tuple(view for view in self.views if not view.covers)


@dataclass(frozen=True)
class FoveatedFrame(Frame):
    """A frame whose ``image`` holds pictures of parts of the video, told apart in ``sight``."""

    sight: Sight = field(kw_only=True)


def sight_of(frame: Frame) -> Sight:
    """What a frame shows."""
    return frame.sight if isinstance(frame, FoveatedFrame) else Sight.of(frame.image)


def covers(left: float, top: float, width: float, height: float, size: tuple[int, int]) -> bool:
    """Whether a part of a video of ``size`` is all of it."""
    across = min(left + width, size[0]) - max(left, 0)
    down = min(top + height, size[1]) - max(top, 0)
    return across >= _ALL * size[0] and down >= _ALL * size[1]


def finest(
    views: Sequence[View], box: Floats, size: tuple[int, int], outside: float = _OUTSIDE
) -> View | None:
    """The most detailed of ``views`` that holds ``box``, but for a rim of ``outside`` of its longer
    side; ``None`` if none does. What lies beyond the video (of ``size``) is in no picture."""
    if len(views) == 1 and views[0].covers:
        return views[0]
    seen = np.clip(box, 0, np.tile(np.array(size, np.float32), 2))
    holding = [view for view in views if view.holds(seen, outside)]
    return max(holding, key=lambda view: view.scale, default=None)
