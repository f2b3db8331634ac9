from __future__ import annotations

import random

import pytest

from stream_server.monitors.alerts.schedule import Schedule, retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def test_it_follows_the_specification_and_is_denser_before() -> None:
    schedule = Schedule(jitter=0)
    delays = [schedule.next_delay(attempts) for attempts in range(1, 14)]
    minutes = [300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert delays == [5, 10, 20, 40, 80, *minutes]
    assert schedule.next_delay(14) is None
    assert 3 * 86_400 < schedule.span < 4 * 86_400


def test_jitter_spreads_the_delays_around_the_schedule() -> None:
    schedule = Schedule(random=random.Random(1))
    drawn = [schedule.next_delay(6) or 0.0 for _ in range(200)]
    assert 240 <= min(drawn) < 260
    assert 340 < max(drawn) <= 360


@pytest.mark.parametrize(
    ("asked", "delay"),
    [(None, 5), (1.0, 5), (5000.0, 5000), (1e9, 86_400)],
)
def test_the_receiver_may_ask_for_more_but_not_for_ever(asked: float | None, delay: float) -> None:
    assert Schedule(jitter=0).next_delay(1, asked) == delay


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("9" * 5000, 86_400),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
    ],
)
def test_what_a_retry_after_header_asks_for(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds
