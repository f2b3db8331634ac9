"""Self-blending, delivery, transcoding and the cut of the crop."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from stream_server.vision.crop import align_crop
from stream_server.vision.detect import FaceDetector
from stream_server.vision.types import Floats, Image
from tests.support.training_sets import STRONG, portrait
from training.augment.delivery import TIERS, Delivery
from training.augment.margin import Cut
from training.augment.self_blend import Blend
from training.augment.transcode import Codec


@pytest.fixture(scope="module")
def face() -> tuple[Image, Floats, float]:
    picture = portrait(3)
    found = FaceDetector(min_face=40).detect(picture)
    box = found.boxes[0]
    return picture, found.landmarks[0], float(max(box[2:] - box[:2]))


def test_a_blend_changes_the_face_and_nothing_far_from_it(
    face: tuple[Image, Floats, float],
) -> None:
    picture, landmarks, side = face
    blended = STRONG.apply(picture, landmarks, np.random.default_rng(0))
    assert blended.shape == picture.shape and blended.dtype == np.uint8
    change = np.abs(blended.astype(int) - picture).sum(axis=2)
    rows, columns = np.nonzero(change > 3)
    centre = landmarks.mean(axis=0)
    assert change[int(centre[1]), int(centre[0])] > 20
    assert np.abs(columns - centre[0]).max() < side and np.abs(rows - centre[1]).max() < side
    assert (change > 3).mean() < 0.5


def test_random_blends_differ_and_repeat_by_seed(face: tuple[Image, Floats, float]) -> None:
    picture, landmarks, _ = face

    def made(seed: int) -> Image:
        rng = np.random.default_rng(seed)
        return Blend.random(rng).apply(picture, landmarks, rng)

    assert np.array_equal(made(5), made(5))
    different = [np.abs(made(seed).astype(int) - picture).mean() for seed in range(12)]
    assert min(different) > 0 and max(different) > 4 * min(different)
    assert np.median(different) < 12  # fakes to learn from, not caricatures


def test_a_clip_level_blend_holds_together(face: tuple[Image, Floats, float]) -> None:
    picture, landmarks, _ = face
    rng = np.random.default_rng(2)
    blend = replace(Blend.random(rng), jitter=0.006)
    first, second = (blend.apply(picture, landmarks, rng).astype(int) for _ in range(2))
    trembling = np.abs(first - second).mean()
    assert 0 < trembling < np.abs(first - picture).mean()


def test_another_face_can_be_put_there(face: tuple[Image, Floats, float]) -> None:
    picture, landmarks, _ = face
    donor = portrait(8)
    points = FaceDetector(min_face=40).detect(donor).landmarks[0]
    plain = replace(STRONG, change=STRONG.change.__class__(), resolution=1.0)
    swapped = plain.apply(picture, landmarks, np.random.default_rng(0), (donor, points))
    found = FaceDetector(min_face=40).detect(swapped)
    assert np.abs(found.landmarks[0] - landmarks).max() < 6


def test_delivery_moves_the_landmarks_with_the_picture(face: tuple[Image, Floats, float]) -> None:
    picture, landmarks, side = face
    rng = np.random.default_rng(0)
    delivery = Delivery(face_px=side / 2, jpeg=60)
    small, moved = delivery.apply(picture, landmarks, side, rng)
    assert small.shape[0] == pytest.approx(picture.shape[0] / 2, abs=1)
    before, after = align_crop(picture, landmarks), align_crop(small, moved)
    blurred = cv2.GaussianBlur(before, (0, 0), 3).astype(int)
    assert np.abs(cv2.GaussianBlur(after, (0, 0), 3).astype(int) - blurred).mean() < 4


def test_harder_tiers_harm_more(face: tuple[Image, Floats, float]) -> None:
    picture, landmarks, side = face
    rng = np.random.default_rng(0)
    clean = align_crop(picture, landmarks).astype(int)
    harm = {}
    for name, tier in TIERS.items():
        image, points = tier.apply(picture, landmarks, side, rng)
        harm[name] = np.abs(align_crop(image, points).astype(int) - clean).mean()
    assert harm["clean"] == 0 < harm["web"] < harm["hard"]


def test_strength_zero_leaves_most_alone() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        mild = Delivery.random(rng, strength=0.0)
        assert mild.jpeg == mild.vp8 == 0 and mild.face_px == 0 and mild.noise == 0


def test_a_cut_moves_the_crop_and_its_landmarks_alike(face: tuple[Image, Floats, float]) -> None:
    picture, landmarks, _ = face
    assert np.array_equal(Cut().apply(picture, landmarks), align_crop(picture, landmarks))
    detector = FaceDetector(min_face=80)
    for seed in range(6):
        cut = Cut.random(np.random.default_rng(seed))
        crop = cut.apply(picture, landmarks)
        found = detector.detect(crop).landmarks[0]
        assert np.abs(found - cut.points(landmarks).reshape(5, 2)).max() < 14


@pytest.mark.parametrize("name", ["h264", "vp9"])
def test_codecs_give_the_clip_back_a_little_worse(name: str) -> None:
    clip = [portrait(2, number / 10, (161, 141)) for number in range(6)]
    good = Codec(name, 15).apply(clip)
    poor = Codec(name, 45).apply(clip)
    assert len(good) == 6 and good[0].shape == (140, 160, 3)
    original = [cv2.resize(picture, (160, 140)).astype(int) for picture in clip]
    errors = [
        np.mean([np.abs(a - b).mean() for a, b in zip(made, original, strict=True)])
        for made in (good, poor)
    ]
    assert 0 < errors[0] < 4 and errors[0] < errors[1]


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(ValueError, match="'av2'"):
        Codec("av2", 30).apply([portrait(1)])
