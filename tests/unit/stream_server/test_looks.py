from __future__ import annotations

import numpy as np
import pytest

from stream_server.looks import SELDOM, Looks


def looked(rate: float, times: list[float], sample_hz: float = 10.0, phase: int = 0) -> list[float]:
    """The times of the samples that a member of ``rate`` looks at."""
    looks = Looks({"m": rate}, sample_hz, phase)
    seen = []
    for time in times:
        if "m" not in looks.resting(time):
            looks.saw(time, ["m"])
            seen.append(time)
    return seen


def beats(count: int, rate: float = 10.0) -> list[float]:
    return [number / rate for number in range(count)]


def test_half_the_rate_is_every_second_sample() -> None:
    assert looked(5, beats(10)) == [0.0, 0.2, 0.4, 0.6, 0.8]


@pytest.mark.parametrize(
    ("rate", "gaps"), [(2.5, {4}), (10 / 3, {3}), (4, {2, 3}), (7, {1, 2}), (0.3, {33, 34})]
)
def test_rates_that_do_not_divide_keep_their_number_and_lie_evenly(
    rate: float, gaps: set[int]
) -> None:
    seen = looked(rate, beats(36001))  # an hour: nothing drifts
    assert len(seen) == pytest.approx(3600 * rate, abs=1)
    assert set(np.diff(np.round(np.array(seen) * 10).astype(int)).tolist()) == gaps


def test_jitter_moves_no_look() -> None:
    rng = np.random.default_rng(0)
    times = [max(0.0, number / 10 + rng.uniform(-0.02, 0.06)) for number in range(600)]
    assert looked(2.5, times) == times[::4]


def test_a_stream_that_is_slower_is_looked_at_every_time() -> None:
    assert looked(5, beats(40, 3.7)) == beats(40, 3.7)  # though it was meant to give ten


@pytest.mark.parametrize("rate", [10.0, 25.0])
def test_a_rate_that_is_no_less_is_every_sample(rate: float) -> None:
    assert looked(rate, beats(20)) == beats(20)
    assert Looks({"m": rate}, 10.0).least(8) == {}


def test_a_look_that_was_missed_is_made_up_for_and_moves_no_other() -> None:
    times = beats(12)
    del times[4], times[4]  # 0.4 and 0.5 could not be judged, which is one look and its time
    assert looked(5, times) == [0.0, 0.2, 0.6, 0.8, 1.0]
    late = beats(12)
    del late[4]
    assert looked(5, late) == [0.0, 0.2, 0.5, 0.6, 0.8, 1.0]


def test_streams_that_begin_together_look_at_other_beats_and_as_often() -> None:
    each = [looked(1.0, beats(101), phase=phase) for phase in range(0, 70, 7)]
    assert all(seen[0] == 0.0 for seen in each)  # a new face waits for nobody
    later = [time for seen in each for time in seen[1:] if time > 1.0]
    assert len(later) == pytest.approx(90, abs=1)
    assert max(later.count(time) for time in later) == 1


def test_members_rest_each_by_its_own_rate() -> None:
    looks = Looks({"slow": 2.5, "half": 5.0}, 10.0)
    looks.saw(0.0, ["slow", "half", "another"])
    assert looks.resting(0.1) == {"slow", "half"}
    assert looks.resting(0.2) == {"slow"}
    assert looks.resting(0.4) == frozenset()


@pytest.mark.parametrize(
    ("rate", "samples", "least"), [(5, 8, 4), (5, 1, 1), (2.5, 8, 2), (10 / 3, 8, 2), (1, 8, 1)]
)
def test_any_samples_in_a_row_hold_the_least_number_of_looks(
    rate: float, samples: int, least: int
) -> None:
    assert Looks({"m": rate}, 10.0).least(samples) == {"m": least}
    times = beats(200)
    seen = set(looked(rate, times))
    rows = [times[start : start + samples] for start in range(200 - samples)]
    held = [len(seen.intersection(row)) for row in rows]
    assert min(held) >= least or samples * rate < 10


def test_however_little_time_there_is_a_member_looks_every_few_seconds() -> None:
    looks = Looks({"often": 2.5, "seldom": 0.1}, 10.0)
    seen: dict[str, list[float]] = {"often": [], "seldom": []}
    for time in beats(120, rate=1.0):
        due = {"often", "seldom"} - looks.resting(time, 0.02)
        looks.saw(time, due)
        for member in due:
            seen[member].append(time)
    assert np.diff(seen["often"]).max() == 1 / SELDOM
    assert np.diff(seen["seldom"]).min() == 10
