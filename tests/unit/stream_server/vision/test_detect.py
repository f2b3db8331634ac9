from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stream_server.vision.detect import FaceDetector
from tests.support.faces import backdrop, other_person, paste, person


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(min_face=40)


def test_finds_one_face_with_its_landmarks_in_order(detector: FaceDetector) -> None:
    frame = paste(backdrop(), person(), (320, 180), 260)
    found = detector.detect(frame)
    assert len(found) == 1
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    left, top, right, bottom = found.boxes[0]
    assert left < left_eye[0] and right > right_eye[0] and top < left_eye[1] < bottom


def test_agrees_with_facenet_pytorch_within_three_pixels(detector: FaceDetector) -> None:
    from PIL import Image

    facenet_pytorch = pytest.importorskip("facenet_pytorch", reason="the train extra is absent")
    frame = paste(backdrop(), person(), (320, 180), 260)
    reference = facenet_pytorch.MTCNN(keep_all=True, min_face_size=40)
    boxes, _, points = reference.detect(Image.fromarray(frame), landmarks=True)
    found = detector.detect(frame)
    assert len(found) == len(boxes) == 1
    assert np.abs(found.landmarks[0] - points[0]).max() < 3
    assert np.abs(found.boxes[0] - boxes[0].astype(np.float32)).max() < 6


def test_finds_several_faces_and_sizes(detector: FaceDetector) -> None:
    frame = backdrop()
    places = [((110, 100), 160), ((320, 200), 260), ((540, 110), 130)]
    for place, height in places:
        frame = paste(frame, person(), place, height)
    found = detector.detect(frame)
    assert len(found) == 3
    centres = sorted((box[0] + box[2]) / 2 for box in found.boxes)
    assert np.allclose(centres, [110, 320, 540], atol=25)


@pytest.mark.parametrize("seed", range(5))
def test_sees_no_face_where_there_is_none(detector: FaceDetector, seed: Any) -> None:
    assert len(detector.detect(backdrop(seed=seed))) == 0


@pytest.mark.parametrize("size", [(1, 1), (11, 640), (40, 30)])
def test_tiny_pictures_have_no_faces(detector: FaceDetector, size: tuple[int, ...]) -> None:
    assert len(detector.detect(np.zeros((*size, 3), np.uint8))) == 0


def test_refine_confirms_a_face_and_rejects_background(detector: FaceDetector) -> None:
    frame = paste(backdrop(), other_person(), (200, 180), 260)
    box = detector.detect(frame).boxes[0]
    elsewhere = np.array([430, 100, 560, 230], np.float32)
    found = detector.refine(frame, np.stack([box, elsewhere]))
    assert len(found) == 1
    assert np.abs(found.boxes[0] - box).max() < 12
    assert len(detector.refine(frame, np.zeros((0, 4), np.float32))) == 0


def test_smallest_face_is_checked() -> None:
    with pytest.raises(ValueError, match="min_face is 8, the smallest possible is 12"):
        FaceDetector(min_face=8)
