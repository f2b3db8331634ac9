from __future__ import annotations

import numpy as np

from stream_server.vision.shots import Shot
from stream_server.vision.sight_shots import Change, SightShots
from stream_server.vision.types import Image
from tests.support.cut_outs import SIZE, sight
from tests.support.faces import backdrop

PART, OTHER_PART = (352, 208, 304), (800, 208, 304)


def shots(images: list[Image], part: tuple[int, int, int] = PART, whole: int = 10) -> list[Shot]:
    """What each of ``images``, a tenth of a second apart, is taken for."""
    watch = SightShots()
    return [
        watch.see(list(sight(image, part, whole=i % whole == 0).views), i / 10).shot
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
        watch.see(list(sight(image, (90 * i, 208, 304), whole=i % 10 == 0).views), i / 10).shot
        for i, image in enumerate(panned[:17])
    ]
    assert set(seen) == {Shot.SAME}


def test_another_part_is_no_cut_and_wholes_in_a_row_tell_cuts_as_ever() -> None:
    image = backdrop(*SIZE)
    watch = SightShots()
    assert watch.see(list(sight(image, PART, whole=True).views), 0.0).shot is Shot.SAME
    assert watch.see(list(sight(image, OTHER_PART).views), 0.1).shot is Shot.SAME
    cut = backdrop(*SIZE, seed=7)
    assert watch.see(list(sight(cut, whole=True).views), 0.2).shot is Shot.NEW


def halves(left: Image, right: Image) -> Image:
    middle = SIZE[0] // 2
    return np.concatenate((left[:, :middle], right[:, middle:]), axis=1)


def test_a_cut_in_one_half_of_a_split_screen_is_told_of_that_half() -> None:
    first, second = backdrop(*SIZE), backdrop(*SIZE, seed=7)
    white = np.full_like(first, 255)
    moments = [halves(first, first)] * 5 + [halves(second, first)] * 3
    moments += [halves(white, first)] + [halves(second, first)] * 3
    moments += [halves(white, white), halves(second, first), halves(first, second)]
    large = (160, 208, 480)
    watch = SightShots()
    seen: list[Change] = []
    for i, image in enumerate(moments):
        parts = list(sight(image, large, (1400, 208, 304), whole=i == 0).views)
        seen.append(watch.see(parts, i / 10))
        for view in (*seen[-1].cut, *seen[-1].blank):
            assert view is parts[0]
    assert [len(change.cut) for change in seen] == [0] * 5 + [1] + [0] * 9
    assert [len(change.blank) for change in seen] == [0] * 8 + [1] + [0] * 6
    assert [change.shot for change in seen[12:]] == [Shot.NONE, Shot.SAME, Shot.NEW]
