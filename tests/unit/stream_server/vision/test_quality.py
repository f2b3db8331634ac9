from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from stream_server.vision.crop import align_crop, alignment, to_crop
from stream_server.vision.detect import FaceDetector
from stream_server.vision.quality import Quality, QualityLimits, judge
from tests.support.faces import backdrop, paste, person


@pytest.fixture(scope="module")
def face() -> Any:
    frame = paste(backdrop(), person(), (320, 180), 330)
    found = FaceDetector().detect(frame)
    return frame, found.boxes[0], found.landmarks[0]


def measure(frame: Any, box: Any, landmarks: Any) -> Quality:
    crop = align_crop(frame, landmarks)
    return judge(frame, box, crop, to_crop(landmarks, alignment(landmarks)))


def reasons(frame: Any, box: Any, landmarks: Any) -> tuple[str, ...]:
    return measure(frame, box, landmarks).reasons(QualityLimits())


def test_a_good_face_passes(face: Any) -> None:
    assert reasons(*face) == ()


def test_a_dark_background_passes(face: Any) -> None:
    frame, box, landmarks = face
    left, top, right, bottom = box.astype(int)
    dark = np.zeros_like(frame)
    dark[top:bottom, left:right] = frame[top:bottom, left:right]
    assert reasons(dark, box, landmarks) == ()


def test_a_dark_face_before_a_bright_wall_does_not(face: Any) -> None:
    frame, box, landmarks = face
    left, top, right, bottom = box.astype(int)
    bright = np.full_like(frame, 250)
    bright[top:bottom, left:right] = frame[top:bottom, left:right] // 6
    assert "dark" in reasons(bright, box, landmarks)


def test_glare(face: Any) -> None:
    frame, box, landmarks = face
    glaring = np.clip(frame.astype(int) + 150, 0, 255).astype(np.uint8)
    assert reasons(glaring, box, landmarks) == ("overexposed",)


def test_blur(face: Any) -> None:
    frame, box, landmarks = face
    assert reasons(cv2.GaussianBlur(frame, (0, 0), 6), box, landmarks) == ("blurred",)


def test_small(face: Any) -> None:
    frame, box, landmarks = face
    scale = 50 / float((box[2:] - box[:2]).max())
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert "small_face" in reasons(small, box * scale, landmarks * scale)


def test_over_compressed(face: Any) -> None:
    frame, box, landmarks = face
    encoded = io.BytesIO()
    Pillow.fromarray(frame).save(encoded, "JPEG", quality=5)
    blocky = np.asarray(Pillow.open(encoded).convert("RGB"))
    assert "over_compressed" in reasons(blocky, box, landmarks)


@pytest.mark.parametrize("quality", [40, 70, 90])
def test_everyday_jpeg_is_not_over_compressed(face: Any, quality: int) -> None:
    frame, box, landmarks = face
    encoded = io.BytesIO()
    Pillow.fromarray(frame).save(encoded, "JPEG", quality=quality)
    assert reasons(np.asarray(Pillow.open(encoded).convert("RGB")), box, landmarks) == ()


@pytest.mark.parametrize("side", [-1, 1])
def test_profile(face: Any, side: int) -> None:
    frame, box, landmarks = face
    turned = landmarks.copy()
    turned[2, 0] += side * 0.6 * (landmarks[1, 0] - landmarks[0, 0])
    assert "profile" in reasons(frame, box, turned)


def test_limits_can_be_set(face: Any) -> None:
    quality = measure(*face)
    assert quality.reasons(QualityLimits(smallest_face=1000)) == ("small_face",)
