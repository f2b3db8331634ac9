from __future__ import annotations

import cv2
import numpy as np
import pytest

from stream_server.vision.flow import between
from stream_server.vision.types import Image
from stream_server.vision.views import Sight, View, covers, finest
from tests.support.faces import backdrop, paste, person

SIZE = (1280, 720)


def video(shift: float = 0.0) -> Image:
    return paste(backdrop(*SIZE), person(), (640 + shift, 360), 300)


def part(image: Image, left: int, top: int, side: int, scale: float = 1.0) -> View:
    piece = image[top : top + side, left : left + side]
    if scale != 1:
        piece = cv2.resize(piece, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return View(np.asarray(piece, np.uint8), left, top, scale, False)


def whole(image: Image, scale: float = 0.5) -> View:
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return View(np.asarray(small, np.uint8), 0, 0, scale, True)


def test_places_go_in_and_come_out_again() -> None:
    view = part(video(), 400, 100, 500, 0.5)
    box = np.array([450, 150, 700, 420], np.float32)
    assert view.inwards(box).tolist() == [25, 25, 150, 160]
    assert view.outwards(view.inwards(box)).tolist() == box.tolist()
    assert view.outwards(np.zeros((5, 2), np.float32)).tolist() == [[400, 100]] * 5
    assert view.limits.tolist() == [400, 100, 900, 600]
    assert view.shrunk(125).limits.tolist() == [400, 100, 900, 600]


def test_the_finest_picture_that_holds_a_box() -> None:
    image = video()
    wide, near = whole(image), part(image, 400, 100, 500)
    inside = np.array([450, 150, 700, 420], np.float32)
    across = np.array([350, 150, 600, 420], np.float32)
    assert finest([wide, near], inside, SIZE) is near
    assert finest([wide, near], across, SIZE) is wide
    assert finest([near], across, SIZE) is None
    assert finest([near], across, SIZE, outside=0.2) is near


def test_beyond_the_video_there_is_nothing_to_miss() -> None:
    corner = part(video(), 0, 0, 300)
    assert finest([corner], np.array([-80, -90, 200, 210], np.float32), SIZE) is corner


@pytest.mark.parametrize(
    ("place", "all_of_it"),
    [((0, 0, 1280, 720), True), ((4, 0, 1276, 720), True), ((0, 0, 1280, 700), False)],
)
def test_what_shows_all_of_the_video(place: tuple[int, int, int, int], all_of_it: bool) -> None:
    assert covers(*place, SIZE) is all_of_it


def test_a_sight_knows_the_whole_from_its_parts() -> None:
    image = video()
    wide, near = whole(image), part(image, 400, 100, 500)
    sight = Sight(SIZE, (near, wide))
    assert sight.whole is wide and sight.cut_outs == (near,)
    assert Sight.of(image).size == SIZE and Sight((9, 9), (near,)).whole is None


@pytest.mark.parametrize("way", ["to finer", "to coarser", "to the side", "the same"])
def test_motion_is_the_same_whatever_shows_it(way: str) -> None:
    before, after = video(), video(12)
    views = {
        "to finer": (whole(before), part(after, 400, 100, 500)),
        "to coarser": (part(before, 400, 100, 500), whole(after)),
        "to the side": (part(before, 400, 100, 500), part(after, 432, 116, 400, 0.75)),
        "the same": (part(before, 400, 100, 500), part(after, 400, 100, 500)),
    }
    first, second = views[way]
    moved = between(first.gray(), second.gray(), np.array([560, 250, 720, 450], np.float32))
    assert moved is not None
    there = moved[:, :2] @ np.array([640, 360]) + moved[:, 2]
    assert there == pytest.approx([652, 360], abs=1.5)


@pytest.mark.parametrize("place", [(2000, 1500), (-900, 200), (640, 1100)])
def test_what_has_left_the_picture_is_not_followed(place: tuple[int, int]) -> None:
    gray = whole(video(), 1.0).gray()
    box = np.array([*place, place[0] + 400, place[1] + 400], np.float32)
    assert between(gray, gray, box) is None
