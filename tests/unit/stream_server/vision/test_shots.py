"""What is taken for another shot, frame by frame; whole files are in tests/media."""

from __future__ import annotations

import numpy as np

from stream_server.vision.shots import Shot, ShotWatch
from stream_server.vision.types import Image
from tests.support.gan_people import frame


def seen(pictures: list[Image], rate: float = 10) -> list[Shot]:
    watch = ShotWatch()
    return [watch.see(picture, number / rate) for number, picture in enumerate(pictures)]


def test_a_face_whose_light_changes_before_a_steady_wall_stays_in_its_shot() -> None:
    for name in ("a", "b"):
        assert set(seen([frame(name, number) for number in range(60)])) == {Shot.SAME}


def test_a_dissolve_between_two_people_is_another_shot() -> None:
    pictures = []
    for number in range(40):
        share = np.clip((number - 15) / 10, 0, 1)
        one, other = (frame(name, number).astype(np.float32) for name in ("a", "b"))
        pictures.append(((1 - share) * one + share * other).astype(np.uint8))
    found = seen(pictures)
    assert Shot.NEW in found[16:32]
    assert set(found[:15]) == {Shot.SAME}
