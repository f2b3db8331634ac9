"""Which frames are due, whatever rate they come at."""

from __future__ import annotations

import pytest

from stream_server.rhythm import Rhythm


def due(rate: float, times: list[float]) -> list[float]:
    rhythm = Rhythm(rate)
    return [time for time in times if rhythm.due(time)]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (25, [0.0, 0.08, 0.2, 0.28, 0.4]),
        (30, [0.0, 0.1, 0.2, 0.3, 0.4]),
        (10, [0.0, 0.1, 0.2, 0.3, 0.4]),
        (7, [0.0, 0.143, 0.286, 0.429]),
    ],
)
def test_the_frame_nearest_to_a_beat_is_due(frames: int, expected: list[float]) -> None:
    times = [round(n / frames, 3) for n in range(frames) if n < 0.45 * frames]
    assert due(10, times) == expected


def test_a_frame_a_quarter_of_a_beat_early_is_near_and_one_earlier_is_not() -> None:
    assert due(10, [0.0, 0.0751]) == [0.0, 0.0751]
    assert due(10, [0.0, 0.0749]) == [0.0]


def test_after_a_gap_the_beats_stay_where_they_were() -> None:
    assert due(10, [0.0, 0.55, 0.57, 0.6, 0.66, 0.7]) == [0.0, 0.55, 0.6, 0.7]


def test_peeking_takes_nothing_and_a_reset_begins_anew() -> None:
    rhythm = Rhythm(10)
    assert rhythm.peek(0.5) and rhythm.peek(0.5) and rhythm.due(0.5)
    assert not rhythm.peek(0.5) and not rhythm.due(0.2)
    rhythm.reset()
    assert rhythm.due(0.2)
