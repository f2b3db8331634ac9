from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest

from stream_server.ingest.urls.conditions import PictureWatch, SoundWatch
from tests.support.live_media import moving
from tests.support.scan_media import moving_face

TIMES = [i / 5 for i in range(60)]


def test_a_moving_picture_is_no_condition() -> None:
    watch = PictureWatch()
    assert {watch.saw(moving(time), time) for time in TIMES} == {None}


def test_a_face_that_hardly_moves_is_not_frozen() -> None:
    watch, picture = PictureWatch(), moving_face()
    assert {watch.saw(picture(time), time) for time in TIMES} == {None}


def test_a_picture_that_stands_is_frozen_after_four_seconds_until_it_moves() -> None:
    watch, rng = PictureWatch(), np.random.default_rng(1)
    still = moving(0.5).astype(np.int16)
    said = []
    for time in TIMES:
        noise = rng.integers(-3, 4, still.shape)  # what encoding it anew does to it
        said.append(watch.saw(np.clip(still + noise, 0, 255).astype(np.uint8), time))
    first = said.index("frozen")
    assert TIMES[first] == pytest.approx(4.0) and set(said[first:]) == {"frozen"}
    assert watch.saw(moving(1.5), TIMES[-1] + 0.2) is None


def test_black_is_told_before_frozen_and_grey_is_not_black() -> None:
    watch = PictureWatch()
    black = np.full((90, 160, 3), 2, np.uint8)
    said = [watch.saw(black, time) for time in TIMES]
    assert said.index("black") == 8 and said[-1] == "black"
    grey = PictureWatch()
    assert "black" not in {grey.saw(np.full((90, 160, 3), 60, np.uint8), t) for t in TIMES}


def sound(loud: float) -> Any:
    wave = (loud * np.sin(np.arange(1024) / 20)).astype(np.float32)[None]
    return av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")


def test_silence_is_told_after_ten_seconds() -> None:
    watch = SoundWatch()
    assert not watch.silent(100.0), "without any sound there is none that could be missed"
    watch.heard(sound(0.2), 0.0)
    for time in range(1, 13):
        watch.heard(sound(0.0001), float(time))
    assert not watch.silent(9.9) and watch.silent(10.0)
    watch.heard(sound(0.05), 12.5)
    assert not watch.silent(13.0)


def test_whole_numbers_are_heard_too() -> None:
    watch = SoundWatch()
    wave = (np.sin(np.arange(1024) / 20) * 8000).astype(np.int16)[None]
    watch.heard(av.AudioFrame.from_ndarray(wave, format="s16", layout="mono"), 0.0)
    watch.heard(av.AudioFrame.from_ndarray(wave, format="s16", layout="mono"), 20.0)
    assert not watch.silent(21.0)
