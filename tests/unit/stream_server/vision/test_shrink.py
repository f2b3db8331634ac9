from __future__ import annotations

import cv2
import numpy as np
import pytest

from stream_server.vision.shrink import averaged, every_third
from tests.support.faces import person


@pytest.mark.parametrize("side", [48, 95, 96, 131, 190, 192, 220, 500])
def test_what_is_averaged_is_what_opencv_averages(side: int) -> None:
    image = np.asarray(cv2.resize(person(), (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    exact = cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA)
    small = averaged(image, (48, 48))
    assert small.shape == (48, 48, 3) and small.dtype == np.uint8
    assert np.abs(small.astype(int) - exact).mean() < 1.5


def test_nothing_moves_where_a_side_is_odd() -> None:
    """A ramp of five steps a pixel stays where it is; halving twice may round up twice."""
    for side in (97, 190, 191, 193, 385):
        ramp = np.linspace(0, 255, side).round().astype(np.uint8)
        image = np.repeat(np.repeat(ramp[None, :, None], side, axis=0), 3, axis=2)
        exact = cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA).astype(int)
        off = averaged(image, (48, 48)) - exact
        assert off.min() >= -1 and off.max() <= 2 and off.mean() < 1


def test_other_sides_may_shrink_by_other_factors() -> None:
    assert averaged(person(), (100, 33)).shape == (33, 100, 3)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (360, 640), (241, 427), (1080, 1919)])
def test_every_third_pixel(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert np.array_equal(every_third(image), image[::3, ::3])
    assert np.array_equal(every_third(image[:, ::-1]), image[:, ::-1][::3, ::3])
