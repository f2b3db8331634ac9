"""What one moment shows of one face: a crop to be judged, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_server.vision.crop import alignment, corners, cut, to_crop
from stream_server.vision.quality import Quality, QualityLimits, judge
from stream_server.vision.track import Track
from stream_server.vision.types import Floats, Image
from stream_server.vision.views import Sight, View, finest

_CUT_OFF = 0.08  # of a crop's side: so much of it may lie beyond its picture and be mirrored


@dataclass(frozen=True)
class Look:
    """What one frame shows of one track: a crop worth encoding, or why there is none.

    ``corners`` is where the crop lies, float32 ``[4, 2]`` in fractions of the frame, from its top
    left clockwise; ``box`` the face's own, left, top, width and height.
    """

    track: int
    quality: Quality
    reasons: tuple[str, ...]
    crop: Image
    landmarks: Floats
    corners: Floats
    box: tuple[float, float, float, float]
    sight: Floats


@dataclass(frozen=True)
class Unseen:
    """A track that is due for a look and that no picture of the moment shows."""

    track: int


def look_at(sight: Sight, track: Track, limits: QualityLimits) -> Look | Unseen:
    """Look at a track in the finest picture that its crop can be cut from."""
    view = _showing(sight, track)
    if view is None:
        return Unseen(track.id)
    points = view.inwards(track.landmarks)
    transform = alignment(points)
    crop = cut(view.image, transform)
    landmarks = to_crop(points, transform)
    quality = judge(view.image, view.inwards(track.box), crop, landmarks)
    return Look(
        track.id,
        quality,
        quality.reasons(limits),
        crop,
        landmarks,
        (view.outwards(corners(transform)) / np.array(sight.size)).astype(np.float32),
        fractions(track.box, sight.size),
        track.signature,
    )


def fractions(box: Floats, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, width and height of ``box`` (left, top, right, bottom in pixels of a video of
    ``size``) in fractions of it."""
    whole = np.array([*size, *size], np.float32)
    left, top, right, bottom = (float(edge) for edge in (box / whole).clip(0, 1))
    return left, top, right - left, bottom - top


def _showing(sight: Sight, track: Track) -> View | None:
    if len(sight.views) == 1 and sight.views[0].covers:
        return sight.views[0]
    around = corners(alignment(track.landmarks))
    box = np.concatenate((around.min(axis=0), around.max(axis=0)))
    return finest(sight.views, box, sight.size, _CUT_OFF)
