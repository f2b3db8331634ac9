from __future__ import annotations

import math
from itertools import pairwise

import pytest

from stream_server.scan.options import ScanOptions, parse_window
from stream_server.scan.plan import make_plan


def test_a_short_file_is_read_whole_by_one_reader() -> None:
    plan = make_plan(10.0, 10.0, 6000, readers=2)
    assert plan.whole
    assert [(s.start, s.end) for s in plan.readers[0]] == [(0.0, math.inf)]
    assert len(plan.readers) == 1


def test_a_longer_file_is_shared_out_and_the_seam_is_seen_by_both() -> None:
    first, second = (reader[0] for reader in make_plan(100.0, 10.0, 6000, readers=2).readers)
    assert (first.start, first.end) == (0.0, 50.0)
    assert second.start < second.lead == 50.0
    assert second.end == math.inf


def test_beyond_the_budget_the_stretches_lie_evenly_over_the_whole_length() -> None:
    plan = make_plan(21600.0, 10.0, 6000, readers=2)
    stretches = [stretch for reader in plan.readers for stretch in reader]
    assert not plan.whole
    assert plan.seconds * 10 <= 6000
    starts = [stretch.start for stretch in stretches]
    gaps = {round(b - a, 3) for a, b in pairwise(starts)}
    assert len(gaps) == 1
    assert starts[0] < 216 and stretches[-1].end > 21600 - 216
    assert all(a.end <= b.start for a, b in pairwise(stretches))


def test_a_budget_smaller_than_one_stretch_still_looks_somewhere() -> None:
    plan = make_plan(3600.0, 10.0, 20, readers=2)
    assert sum(len(reader) for reader in plan.readers) == 1


def test_a_file_of_unknown_length_is_read_until_the_budget_ends() -> None:
    plan = make_plan(None, 10.0, 500, readers=2)
    assert plan.samples == 500 and plan.seconds == math.inf


@pytest.mark.parametrize(
    ("duration", "window"), [(None, 20), (3.0, 20), (20.0, 40), (30.0, 60), (600.0, 100)]
)
def test_auto_takes_the_longest_window_of_which_the_clip_holds_several(
    duration: float | None, window: int
) -> None:
    assert ScanOptions(None, 10.0, 6000).window_for(duration, 10.0) == window


def test_a_chosen_window_is_kept() -> None:
    assert ScanOptions(80, 10.0, 6000).window_for(3.0, 10.0) == 80


@pytest.mark.parametrize("text", ["20", "40", "60", "80", "100"])
def test_windows_that_may_be_chosen(text: str) -> None:
    assert parse_window(text) == int(text)


def test_auto_is_no_number() -> None:
    assert parse_window(" Auto ") is None


@pytest.mark.parametrize("text", ["7", "101", "many", "", "20.5", "-20"])
def test_other_windows_are_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="window is") as error:
        parse_window(text)
    assert repr(text) in str(error.value) and "100" in str(error.value)
