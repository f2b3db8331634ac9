from __future__ import annotations

import pytest

from stream_server.ingest.urls.timing import Backlog, Pace, Timeline


def test_times_begin_at_zero_and_keep_their_distances() -> None:
    line = Timeline(0.04)
    assert [line.place(100 + i / 10) for i in range(3)] == pytest.approx([0.0, 0.1, 0.2])
    assert line.peek(100.5) == pytest.approx(0.5)


@pytest.mark.parametrize("jump", [-90.0, -1.0, 11.0, 95443.0])
def test_another_clock_goes_on_one_step_later(jump: float) -> None:
    line = Timeline(0.04)
    line.place(50.0)
    line.place(50.1)
    assert line.peek(50.1 + jump) == pytest.approx(0.14)
    assert line.place(50.1 + jump) == pytest.approx(0.14)
    assert line.place(50.2 + jump) == pytest.approx(0.24)


def test_a_gap_is_kept_and_what_comes_late_is_left_out() -> None:
    line = Timeline(0.04)
    line.place(0.0)
    assert line.place(6.0) == pytest.approx(6.0)
    assert line.place(5.9) is None
    assert line.place(6.04) == pytest.approx(6.04)


def test_frames_without_a_stamp_follow_each_other() -> None:
    line = Timeline(0.04)
    assert [line.place(None) for _ in range(3)] == pytest.approx([0.0, 0.04, 0.08])


def test_before_the_first_frame_everything_is_at_zero() -> None:
    assert Timeline(0.04).peek(1234.5) == 0.0


def test_lumps_are_played_a_little_faster_than_they_last() -> None:
    pace = Pace(speed=1.05)
    assert pace.wait(10.0, now=100.0) == 0
    assert pace.wait(12.1, now=100.0) == pytest.approx(2.0)
    pace.waited(16.0, now=107.0)
    assert pace.wait(16.0, now=107.0) == 0


def test_who_is_seconds_late_is_behind() -> None:
    pace = Pace(speed=1.0)
    pace.wait(0.0, now=100.0)
    assert not pace.behind(1.0, now=102.5)
    assert pace.behind(1.0, now=103.5)


def packets(
    backlog: Backlog, seconds: float, waited: float, speed: float = 1.0, begin: float = 0.0
) -> None:
    for i in range(round(seconds * 25)):
        backlog.took(waited, begin + i / 25 * speed, 100 + begin + i / 25)


def test_who_waits_for_packets_is_at_the_newest() -> None:
    backlog = Backlog()
    packets(backlog, 10, waited=0.02)
    assert not backlog.behind


def test_who_never_waits_is_behind_until_it_waits() -> None:
    backlog = Backlog()
    packets(backlog, 3, waited=0.0001)
    assert backlog.behind
    packets(backlog, 5, waited=0.02, begin=3.0)
    assert not backlog.behind


def test_a_burst_at_the_beginning_is_caught_up_with() -> None:
    """Servers send what they have kept to whoever comes: seconds of it in a moment."""
    backlog = Backlog()
    packets(backlog, 0.2, waited=0.0, speed=50)
    assert backlog.behind
