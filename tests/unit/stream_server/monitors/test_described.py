"""Monitors and incidents as they are shown."""

from __future__ import annotations

import time

import pytest

from stream_server.monitors.described import described_monitor
from tests.support.monitored import monitor


@pytest.mark.parametrize(
    ("state", "shown"),
    [("watching", "connecting"), ("stalled", "connecting"), ("failed", "failed")],
)
def test_only_what_failed_is_believed_of_a_watcher_that_says_no_more(
    state: str, shown: str
) -> None:
    row = monitor(state=state, reason="why", since=time.time() - 90, seen_at=time.time() - 60)
    described = described_monitor(row)
    assert described["state"] == shown
    assert (described["reason"] == "why") == (state == "failed")
