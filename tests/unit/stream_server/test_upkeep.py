from __future__ import annotations

import pytest

from stream_server.upkeep import Upkeep


def watched(came: float, analysed: float, seconds: float = 20.0, wanted: float = 10.0) -> Upkeep:
    """A stream to which ``came`` frames a second come, of which ``analysed`` are."""
    upkeep = Upkeep(wanted)
    events = [(i / came, upkeep.came) for i in range(int(seconds * came))]
    events += [((i + 0.5) / analysed, upkeep.analysed) for i in range(int(seconds * analysed))]
    for time, note in sorted(events, key=lambda event: event[0]):
        note(time)
    return upkeep


@pytest.mark.parametrize(
    ("came", "analysed", "behind"),
    [
        (10, 10, False),
        (10, 9.6, False),
        (10, 7, True),
        (30, 10, False),
        (30, 8, True),
        (1, 1, False),
    ],
)
def test_a_stream_is_behind_where_it_is_analysed_less_often_than_it_should_be(
    came: float, analysed: float, behind: bool
) -> None:
    upkeep = watched(came, analysed)
    assert upkeep.behind(20.0) is behind
    share = analysed / min(came, 10) if behind else 1
    assert upkeep.share(20.0) == pytest.approx(share, abs=0.05)
    assert upkeep.rate(20.0) == pytest.approx(analysed, abs=0.5)


def test_nothing_is_said_before_there_is_anything_to_tell() -> None:
    upkeep = Upkeep(10.0)
    assert (upkeep.rate(5.0), upkeep.behind(5.0)) == (0.0, False)
    upkeep.came(5.0)
    assert not upkeep.behind(5.1)


def test_what_stopped_is_not_behind() -> None:
    upkeep = watched(10, 5)
    assert not upkeep.behind(30.0) and upkeep.share(30.0) == 1
    assert upkeep.rate(30.0) == 0


def test_nothing_grows() -> None:
    upkeep = watched(60, 40, seconds=60)
    assert len(upkeep._came) <= 181 and len(upkeep._analysed) <= 121
