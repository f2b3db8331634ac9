"""How closely a face is looked at, by what was told of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stream_server.attention import Attention
from stream_server.verdict import Verdict

SIGHT = np.eye(8, dtype=np.float32)[0]
TURNED = np.eye(8, dtype=np.float32)[1]


def told(
    face: Attention,
    since: float,
    until: float,
    probability: float = 0.95,
    verdict: Verdict = "likely_fake",
) -> None:
    """Scores of ``probability`` four times a second."""
    for number in range(math.ceil(since * 4), math.floor(until * 4) + 1):
        face.looked(SIGHT)
        face.scored(number / 4, probability, 0.95, verdict)


@pytest.fixture
def face() -> Attention:
    return Attention(0.1)


def test_a_new_face_is_looked_at_twice_as_often_until_its_first_score(face: Attention) -> None:
    assert face.closeness(0.0, SIGHT) == face.closeness(60.0, SIGHT) == 2
    face.scored(60.0, 0.95, 0.95, "unsure")
    assert face.closeness(60.1, SIGHT) == 0.4


@pytest.mark.parametrize(
    ("verdict", "share"), [("likely_fake", 0.2), ("likely_real", 0.1), ("unsure", 0.4)]
)
def test_a_face_whose_scores_agree_is_looked_at_seldom_after_a_while(
    face: Attention, verdict: Verdict, share: float
) -> None:
    told(face, 0, 1.5, verdict=verdict)
    assert face.closeness(1.9, SIGHT) == 0.4
    told(face, 1.75, 3, verdict=verdict)
    assert face.closeness(3.1, SIGHT) == share


def test_a_change_of_verdict_puts_it_off(face: Attention) -> None:
    told(face, 0, 3, verdict="likely_real")
    told(face, 3.25, 4)
    assert face.closeness(4.1, SIGHT) == 0.4


def test_a_face_whose_scores_waver_does_not_settle_and_costs_no_more_than_others(
    face: Attention,
) -> None:
    face.looked(SIGHT)
    seen = set()
    for number in range(100):
        face.scored(number / 4, (0.95, 0.8)[number % 2], 0.95, "likely_fake")
        seen.add(face.closeness(number / 4, SIGHT))
    assert seen == {0.4}


def test_a_settled_face_that_turns_is_looked_at_sooner_and_then_again_seldom(
    face: Attention,
) -> None:
    told(face, 0, 3, verdict="likely_real")
    assert face.closeness(3.1, TURNED) == 0.2
    face.looked(TURNED)
    assert face.closeness(3.2, TURNED) == 0.1


@pytest.mark.parametrize("verdict", ["likely_real", "unsure", "likely_fake"])
def test_a_look_that_tells_something_else_brings_more_for_a_moment(
    face: Attention, verdict: Verdict
) -> None:
    told(face, 0, 3, verdict=verdict)
    face.scored(3.25, 0.9, 0.95, verdict)
    assert face.closeness(3.3, SIGHT) == 2
    assert face.closeness(4.3, SIGHT) == 0.4  # not settled again
    told(face, 3.5, 6, verdict="likely_real")
    assert face.closeness(6.1, SIGHT) == 0.1


def test_all_of_it_can_be_turned_off() -> None:
    face = Attention(1.0)
    assert face.closeness(0.0, SIGHT) == 2
    told(face, 0, 10)
    assert face.closeness(10.1, SIGHT) == face.closeness(10.1, TURNED) == 1


@pytest.mark.parametrize("settled", [0.0, -1.0, 1.5, math.nan])
def test_a_share_that_is_none_is_refused(settled: float) -> None:
    with pytest.raises(ValueError, match=f"settled is {settled}"):
        Attention(settled)
