from __future__ import annotations

import random

from stream_server.ingest.urls.backoff import CAP, Backoff


def test_it_doubles_up_to_a_cap_and_jitters_below() -> None:
    backoff = Backoff(random.Random(1))
    steps = [1.0, 2.0, 4.0, CAP, CAP, CAP]
    delays = [backoff.next() for _ in steps]
    assert all(step / 2 <= delay <= step for step, delay in zip(steps, delays, strict=True))
    assert len(set(delays[-3:])) == 3
    backoff.reset()
    assert backoff.next() <= 1.0


def test_two_readers_do_not_come_back_together() -> None:
    assert Backoff(random.Random(1)).next() != Backoff(random.Random(2)).next()


def test_it_goes_on_for_weeks() -> None:
    backoff = Backoff()
    assert max(backoff.next() for _ in range(50_000)) <= CAP
