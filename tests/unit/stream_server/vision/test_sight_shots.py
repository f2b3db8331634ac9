from __future__ import annotations

import numpy as np

from stream_server.vision.shots import Shot
from stream_server.vision.sight_shots import SightShots
from stream_server.vision.types import Image
from tests.support.cut_outs import SIZE, sight
from tests.support.faces import backdrop

PART, OTHER_PART = (352, 208, 304), (800, 208, 304)


def shots(images: list[Image], part: tuple[int, int, int] = PART, whole: int = 10) -> list[Shot]:
    """What each of ``images``, a tenth of a second apart, is taken for."""
    watch = SightShots()
    return [
        watch.see(list(sight(image, part, whole=i % whole == 0).views), i / 10)
        for i, image in enumerate(images)
    ]


def test_a_cut_between_two_wholes_shows_in_the_cut_out() -> None:
    first, second = backdrop(*SIZE), backdrop(*SIZE, seed=7)
    assert shots([first] * 5 + [second] * 3) == [Shot.SAME] * 5 + [Shot.NEW] + [Shot.SAME] * 2


def test_a_flash_in_a_cut_out_ends_nothing() -> None:
    image = backdrop(*SIZE)
    white = np.full_like(image, 255)
    assert (
        shots([image] * 5 + [white] + [image] * 3)
        == [Shot.SAME] * 5 + [Shot.NONE] + [Shot.SAME] * 3
    )


def test_a_whole_that_differs_from_one_a_second_ago_is_no_cut() -> None:
    panned = [np.roll(backdrop(*SIZE), 90 * i, axis=1) for i in range(21)]
    watch = SightShots()
    seen = [
        watch.see(list(sight(image, (90 * i, 208, 304), whole=i % 10 == 0).views), i / 10)
        for i, image in enumerate(panned[:17])
    ]
    assert set(seen) == {Shot.SAME}


def test_another_part_is_no_cut_and_wholes_in_a_row_tell_cuts_as_ever() -> None:
    image = backdrop(*SIZE)
    watch = SightShots()
    assert watch.see(list(sight(image, PART, whole=True).views), 0.0) is Shot.SAME
    assert watch.see(list(sight(image, OTHER_PART).views), 0.1) is Shot.SAME
    cut = backdrop(*SIZE, seed=7)
    assert watch.see(list(sight(cut, whole=True).views), 0.2) is Shot.NEW
