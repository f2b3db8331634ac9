from __future__ import annotations

import numpy as np
import pytest

from stream_server.vision.detect import FaceDetector
from stream_server.vision.search import FaceSearch, together
from stream_server.vision.types import Detections
from stream_server.vision.views import View
from tests.support.cut_outs import SIZE, sight
from tests.support.faces import backdrop, other_person, paste, person


@pytest.fixture(scope="module")
def search() -> FaceSearch:
    return FaceSearch(FaceDetector(min_face=40), max_faces=16)


def test_the_whole_in_small_shows_every_face_that_a_cut_out_could_be_judged_by(
    search: FaceSearch,
) -> None:
    image = paste(backdrop(*SIZE), person(), (700, 400), 170)
    near, whole = sight(image, (592, 304, 208), whole=True).views
    [box] = search.whole(whole).boxes
    [exact] = search.lost(near, [box]).boxes
    assert 64 < (exact[2:] - exact[:2]).max() < 76
    assert (box + box[[2, 3, 0, 1]]) / 2 == pytest.approx((exact + exact[[2, 3, 0, 1]]) / 2, abs=10)


def test_what_a_finer_picture_shows_is_measured_there(search: FaceSearch) -> None:
    image = paste(backdrop(*SIZE), person(), (700, 400), 240)
    near, whole = sight(image, (528, 224, 352), whole=True).views
    coarse = search.whole(whole)
    fine = search.sharpened(coarse, [near, whole], SIZE)
    best = search.lost(near, [coarse.boxes[0]])
    off = [np.abs(one.landmarks[0] - best.landmarks[0]).max() for one in (fine, coarse)]
    assert off[0] < 2 and off[0] < off[1]
    alone = search.sharpened(coarse, [whole], SIZE)
    assert np.array_equal(alone.boxes, coarse.boxes)


def test_what_is_known_is_not_looked_for_but_counts_in_a_crowd(
    search: FaceSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = paste(backdrop(), person(), (170, 180), 200)
    image = paste(image, other_person(), (430, 180), 200)
    whole = View(image)
    left, right = sorted(search.whole(whole).boxes.tolist())
    refined: list[int] = []
    once = search.detector._refine_once
    monkeypatch.setattr(
        search.detector,
        "_refine_once",
        lambda image, boxes: (refined.append(len(boxes)), once(image, boxes))[1],  # type: ignore[func-returns-value]
    )
    search.whole(whole)
    monkeypatch.setattr(search, "max_faces", 1)
    [found] = search.whole(whole, np.array([left], np.float32)).boxes.tolist()
    assert found == pytest.approx(right)
    assert refined[1] < 0.8 * refined[0]
    assert search.crowded == 1


def test_a_face_found_twice_is_one() -> None:
    def faces(*lefts: float) -> Detections:
        boxes = np.array([[left, 0, left + 50, 50] for left in lefts], np.float32)
        return Detections(boxes, np.ones(len(lefts), np.float32), np.zeros((len(lefts), 5, 2)))

    both = together([faces(0), faces(3, 200)])
    assert both.boxes[:, 0].tolist() == [0, 200]
    assert len(together([])) == 0
