"""How a monitor stands, in words and numbers."""

from __future__ import annotations

import pytest

from stream_server.monitors.status import Status, Throughput, Timeline


def test_since_is_the_last_change_of_state_or_reason() -> None:
    status = Status("connecting", "", 1.0)
    assert status.become("watching", "", 2.0) and status.since == 2.0
    assert not status.become("watching", "", 3.0) and status.since == 2.0
    assert status.become("watching", "busy", 4.0) and status.since == 4.0


def test_what_was_seen_is_forgotten_when_nothing_is_watched() -> None:
    status = Status("watching", "", 1.0)
    status.saw([{"track": 1}], 0.5)
    status.saw([{"track": 1}], 1.0)
    assert status.lag_s == pytest.approx(0.6) and status.faces == [{"track": 1}]
    status.become("stalled", "", 2.0)
    assert status.lag_s is None and status.faces == []


def test_a_machine_that_cannot_keep_up_says_so_until_it_can() -> None:
    throughput = Throughput(0.0)
    assert throughput.problem(20, 5, 5.0) is None
    assert throughput.problem(50, 10, 10.0) == (
        "this machine is too busy: 1.0 of 5.0 pictures a second are analysed"
    )
    assert throughput.problem(60, 20, 15.0) is None
    assert throughput.problem(100, 60, 20.0) == ""


def test_a_source_that_gives_nothing_is_no_busy_machine() -> None:
    assert Throughput(0.0).problem(0, 0, 20.0) == ""


def test_a_timeline_keeps_the_highest_of_each_second_and_five_minutes() -> None:
    timeline = Timeline()
    for at, values in ((10.1, [0.2, 0.9]), (10.8, [0.5]), (11.5, []), (12.0, [0.12345])):
        timeline.add(at, values)
    assert timeline.as_json() == [[10, 0.9], [12, 0.1235]]
    timeline.add(311.0, [0.3])
    assert timeline.as_json() == [[12, 0.1235], [311, 0.3]]
