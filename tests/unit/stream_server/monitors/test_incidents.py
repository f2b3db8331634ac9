"""When an incident opens, goes on and closes; the clock is the test's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stream_server.monitors.incidents import Incidents, Patience, Stretch
from tests.support.monitored import BOX, ELSEWHERE, face

STEP = 0.2


class Played:
    """Looks five times a second; keeps what opened and closed."""

    def __init__(self, **options: Any) -> None:
        self.incidents = Incidents("m", 1, **options)
        self.now, self.media = 1000.0, 50.0
        self.opened: list[Stretch] = []
        self.closed: list[Stretch] = []

    def play(self, seconds: float, *faces: Any, signatures: Any = None) -> Played:
        for _ in range(round(seconds / STEP)):
            self._note(self.incidents.look(self.now, self.media, faces, signatures))
            self.now += STEP
            self.media += STEP
        return self

    def away(self, seconds: float) -> Played:
        """No picture comes; the stream begins anew afterwards."""
        for _ in range(round(seconds)):
            self.now += 1
            self.media += 1
            self._note(self.incidents.away(self.now))
        self.incidents.cut()
        return self

    def _note(self, changed: list[Stretch]) -> None:
        for one in changed:
            (self.closed if one.closed_at else self.opened).append(one)


REAL, FAKE, UNSURE = face("likely_real"), face("likely_fake"), face("unsure")
GATHERING, UNSEEN = face("gathering"), face("not_enough_evidence")


def test_a_stretch_opens_and_closes_where_it_was() -> None:
    played = Played().play(5, REAL).play(4, FAKE).play(5, REAL)
    (opened,), (closed,) = played.opened, played.closed
    assert opened.id == closed.id
    assert closed.media_start_s == pytest.approx(55.0, abs=0.01)
    assert closed.media_end_s == pytest.approx(58.8, abs=0.01)
    assert (closed.opened_at, closed.closed_at) == pytest.approx((1005.0, 1008.8), abs=0.01)
    assert closed.samples == 20 and played.incidents.open == []


def test_it_began_when_it_was_no_longer_judged_real_but_not_long_before() -> None:
    shortly = Played().play(5, REAL).play(1, UNSURE).play(1, FAKE)
    assert shortly.opened[0].media_start_s == pytest.approx(55.0, abs=0.01)
    long = Played().play(20, UNSURE).play(1, FAKE)
    assert long.opened[0].media_start_s == pytest.approx(70.0 - 2.0, abs=0.01)


def test_peak_mean_and_the_votes_at_the_peak() -> None:
    played = Played()
    for value in (0.8, 0.95, 0.85):
        played.play(STEP, face("likely_fake", value))
    (one,) = played.incidents.open
    assert (one.peak, one.mean) == pytest.approx((0.95, 0.8667), abs=1e-3)
    assert one.members == {"one": 0.95}


def test_the_timeline_holds_the_highest_of_each_second() -> None:
    played = Played()
    for _ in range(3):
        for value in (0.8, 0.97, 0.85, 0.9, 0.8):
            played.play(STEP, face("likely_fake", value))
    (one,) = played.incidents.open
    assert [at for at, _ in one.timeline] == pytest.approx([1000.0, 1001.0, 1002.0], abs=0.01)
    assert [value for _, value in one.timeline] == [0.97] * 3


def test_the_timeline_of_a_long_incident_stays_small_and_reaches_from_end_to_end() -> None:
    played = Played().play(3600, FAKE)
    (one,) = played.incidents.open
    assert 240 <= len(one.timeline) < 600
    assert one.timeline[0][0] == one.opened_at
    assert one.timeline[-1][0] > played.now - 60


def test_a_short_doubt_closes_nothing() -> None:
    played = Played().play(3, FAKE).play(1.6, UNSURE).play(3, FAKE)
    assert len(played.opened) == 1 and played.closed == []


def test_doubt_that_stays_does() -> None:
    played = Played().play(3, FAKE).play(2.4, UNSURE)
    assert len(played.closed) == 1


def test_a_source_that_vanishes_for_20_s_is_one_incident() -> None:
    played = Played().play(5, FAKE).away(20)
    again = face("likely_fake", track=2)
    played.play(1.6, face("gathering", track=2)).play(4, again).play(
        5, face("likely_real", track=2)
    )
    assert len(played.opened) == len(played.closed) == 1
    assert played.closed[0].media_end_s == pytest.approx(50 + 5 + 20 + 1.6 + 3.8, abs=0.1)


def test_one_that_stays_away_is_closed_where_it_was_last_seen() -> None:
    played = Played().play(5, FAKE).away(60)
    assert played.closed[0].closed_at == pytest.approx(1004.8, abs=0.01)
    played.play(2, face("likely_fake", track=2))
    assert len(played.opened) == 2 and played.opened[0].id != played.opened[1].id


def test_a_face_that_leaves_the_picture_is_waited_for_a_little() -> None:
    played = Played().play(3, FAKE).play(4).play(2, face("likely_fake", track=2))
    assert len(played.opened) == 1 and played.closed == []
    assert len(played.play(5.4).closed) == 1


def test_a_face_that_cannot_be_judged_any_more_is_not_suspicious_for_ever() -> None:
    assert len(Played().play(3, FAKE).play(5.4, UNSEEN).closed) == 1


def test_two_faces_are_two_incidents() -> None:
    other = face("likely_fake", track=2, box=ELSEWHERE)
    played = Played().play(3, FAKE, other).play(5, REAL, other)
    assert len(played.opened) == 2
    assert [one.track for one in played.closed] == [1]
    assert [one.track for one in played.incidents.open] == [2]


def test_another_face_elsewhere_is_not_the_one_that_left() -> None:
    bystander = face("likely_real", track=3, box=(0.8, 0.8, 0.1, 0.1))
    other = face("likely_fake", track=2, box=ELSEWHERE)
    played = Played().play(3, FAKE, bystander).play(1, bystander).play(2, other, bystander)
    assert len(played.opened) == 2


def test_a_face_that_moved_is_known_by_its_looks() -> None:
    looks = np.zeros(8, np.float32)
    looks[0] = 1
    bystander = face("likely_real", track=3, box=(0.8, 0.8, 0.1, 0.1))
    moved = face("likely_fake", track=2, box=ELSEWHERE)
    played = Played().play(3, FAKE, bystander, signatures={1: looks})
    played.play(1, bystander).play(2, moved, bystander, signatures={2: looks})
    assert len(played.opened) == 1


def test_faces_that_cross_back_from_a_cut_find_their_own() -> None:
    left = face("likely_fake", 0.8, track=1, box=(0.1, 0.3, 0.2, 0.3))
    right = face("likely_fake", 0.9, track=2, box=(0.7, 0.3, 0.2, 0.3))
    played = Played().play(3, left, right).play(2)
    played.play(
        1,
        face("likely_fake", 0.9, track=3, box=right.box),
        face("likely_fake", 0.8, track=4, box=left.box),
    )
    assert len(played.opened) == 2
    assert {one.track: one.mean for one in played.incidents.open} == pytest.approx({1: 0.8, 2: 0.9})


def test_a_restart_goes_on_with_what_was_open() -> None:
    before = Played().play(3, FAKE)
    (left_open,) = before.incidents.open
    after = Played(former=[left_open])
    after.now, after.media = before.now + 10, 3.0  # the stream's own time began anew
    after.play(1, GATHERING).play(2, FAKE).play(5, REAL)
    assert after.opened == [] and after.closed[0].id == left_open.id
    lasted = after.closed[0].media_end_s - after.closed[0].media_start_s
    assert lasted == pytest.approx(3 + 10 + 1 + 1.8, abs=0.1)


def test_after_a_long_rest_it_is_closed_where_it_was() -> None:
    (left_open,) = Played().play(3, FAKE).incidents.open
    after = Played(former=[left_open])
    after.now += 3600
    after.play(1, FAKE)
    assert after.closed[0].id == left_open.id
    assert after.closed[0].closed_at == left_open.suspicious_at
    assert len(after.opened) == 1


def test_ids_are_the_same_for_the_same_and_differ_otherwise() -> None:
    first, again = (Played().play(1, FAKE).opened[0].id for _ in range(2))
    assert first == again
    assert Incidents("m", 2).look(1000, 50, [FAKE])[0].id != first
    assert Incidents("n", 1).look(1000, 50, [FAKE])[0].id != first


def test_a_pause_closes_all() -> None:
    played = Played().play(2, FAKE, face("likely_fake", track=2, box=ELSEWHERE))
    assert {one.track for one in played.incidents.close()} == {1, 2}
    assert played.incidents.open == []


def test_more_patience_makes_fewer() -> None:
    def count(quiet: float) -> int:
        played = Played(patience=Patience(quiet=quiet))
        for _ in range(3):
            played.play(2, FAKE).play(4, REAL)
        return len(played.opened)

    assert count(2.0) == 3 and count(5.0) == 1


def test_the_box_is_where_the_face_was_last_suspicious() -> None:
    played = Played().play(1, FAKE).play(1, face("likely_fake", box=ELSEWHERE)).play(1, REAL)
    assert played.incidents.open[0].box == ELSEWHERE != BOX


@pytest.mark.parametrize("by", [3600.0, -3600.0])
def test_a_clock_that_is_set_neither_closes_an_incident_nor_makes_it_longer(by: float) -> None:
    played = Played().play(5, REAL).play(4, FAKE)
    played.incidents.shift(by)
    played.now += by
    played.play(4, FAKE).play(5, REAL)
    (opened,), (closed,) = played.opened, played.closed
    assert opened.id == closed.id
    assert closed.opened_at == pytest.approx(1005.0 + by, abs=0.01)
    assert closed.closed_at == pytest.approx(1012.8 + by, abs=0.01)
    assert closed.media_end_s - closed.media_start_s == pytest.approx(7.8, abs=0.01)
    times = [at for at, _ in closed.timeline]
    assert times == sorted(times) and times[-1] - times[0] < 8
