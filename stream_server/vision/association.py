"""Which detection belongs to which track, by where they lie."""

from __future__ import annotations

import numpy as np

from stream_server.vision.types import Floats


def associate(tracks: Floats, found: Floats, least_overlap: float = 0.25) -> list[tuple[int, int]]:
    """Pair boxes ``tracks`` ``[n, 4]`` with boxes ``found`` ``[m, 4]``, best overlap first.

    Pairs that overlap by less than ``least_overlap`` (intersection over union) are not made:
    raising it ends tracks of fast faces, lowering it lets neighbours steal each other's track.
    Returns positions ``(track, detection)``; each occurs at most once.
    """
    pairs: list[tuple[int, int]] = []
    if not len(tracks) or not len(found):
        return pairs
    overlap = iou(tracks, found)
    while overlap.max() >= least_overlap:
        track, detection = np.unravel_index(int(overlap.argmax()), overlap.shape)
        pairs.append((int(track), int(detection)))
        overlap[track, :] = overlap[:, detection] = -1
    return pairs


def duplicates(boxes: Floats, overlap: float = 0.5) -> set[int]:
    """Positions in ``boxes`` ``[n, 4]`` that cover what an earlier one covers."""
    doubled: set[int] = set()
    if len(boxes) < 2:
        return doubled
    shared = iou(boxes, boxes)
    for later in range(len(boxes)):
        if any(shared[later, i] > overlap for i in range(later) if i not in doubled):
            doubled.add(later)
    return doubled


def iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union of every pair: ``[n, 4]`` and ``[m, 4]`` to float32 ``[n, m]``."""
    inter = _intersections(first, second)
    union = _areas(first)[:, None] + _areas(second)[None] - inter
    return np.asarray(inter / np.maximum(union, 1e-6), np.float32)


def of_smaller(first: Floats, second: Floats) -> Floats:
    """How much of the smaller of every pair lies in the other, as ``iou``."""
    smaller = np.minimum(_areas(first)[:, None], _areas(second)[None])
    return np.asarray(_intersections(first, second) / np.maximum(smaller, 1e-6), np.float32)


def covered(boxes: Floats, others: Floats) -> Floats:
    """How much of each of ``boxes`` ``[n, 4]`` lies in one of the ``others`` ``[m, 4]``, at most:
    float32 ``[n]``."""
    if not len(others):
        return np.zeros(len(boxes), np.float32)
    most = _intersections(boxes, others).max(axis=1)
    return np.asarray(most / np.maximum(_areas(boxes), 1e-6), np.float32)


def _intersections(first: Floats, second: Floats) -> Floats:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.asarray((high - low).clip(min=0).prod(axis=2), np.float32)


def _areas(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), np.float32)
