"""MTCNN face detection on ONNX Runtime.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", IEEE Signal Processing Letters 2016. The three nets are facenet-pytorch's (MIT; see
NOTICE), exported by ``python -m training.export.mtcnn``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from stream_server.vision.association import covered
from stream_server.vision.shrink import averaged
from stream_server.vision.types import Detections, Floats, Image

WEIGHTS = Path(__file__).resolve().parent / "weights"
_PYRAMID_STEP = 0.709
_HALVED = 0.4  # of a picture: the largest level of the pyramid that is made from half of it
_CELL, _STRIDE = 12, 2  # the P-Net's field of view and step, in pixels of its pyramid level
WITHIN = 0.7
"""How much of a box lies in another where both are one face."""

Net = Callable[[Floats], list[Floats]]


class FaceDetector:
    """Finds faces and their five landmarks; holds no state between calls, safe to share.

    ``min_face`` is the smallest face side in pixels of the picture given: raising it makes the
    detector faster and blind to smaller faces. ``thresholds`` are the face scores that the P-, R-
    and O-Net ask for: raising one loses faces, lowering it finds things that are none.
    ``threads`` is ONNX Runtime's thread count for one picture, and OpenCV's in all of the process:
    where pictures are looked at side by side more than 1 costs time.
    """

    def __init__(
        self,
        min_face: int = 40,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7),
        threads: int = 1,
        weights: Path = WEIGHTS,
    ) -> None:
        if min_face < _CELL:
            raise ValueError(f"min_face is {min_face}, the smallest possible is {_CELL}")
        cv2.setNumThreads(threads)
        self.min_face = min_face
        self.thresholds = thresholds
        self._pnet = _load(weights / "pnet.onnx", threads)
        self._rnet = _load(weights / "rnet.onnx", threads)
        self._onet = _load(weights / "onet.onnx", threads)

    def detect(
        self, image: Image, min_face: float | None = None, known: Floats | None = None
    ) -> Detections:
        """All faces of at least ``min_face`` pixels (the detector's own if ``None``) in ``image``
        (uint8 ``[H, W, 3]``, RGB) but those that are ``known``: boxes, float32 ``[n, 4]``."""
        boxes = self._proposals(image, max(min_face or self.min_face, _CELL))
        known = np.zeros((0, 4), np.float32) if known is None else known
        # Most proposals are parts of a face, and take the R-Net as long as those that are none.
        boxes = boxes[covered(_squared(boxes), known) <= WITHIN]
        if not len(boxes):
            return Detections.empty()
        boxes = self._refine_once(image, _squared(boxes))
        if not len(boxes):
            return Detections.empty()
        found = self.refine(image, boxes)
        found = found.take(covered(found.boxes, known) <= WITHIN)
        return found.take(_suppress(found.boxes, found.scores, WITHIN, smaller=True))

    def refine(self, image: Image, boxes: Floats) -> Detections:
        """Run the O-Net alone on ``boxes`` (float32 ``[n, 4]``): is it a face, and where exactly?

        Boxes whose content is no face by the last threshold are left out, so the answer may be
        shorter than ``boxes``.
        """
        if not len(boxes):
            return Detections.empty()
        found = self.refine_each(image, boxes)
        return found.take(found.scores > self.thresholds[2])

    def refine_each(self, image: Image, boxes: Floats) -> Detections:
        """Like ``refine`` but with one answer per box, whatever its score."""
        boxes = _squared(boxes)
        offsets, points, probability = self._onet(_patches(image, boxes, 48))
        size = boxes[:, 2:] - boxes[:, :2] + 1
        landmarks = np.stack((points[:, :5], points[:, 5:]), axis=2) * size[:, None, :]
        landmarks += boxes[:, None, :2] - 1
        return Detections(
            _regressed(boxes, offsets), probability[:, 1], landmarks.astype(np.float32)
        )

    def _proposals(self, image: Image, min_face: float) -> Floats:
        height, width = image.shape[:2]
        scale = _CELL / min_face
        found: list[Floats] = []
        while min(height, width) * scale >= _CELL:
            size = (int(width * scale + 1), int(height * scale + 1))
            across, down = image.shape[1], image.shape[0]
            # Averaging twos is quick, and averaging what is left of them a quarter of the work.
            if scale <= _HALVED * across / width and not (across % 2 or down % 2):
                half = (across // 2, down // 2)
                image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
            level = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            offsets, probability = self._pnet(_normalised(level[None]))
            found.append(_cells(offsets[0], probability[0, 1], scale, self.thresholds[0]))
            scale *= _PYRAMID_STEP
        cells = np.concatenate(found) if found else np.zeros((0, 9), np.float32)
        cells = cells[_suppress(cells[:, :4], cells[:, 4], 0.7)]
        return _regressed(cells[:, :4], cells[:, 5:])

    def _refine_once(self, image: Image, boxes: Floats) -> Floats:
        offsets, probability = self._rnet(_patches(image, boxes, 24))
        keep = np.flatnonzero(probability[:, 1] > self.thresholds[1])
        boxes, offsets, scores = boxes[keep], offsets[keep], probability[keep, 1]
        keep = _suppress(boxes, scores, 0.7)
        return _regressed(boxes[keep], offsets[keep])


def _load(path: Path, threads: int) -> Net:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda batch: cast(list[Floats], session.run(None, {"image": batch}))


def _normalised(batch: NDArray[np.uint8]) -> Floats:
    """uint8 ``[n, H, W, 3]`` to the nets' float32 ``[n, 3, H, W]`` in -1 to 1."""
    floats = (batch.astype(np.float32) - np.float32(127.5)) * np.float32(1 / 128)
    return np.ascontiguousarray(floats.transpose(0, 3, 1, 2))


def _cells(offsets: Floats, probability: Floats, scale: float, threshold: float) -> Floats:
    """The P-Net's cells above ``threshold`` as rows of box, score and offsets ``[n, 9]``."""
    rows, columns = np.nonzero(probability >= threshold)
    scores = probability[rows, columns]
    corner = np.stack((columns, rows), axis=1).astype(np.float32) * _STRIDE + 1
    boxes = np.floor(np.concatenate((corner, corner + _CELL - 1), axis=1) / np.float32(scale))
    cells = np.concatenate((boxes, scores[:, None], offsets[:, rows, columns].T), axis=1)
    return cells[_suppress(boxes, scores, 0.5)].astype(np.float32)


def _regressed(boxes: Floats, offsets: Floats) -> Floats:
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return (boxes + offsets * np.concatenate((size, size), axis=1)).astype(np.float32)


def _squared(boxes: Floats) -> Floats:
    side = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    corner = (boxes[:, :2] + boxes[:, 2:] - side) / 2
    return np.concatenate((corner, corner + side), axis=1).astype(np.float32)


def _patches(image: Image, boxes: Floats, size: int) -> Floats:
    """What lies in each box, black outside the picture, resized to ``[n, 3, size, size]``."""
    height, width = image.shape[:2]
    batch = np.zeros((len(boxes), size, size, 3), np.uint8)
    for at, (left, top, right, bottom) in enumerate(np.trunc(boxes).astype(int).tolist()):
        left, top = left - 1, top - 1
        inside = image[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
        if inside.size == 0:
            continue
        border = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
        if any(border):
            padded = cv2.copyMakeBorder(inside, *border, cv2.BORDER_CONSTANT, value=(0, 0, 0))
            inside = np.asarray(padded, np.uint8)
        batch[at] = averaged(inside, (size, size))
    return _normalised(batch)


def _suppress(
    boxes: Floats, scores: Floats, overlap: float, smaller: bool = False
) -> NDArray[np.intp]:
    """Non-maximum suppression: positions to keep, best first.

    The overlap is over the union, or over the smaller box with ``smaller``.
    """
    if not len(boxes):
        return np.zeros(0, np.intp)
    if not smaller:
        corners = np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2] + 1), axis=1)
        kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, overlap)
        return np.asarray(kept, np.intp).reshape(-1)
    order = np.argsort(-scores)
    size = boxes[:, 2:] - boxes[:, :2] + 1
    area = size[:, 0] * size[:, 1]
    keep: list[int] = []
    while len(order):
        best, rest = int(order[0]), order[1:]
        keep.append(best)
        inter = np.minimum(boxes[best, 2:], boxes[rest, 2:]) + 1
        inter = (inter - np.maximum(boxes[best, :2], boxes[rest, :2])).clip(min=0).prod(axis=1)
        order = rest[inter / np.minimum(area[best], area[rest]) <= overlap]
    return np.asarray(keep, np.intp)
