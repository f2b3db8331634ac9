from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from stream_server.vision.crop import align_crop, alignment, to_crop
from stream_server.vision.detect import FaceDetector
from tests.support.faces import backdrop, paste, person


@pytest.fixture(scope="module")
def found() -> Any:
    frame = paste(backdrop(), person(), (320, 180), 300)
    return frame, FaceDetector().detect(frame).landmarks[0]


def test_shape_and_type(found: Any) -> None:
    crop = align_crop(*found)
    assert crop.shape == (224, 224, 3) and crop.dtype == np.uint8


def test_landmarks_land_on_the_template_whatever_the_roll(found: Any) -> None:
    frame, landmarks = found
    for angle in (-40, 0, 25):
        turn = cv2.getRotationMatrix2D((320, 180), angle, 1.0)
        turned = cv2.warpAffine(frame, turn, (640, 360))
        moved = (landmarks @ turn[:, :2].T + turn[:, 2]).astype(np.float32)
        upright = align_crop(turned, moved)
        eyes = to_crop(moved, alignment(moved))[:2]
        assert abs(eyes[0, 1] - eyes[1, 1]) < 5
        inner = (slice(50, 180), slice(60, 165))
        difference = cv2.absdiff(upright[inner], align_crop(frame, landmarks)[inner])
        assert difference.mean() < 5


def test_the_same_face_at_six_times_the_size_gives_the_same_crop(found: Any) -> None:
    frame, landmarks = found
    large = cv2.resize(frame, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
    crop = align_crop(large, ((landmarks + 0.5) * 6 - 0.5).astype(np.float32))
    assert cv2.absdiff(crop, align_crop(frame, landmarks)).mean() < 3


def test_fine_stripes_do_not_alias_when_shrunk(found: Any) -> None:
    _, landmarks = found
    stripes = np.zeros((2160, 3840, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = align_crop(stripes, ((landmarks + 0.5) * 6 - 0.5).astype(np.float32))
    assert crop.std() < 30  # a warp alone would show beats between black and white


def test_margin_shows_more(found: Any) -> None:
    _frame, landmarks = found
    wide = to_crop(landmarks, alignment(landmarks, margin=2.0))
    narrow = to_crop(landmarks, alignment(landmarks, margin=1.0))
    assert np.ptp(wide[:, 0]) * 1.9 < np.ptp(narrow[:, 0])


def test_a_face_at_the_edge_is_mirrored_not_blackened(found: Any) -> None:
    frame, landmarks = found
    shifted = np.ascontiguousarray(frame[:, 250:])
    crop = align_crop(shifted, landmarks - np.array([250, 0], np.float32))
    assert crop[:, :10].mean() > 10


def test_landmarks_in_one_point_are_refused(found: Any) -> None:
    frame, _ = found
    with pytest.raises(ValueError, match="fall into one point"):
        align_crop(frame, np.full((5, 2), 7, np.float32))


@pytest.mark.parametrize("side", [60, 150, 420, 900])
@pytest.mark.parametrize("centre", [(700, 500), (60, 30), (1370, 960)])
def test_of_a_part_of_the_picture_it_is_the_same_crop(side: int, centre: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1000, 1400, 3), dtype=np.uint8)
    face = np.array([[-0.19, -0.15], [0.19, -0.15], [0, 0.04], [-0.15, 0.25], [0.15, 0.27]])
    landmarks = (face * side + centre + 0.317).astype(np.float32)
    reach = np.array([1.0, 1.0]) * side
    left, top = np.floor(centre - reach).astype(int).clip(0)
    right, bottom = np.ceil(centre + reach).astype(int)
    part = picture[top:bottom, left:right]
    own = landmarks - np.array([left, top], np.float32)
    assert np.array_equal(align_crop(picture, landmarks), align_crop(part, own))
