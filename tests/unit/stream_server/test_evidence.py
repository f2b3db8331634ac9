"""What is kept of one face whose members look at different rates."""

from __future__ import annotations

import numpy as np
import pytest

from stream_server.evidence import FaceEvidence, Sample, StreamOptions
from stream_server.verdict import VerdictPolicy

POLICY = VerdictPolicy(fake=0.8, real=0.3)
MEMBERS = ("every", "half")


def evidence(window: int = 20, first_verdict: int = 8, rate: float = 5.0) -> FaceEvidence:
    options = StreamOptions(window=window, first_verdict=first_verdict)
    return FaceEvidence(POLICY, options, {"half": rate})


def add(face: FaceEvidence, beat: int, *, score: bool = True) -> bool:
    """Sample number ``beat``, as a stream adds it; whether the window was scored."""
    now = beat / 10
    resting = face.resting(now)
    value = np.full(3, beat, np.float32)
    own = {member: value for member in MEMBERS if member not in resting}
    face.add(Sample(now, own, np.full(10, beat, np.float32)))
    due = face.score_due(now)
    if due and score:
        face.scored(now, 0.9, {})
    face.expire(now)
    return due


def held(face: FaceEvidence) -> dict[str, list[int]]:
    features, landmarks = face.window()
    assert landmarks.shape == (face.samples, 10)
    return {member: values[:, 0].astype(int).tolist() for member, values in features.items()}


def test_a_member_looks_twice_as_often_at_a_new_face_until_its_first_verdict() -> None:
    face = evidence()
    assert [add(face, beat) for beat in range(8)] == [False] * 7 + [True]
    assert held(face) == {"every": list(range(8)), "half": list(range(8))}
    for beat in range(8, 12):
        add(face, beat)
    assert held(face)["half"] == [*range(8), 8, 10]
    assert face.samples == 12


def test_four_faces_that_come_at_once_are_no_more_than_twice_the_work_of_later() -> None:
    face = evidence(rate=2.5)
    assert [add(face, beat) for beat in range(8)] == [False] * 7 + [True]
    assert held(face) == {"every": list(range(8)), "half": [0, 2, 4, 6]}
    for beat in range(8, 20):
        add(face, beat)
    assert held(face)["half"] == [0, 2, 4, 6, 8, 12, 16]


def test_a_window_that_was_never_scored_goes_on_being_looked_at() -> None:
    face = evidence()
    for beat in range(30):
        add(face, beat, score=False)  # as with an engine that is down for windows
    assert held(face)["half"] == list(range(10, 30))


def test_a_settled_window_holds_each_members_looks_of_the_same_time() -> None:
    face = evidence()
    for beat in range(60):
        add(face, beat)
    assert held(face) == {"every": list(range(40, 60)), "half": list(range(40, 60, 2))}
    assert face.samples == 20


def test_a_member_with_too_few_looks_puts_the_verdict_off() -> None:
    face = evidence(window=1, first_verdict=1)
    scored = [beat for beat in range(20) if add(face, beat)]
    assert scored == [0, 4, 8, 12, 16]  # at most four a second, and only where both have looked
    face = evidence(window=8, first_verdict=8)
    for beat in range(20):
        add(face, beat)
    missed = [beat for beat in range(20, 40) if beat not in (24, 25)]  # the face was blurred
    assert all(len(held(face)["half"]) >= 4 for beat in missed if add(face, beat))


def test_a_face_that_was_gone_for_long_is_new_again() -> None:
    face = evidence()
    for beat in range(20):
        add(face, beat)
    face.expire(10.0)
    assert (face.samples, face.probability) == (0, None)
    assert face.resting(10.1) == frozenset()


def test_nothing_grows() -> None:
    face = evidence(rate=0.5)
    for beat in range(5000):
        add(face, beat)
        face.saw(beat / 10, ())
    assert face.samples == 20
    assert len(face._seen) <= 16
    assert len(face._looks._seen) == 1


@pytest.mark.parametrize("rate", [10.0, 30.0])
def test_a_rate_that_is_no_less_than_the_streams_changes_nothing(rate: float) -> None:
    face = evidence(rate=rate)
    for beat in range(40):
        add(face, beat)
    assert held(face)["half"] == held(face)["every"]
