from __future__ import annotations

import numpy as np
import pytest

from stream_server.vision.surroundings import Surroundings
from tests.support.faces import backdrop, paste, person

NOBODY = np.zeros((0, 4), np.float32)
FACE = np.array([[250, 90, 390, 270]], np.float32)


@pytest.fixture
def picture() -> np.ndarray:
    return paste(backdrop(), person(), (320, 180), 220)


def test_what_was_never_searched_has_changed(picture: np.ndarray) -> None:
    assert Surroundings().changed(picture, NOBODY)


def test_noise_is_no_change(picture: np.ndarray) -> None:
    around = Surroundings()
    around.searched(picture)
    noise = np.random.default_rng(0).integers(-20, 21, picture.shape)
    assert not around.changed(np.clip(picture + noise, 0, 255).astype(np.uint8), NOBODY)


def test_a_face_that_moves_a_little_changes_nothing_around_it(picture: np.ndarray) -> None:
    around = Surroundings()
    around.searched(picture)
    moved = paste(backdrop(), person(), (335, 186), 220)
    assert around.changed(moved, NOBODY)
    assert not around.changed(moved, FACE)


@pytest.mark.parametrize("place", [(60, 60), (580, 300), (60, 320)])
def test_a_small_face_that_comes_elsewhere_does(
    picture: np.ndarray, place: tuple[int, int]
) -> None:
    around = Surroundings()
    around.searched(picture)
    assert around.changed(paste(picture, person(), place, 60), FACE)


def test_what_came_slowly_is_seen_against_the_last_search(picture: np.ndarray) -> None:
    around = Surroundings()
    around.searched(picture)
    other = paste(picture, person(), (60, 60), 60).astype(np.float32)
    changed = [
        around.changed(((1 - share) * picture + share * other).astype(np.uint8), FACE)
        for share in (0.1, 0.2, 0.6, 1.0)
    ]
    assert changed[0] is False and changed[-1] is True


def test_a_face_beyond_the_edge_is_no_error(picture: np.ndarray) -> None:
    around = Surroundings()
    around.searched(picture)
    faces = np.array([[-90, -90, 40, 60], [600, 300, 800, 500]], np.float32)
    assert not around.changed(picture, faces)
