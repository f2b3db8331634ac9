from __future__ import annotations

import pytest

from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.faces.verdict import (
    decide,
    enough_samples,
    passages,
    robust,
    suspicious_stretches,
)
from stream_server.verdict import VerdictPolicy

POLICY = VerdictPolicy(fake=0.8, real=0.3)


def test_nothing_sums_up_to_nothing() -> None:
    assert robust([]) is None


def test_a_steady_track_keeps_its_probability() -> None:
    assert robust([0.93] * 40) == pytest.approx(0.93)


def test_one_bad_second_does_not_flag_a_minute() -> None:
    calm, wild = [0.1] * 236, [0.999] * 4
    assert robust([*calm[:100], *wild, *calm[100:]]) == pytest.approx(0.1)


def test_one_calm_second_does_not_clear_a_fake() -> None:
    assert decide(robust([0.95] * 36 + [0.01] * 4), POLICY) == "likely_fake"


def test_every_score_of_the_middle_half_counts() -> None:
    low, high = robust([0.2] * 10 + [0.4] * 10), robust([0.2] * 8 + [0.4] * 12)
    assert low < high


def test_a_score_of_one_is_no_more_than_very_sure() -> None:
    assert robust([1.0, 1.0]) < 1


@pytest.mark.parametrize(
    ("probability", "verdict"),
    [(0.8, "likely_fake"), (0.79, "unsure"), (0.31, "unsure"), (0.3, "likely_real")],
)
def test_the_lines_belong_to_the_verdicts_beyond_them(probability: float, verdict: str) -> None:
    assert decide(probability, POLICY) == verdict


def record(good: int) -> FaceRecord:
    return FaceRecord(1, 0.0, 1.0, good=good)


def test_a_face_that_flits_by_does_not_count_beside_one_that_stays() -> None:
    assert enough_samples([record(200), record(9)], 20, 8) == 20


def test_in_a_clip_that_is_short_altogether_less_is_enough() -> None:
    assert enough_samples([record(12)], 20, 8) == 8
    assert enough_samples([], 20, 8) == 8


def test_stretches_are_where_the_line_is_passed_for_a_while() -> None:
    timeline = [(0.25 * i, 0.9 if 8 <= i < 20 else 0.2) for i in range(40)]
    assert suspicious_stretches(timeline, 0.8) == [(2.0, 4.75)]


def test_a_flash_is_no_stretch_and_a_gap_ends_one() -> None:
    flash = [(0.25 * i, 0.9 if i == 8 else 0.2) for i in range(20)]
    assert suspicious_stretches(flash, 0.8) == []
    torn = [(0.0, 0.9), (0.5, 0.9), (1.0, 0.9), (9.0, 0.9), (9.5, 0.9), (10.0, 0.9)]
    assert suspicious_stretches(torn, 0.8) == [(0.0, 1.0), (9.0, 10.0)]


def test_a_stretch_may_last_to_the_end() -> None:
    assert suspicious_stretches([(0.5 * i, 0.95) for i in range(10)], 0.8) == [(0.0, 4.5)]


SCORED = [1.5 + 0.5 * i for i in range(58)]  # to 30


def test_a_passage_lies_where_the_windows_of_its_scores_have_their_middle() -> None:
    assert passages([(12.0, 19.0)], SCORED, [(0.0, 30.5)], 2.0) == [(11.0, 18.0)]


def test_what_was_there_from_the_first_score_to_the_last_was_there_all_the_time() -> None:
    assert passages([(1.5, 30.0)], SCORED, [(0.5, 30.5)], 2.0) == [(0.5, 30.5)]


def test_of_a_face_that_has_just_come_a_window_holds_no_more_than_was_seen_of_it() -> None:
    assert passages([(2.0, 9.0)], SCORED, [(1.0, 30.0)], 4.0) == [(1.5, 7.0)]


def test_a_passage_does_not_reach_into_what_was_not_looked_at() -> None:
    spans, scored = [(0.0, 6.0), (40.0, 46.0)], [1.0, 3.0, 5.5, 41.0, 43.0, 45.5]
    assert passages([(3.0, 5.5)], scored, spans, 2.0) == [(2.0, 6.0)]
    assert passages([(41.0, 43.0)], scored, spans, 4.0) == [(40.0, 41.5)]
