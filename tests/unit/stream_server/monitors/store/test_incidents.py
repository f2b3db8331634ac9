"""The tables of monitors and incidents, in both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from stream_server.monitors.store.incidents import IncidentTable
from stream_server.monitors.store.monitors import FullError, MonitorTable, SupersededError
from stream_server.monitors.store.tables import Incident
from tests.support.monitored import monitor, stretch


@pytest.fixture
def monitors(database: Any) -> Any:
    return MonitorTable(database)


@pytest.fixture
def incidents(database: Any) -> Any:
    return IncidentTable(database)


def test_a_monitor_comes_back_whole(monitors: Any) -> None:
    monitors.add(monitor("a", created=2.0), 3)
    monitors.add(monitor("b", evidence=True), 3)
    assert [one.id for one in monitors.all()] == ["b", "a"]
    assert monitors.get("b").url == "https://user:secret@example.org/b.m3u8?token=secret"
    assert monitors.get("c") is None
    assert monitors.change("a", paused=True) and monitors.get("a").paused
    assert not monitors.change("c", paused=True)
    monitors.remove("a")
    assert [one.id for one in monitors.all()] == ["b"]


def test_there_is_a_limit(monitors: Any) -> None:
    monitors.add(monitor("a"), 1)
    with pytest.raises(FullError):
        monitors.add(monitor("b"), 1)


def test_who_was_superseded_writes_nothing_more(monitors: Any, incidents: Any) -> None:
    monitors.add(monitor("m"), 9)
    first = monitors.take_over("m")
    incidents.save([stretch(1)], first)
    second = monitors.take_over("m")
    for write in (
        lambda: incidents.save([stretch(2)], first),
        lambda: monitors.tell("m", first, state="failed"),
    ):
        with pytest.raises(SupersededError):
            write()
    incidents.save([stretch(3)], second)
    monitors.tell("m", second, state="watching", lag_s=0.25)
    assert {one.id for one in incidents.find()} == {"i1", "i3"}
    assert monitors.get("m").state == "watching" and monitors.get("m").lag_s == 0.25


def test_nobody_watches_a_monitor_that_is_gone(monitors: Any, incidents: Any) -> None:
    with pytest.raises(SupersededError):
        monitors.take_over("m")
    with pytest.raises(SupersededError):
        incidents.save([stretch()], 1)


def test_to_write_the_same_again_changes_nothing(incidents: Any) -> None:
    one = stretch()
    (opened,) = incidents.save([one], None)
    assert (opened[0].id, opened[1]) == ("i1", "opened")
    assert incidents.save([one], None) == []
    (closed,) = incidents.save([one.closed()], None)
    assert closed[1] == "closed" and closed[0].closed_at == one.suspicious_at
    assert incidents.save([one.closed()], None) == []
    assert incidents.save([one], None) == []  # late, and it is closed already
    assert incidents.get("i1").closed_at == one.suspicious_at


def test_one_that_opened_and_closed_before_it_was_written_is_told_as_both(incidents: Any) -> None:
    assert [change for _, change in incidents.save([stretch().closed()], None)] == [
        "opened",
        "closed",
    ]


def test_what_grows_is_written_and_a_person_s_words_stay(incidents: Any) -> None:
    incidents.save([stretch()], None)
    incidents.mark("i1", "desk", acknowledged=True, note="seen")
    incidents.save([stretch(peak=0.99, samples=9, members={"one": 0.99})], None)
    found = incidents.get("i1")
    assert (found.peak, found.samples, found.members) == (0.99, 9, {"one": 0.99})
    assert (found.acknowledged, found.note, found.marked_by) == (True, "seen", "desk")
    assert found.marked_at is not None and incidents.mark("none", "desk", wrong=True) is None


def test_what_was_open_goes_on(incidents: Any) -> None:
    incidents.save([stretch(1), stretch(2).closed(), stretch(3, monitor="n")], None)
    assert incidents.open_of("m") == [stretch(1)]


def test_hooks_are_called_in_the_same_transaction(database: Any) -> None:
    called: list[Any] = []

    def hook(session: Any, incident: Incident, change: str) -> None:
        called.append((incident.id, change, session.in_transaction()))
        session.add(monitor(f"{incident.id}-{change}"))

    table = IncidentTable(database, [hook])
    table.save([stretch()], None)
    table.save([stretch()], None)
    table.save([stretch().closed()], None)
    assert called == [("i1", "opened", True), ("i1", "closed", True)]
    assert {one.id for one in MonitorTable(database).all()} == {"i1-opened", "i1-closed"}


def test_a_hook_that_fails_takes_the_incident_with_it(database: Any) -> None:
    def hook(session: Any, incident: Incident, change: str) -> None:
        session.add(monitor("x", url=None))
        session.flush()

    table = IncidentTable(database, [hook])
    with pytest.raises(IntegrityError):
        table.save([stretch()], None)
    assert table.find() == []


def test_finding(incidents: Any) -> None:
    ones = [stretch(1).closed(), stretch(2), stretch(3, monitor="n").closed()]
    incidents.save(ones, None)
    incidents.mark("i1", "desk", acknowledged=True)
    incidents.mark("i3", "desk", wrong=True)

    def found(**query: Any) -> list[str]:
        return [one.id for one in incidents.find(**query)]

    assert found() == ["i3", "i2", "i1"]
    assert found(monitor="m") == ["i2", "i1"]
    assert found(state="open") == ["i2"] and found(state="closed") == ["i3", "i1"]
    assert found(state="acknowledged") == ["i1"] and found(state="new") == ["i3", "i2"]
    assert found(state="wrong") == ["i3"]
    assert found(before=3000.0) == ["i2", "i1"] and found(limit=1) == ["i3"]


def test_pages_leave_nothing_out_where_several_opened_at_the_same_time(incidents: Any) -> None:
    ones = [stretch(number, opened_at=1000.0 * (number // 4)).closed() for number in range(1, 10)]
    incidents.save(ones, None)
    seen: list[str] = []
    last: dict[str, Any] = {}
    while page := incidents.find(limit=2, **last):
        seen += [one.id for one in page]
        last = {"before": page[-1].opened_at, "before_id": page[-1].id}
    assert seen == ["i8", "i9", "i4", "i5", "i6", "i7", "i1", "i2", "i3"]


def test_pictures_go_with_their_incident(incidents: Any) -> None:
    incidents.save([stretch(1)], None)
    incidents.keep_picture("i1", "still", "image/jpeg", b"one")
    incidents.keep_picture("i1", "still", "image/jpeg", b"two")
    incidents.keep_picture("i1", "clip", "video/mp4", b"clip")
    incidents.keep_picture("gone", "still", "image/jpeg", b"one")
    assert incidents.picture("i1", "still") == ("image/jpeg", b"one")
    assert incidents.pictures(["i1", "gone"]) == {"i1": ["clip", "still"]}
    incidents.remove("i1")
    assert incidents.get("i1") is None and incidents.picture("i1", "still") is None


def test_the_old_ones_go_but_not_what_is_open(incidents: Any) -> None:
    incidents.save([stretch(1).closed(), stretch(2), stretch(3).closed()], None)
    incidents.expire(2500.0, 0)
    assert [one.id for one in incidents.find()] == ["i3", "i2"]


def test_over_the_limit_the_oldest_pictures_go(incidents: Any) -> None:
    incidents.save([stretch(number).closed() for number in (1, 2, 3)], None)
    for number in (1, 2, 3):
        incidents.keep_picture(f"i{number}", "still", "image/jpeg", bytes(10))
        incidents.keep_picture(f"i{number}", "clip", "video/mp4", bytes(20))
    incidents.expire(0.0, 60)
    assert set(incidents.pictures(["i1", "i2", "i3"])) == {"i2", "i3"}
    incidents.expire(0.0, 59)
    assert set(incidents.pictures(["i1", "i2", "i3"])) == {"i3"}
    assert len(incidents.find()) == 3


def test_an_incident_keeps_the_name_of_its_monitor_and_its_timeline(
    monitors: Any, incidents: Any
) -> None:
    monitors.add(monitor("m"), 9)
    incidents.save([stretch(1, timeline=((1000.0, 0.9),))], None)
    monitors.remove("m")
    incidents.save([stretch(1, timeline=((1000.0, 0.9), (1001.0, 0.8)))], None)
    found = incidents.get("i1")
    assert found.monitor_name == "m"
    assert found.timeline == [[1000.0, 0.9], [1001.0, 0.8]]
    assert incidents.open_of("m")[0].timeline == ((1000.0, 0.9), (1001.0, 0.8))
