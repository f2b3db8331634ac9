"""Clocks that jump, stall or drift against the arrival of their frames."""

from __future__ import annotations

import pytest

from stream_server.clock_watch import ClockWatch


def complaints(times: list[float], every: float = 0.1) -> list[str]:
    watch = ClockWatch()
    found = (watch.note(time, number * every) for number, time in enumerate(times))
    return [one for one in found if one is not None]


@pytest.mark.parametrize("speed", [0.0625, 0.5, 0.998, 1.0, 1.002, 2.0, 16.0])
def test_every_speed_of_a_player_is_right(speed: float) -> None:
    assert complaints([number * 0.1 * speed for number in range(200)]) == []


def test_a_jump_is_right_and_so_is_a_pause() -> None:
    assert complaints([n * 0.1 + (3600 if n > 80 else 0) for n in range(120)]) == []
    assert complaints([min(n, 60) * 0.1 for n in range(100)]) == []


def test_a_clock_that_stands_is_told_again_and_again() -> None:
    found = complaints([12.5] * 160)
    assert len(found) == 3 and "moved by 0 s" in found[0]


def test_milliseconds_are_told_from_seconds() -> None:
    (found,) = complaints([number * 100.0 for number in range(60)])
    assert "it is in seconds" in found


def test_a_step_back_begins_anew() -> None:
    watch = ClockWatch()
    assert [watch.note(time, 0.2 * n) for n, time in enumerate([5.0, 5.1, 1.0, 1.1])] == [None] * 4


def test_slow_sources_are_judged_over_a_longer_time() -> None:
    assert complaints([n * 2.0 for n in range(20)], every=2.0) == []
    (found, *_) = complaints([7.0] * 20, every=2.0)
    assert "in 10 s" in found


def test_after_a_reset_nothing_is_known() -> None:
    watch = ClockWatch()
    for number in range(45):
        assert watch.note(3.0, number * 0.1) is None
    watch.reset()
    assert watch.note(3.0, 6.0) is None
