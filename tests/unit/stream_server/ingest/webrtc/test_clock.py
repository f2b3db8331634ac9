from __future__ import annotations

import pytest

from stream_server.ingest.webrtc.clock import MediaClock


@pytest.mark.parametrize("fps", [15, 24, 25, 29.97, 30, 50, 60])
def test_due_frames_keep_the_rate(fps: float) -> None:
    clock = MediaClock(10)
    due = [clock.tick(round(i * 90_000 / fps)) for i in range(round(fps * 10))]
    assert 95 <= sum(tick.due for tick in due) <= 101
    assert due[-1].media_time == pytest.approx((len(due) - 1) / fps, abs=1e-3)


def test_a_step_back_is_a_jump_and_time_goes_on() -> None:
    clock = MediaClock(10)
    times = [clock.tick(pts) for pts in (0, 9000, 18_000, 0, 9000, 90_000_000, 90_009_000)]
    assert [tick.jumped for tick in times] == [False, False, False, True, False, True, False]
    assert [round(tick.media_time, 1) for tick in times] == [0, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4]
    assert all(tick.due for tick in times)
