from __future__ import annotations

import io

import numpy as np
from PIL import Image as Pillow

from stream_server.scan.faces.gallery import Gallery

GRAY = np.full((224, 224, 3), 90, np.uint8)


def test_however_long_the_file_few_pictures_are_kept_and_the_peak_is_one_of_them() -> None:
    gallery = Gallery()
    for i in range(4000):
        gallery.add(i / 4, GRAY, 0.99 if i == 1234 else 0.2)
    assert len(gallery._shots) <= 24
    assert 1234 / 4 in [shot.time for shot in gallery.telling()]


def test_the_most_suspicious_and_for_comparison_the_least() -> None:
    gallery = Gallery()
    for i in range(12):
        gallery.add(float(i), GRAY, i / 20)
    shown = gallery.telling(4)
    assert [shot.probability for shot in shown] == [0.0, 9 / 20, 10 / 20, 11 / 20]
    assert [shot.time for shot in shown] == sorted(shot.time for shot in shown)


def test_of_a_face_that_was_never_judged_the_reasons_are_shown() -> None:
    gallery = Gallery()
    for i in range(40):
        gallery.add(i / 2, GRAY, None, ("dark",))
    assert 1 <= len(gallery.telling()) <= 3
    assert all(shot.reasons == ("dark",) for shot in gallery.telling())


def test_pictures_are_small_jpegs() -> None:
    gallery = Gallery()
    gallery.add(0.0, GRAY, 0.5)
    picture = Pillow.open(io.BytesIO(gallery.telling()[0].jpeg))
    assert picture.format == "JPEG" and max(picture.size) <= 224


def test_merging_keeps_the_best_of_both() -> None:
    first, second = Gallery(), Gallery()
    first.add(1.0, GRAY, 0.3)
    second.add(1.1, GRAY, 0.9)
    second.add(50.0, GRAY, 0.4)
    first.merge(second)
    assert {shot.probability for shot in first.telling()} == {0.9, 0.4}
