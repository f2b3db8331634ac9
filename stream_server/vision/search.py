"""Looking for faces: in a picture of the whole video, or where one was lost in a cut-out."""

from __future__ import annotations

import numpy as np

from stream_server.vision.association import duplicates, iou
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Detections, Floats
from stream_server.vision.views import View, finest

_SURE = 0.9  # score of a face that is believed without having been followed
_SMALLEST = 20.0  # pixels: MTCNN finds next to nothing below
_SHRUNK = 0.6  # of its size: as small a face that was lost may have become
_SAME = 0.4  # overlap of a face and what a finer picture of it shows


class FaceSearch:
    """Finds faces in the views of one moment and gives them in the video's pixels.

    The largest ``max_faces`` are kept; ``crowded`` tells how many the last search of a whole found
    beyond them.
    """

    def __init__(self, detector: FaceDetector, max_faces: int) -> None:
        self.detector = detector
        self.max_faces = max_faces
        self.crowded = 0

    def whole(self, view: View, known: Floats | None = None) -> Detections:
        """The faces of the whole video but those in the boxes ``known``, float32 ``[n, 4]``."""
        inside = None if known is None else view.inwards(known)
        found = view.found(self.detector.detect(view.image, known=inside))
        found = found.take(found.scores > _SURE)
        area = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
        largest = np.argsort(-area, kind="stable")
        everywhere = len(found) + (0 if known is None else len(known))
        self.crowded = max(everywhere - self.max_faces, 0)
        return found.take(largest[: self.max_faces])

    def lost(self, view: View, boxes: list[Floats]) -> Detections:
        """The faces of a cut-out in which those last seen in ``boxes`` were lost."""
        side = min(float((box[2:] - box[:2]).max()) for box in boxes) * view.scale
        found = self.detector.detect(view.image, max(_SHRUNK * side, _SMALLEST))
        return view.found(found.take(found.scores > _SURE))

    def sharpened(self, found: Detections, views: list[View], size: tuple[int, int]) -> Detections:
        """``found`` in the view of the whole, measured anew where a finer one shows it."""
        boxes, landmarks = found.boxes.copy(), found.landmarks.copy()
        for at, box in enumerate(found.boxes):
            view = finest(views, box, size)
            if view is None or view.covers:
                continue
            seen = view.found(self.detector.refine_each(view.image, view.inwards(box[None])))
            same = float(iou(box[None], seen.boxes)[0, 0]) > _SAME
            if same and seen.scores[0] > self.detector.thresholds[2]:
                boxes[at], landmarks[at] = seen.boxes[0], seen.landmarks[0]
        return Detections(boxes, found.scores, landmarks)


def together(found: list[Detections]) -> Detections:
    """All of them, without those that cover what an earlier one covers."""
    if not found:
        return Detections.empty()
    if len(found) == 1:
        return found[0]
    boxes, scores, landmarks = (
        np.concatenate([getattr(one, name) for one in found])
        for name in ("boxes", "scores", "landmarks")
    )
    doubled = duplicates(boxes)
    return Detections(boxes, scores, landmarks).take(
        [at for at in range(len(boxes)) if at not in doubled]
    )
