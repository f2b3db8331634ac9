from __future__ import annotations

import time

from stream_server.monitors.wall_clock import WallClock


class Times:
    wall, steady = 1_700_000_000.0, 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def test_a_clock_that_is_set_is_told_once_and_one_that_is_slewed_never() -> None:
    times = Times()
    clock = WallClock(lambda: times.wall, lambda: times.steady)
    times.pass_by(100_000)  # a machine that slept: time has passed
    assert clock.jumped() == 0
    for by in (3600.0, -3600.0):
        times.pass_by(1)
        times.wall += by
        before = times.wall - by
        assert clock.now() == before  # as it was, until somebody looks
        assert clock.jumped() == by and clock.jumped() == 0
        assert clock.now() == times.wall
    for _ in range(100):
        times.pass_by(1)
        times.wall += 0.5
        assert clock.jumped() == 0 and clock.now() == times.wall


def test_it_is_the_machine_s_own_unless_another_is_given() -> None:
    assert abs(WallClock().now() - time.time()) < 60
