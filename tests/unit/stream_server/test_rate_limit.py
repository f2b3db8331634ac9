from __future__ import annotations

from stream_server.rate_limit import RateLimit


def test_a_burst_passes_and_a_steady_excess_does_not() -> None:
    now = [0.0]
    limit = RateLimit(10, lambda: now[0])
    assert [limit.allows() for _ in range(11)] == [True] * 10 + [False]
    now[0] += 0.25
    assert [limit.allows() for _ in range(3)] == [True, True, False]
    now[0] += 60  # what was not used does not add up
    assert [limit.allows() for _ in range(11)] == [True] * 10 + [False]
