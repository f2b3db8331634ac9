"""What is kept of one face whose members look at different rates."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stream_server.evidence import FaceEvidence, Sample, StreamOptions
from stream_server.verdict import VerdictPolicy

POLICY = VerdictPolicy(fake=0.8, real=0.3)
MEMBERS = ("every", "half")
SIGHT = np.eye(8, dtype=np.float32)[0]
TURNED = np.eye(8, dtype=np.float32)[1]


def evidence(
    window: int = 20,
    first_verdict: int = 8,
    rate: float = 5.0,
    settled: float = 1.0,
    sample_hz: float = 10.0,
) -> FaceEvidence:
    options = StreamOptions(sample_hz, window, first_verdict, settled=settled)
    return FaceEvidence(POLICY, options, {"half": rate})


def add(
    face: FaceEvidence,
    beat: int,
    *,
    score: bool = True,
    sight: NDArray[np.float32] = SIGHT,
    answer: float = 0.9,
    sample_hz: float = 10.0,
) -> bool:
    """Sample number ``beat``, as a stream adds it; whether the window was scored."""
    now = beat / sample_hz
    resting = face.resting(now, sight)
    value = np.full(3, beat, np.float32)
    own = {member: value for member in MEMBERS if member not in resting}
    face.add(Sample(now, own, np.full(10, beat, np.float32), sight))
    due = face.score_due(now)
    if due and score:
        face.scored(now, answer, {})
    face.expire(now, 1 / sample_hz)
    return due


def held(face: FaceEvidence) -> dict[str, list[int]]:
    features, landmarks = face.window()
    assert landmarks.shape == (face.samples, 10)
    return {member: values[:, 0].astype(int).tolist() for member, values in features.items()}


def test_a_stream_with_a_phase_looks_so_many_samples_before_another() -> None:
    seen = {}
    for phase in (0, 3):
        face = FaceEvidence(POLICY, StreamOptions(settled=1.0, phase=phase), {"half": 1.0})
        for beat in range(40):
            add(face, beat)
        seen[phase] = held(face)["half"]
    assert seen == {0: [20, 30], 3: [27, 37]}


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
    face = evidence(window=8, first_verdict=4, rate=1.0)
    face.add(Sample(0.0, {}, np.zeros(10, np.float32), SIGHT))  # as where the engine gave no answer
    for beat in range(1, 4):
        face.add(Sample(beat / 10, {"every": np.zeros(3, np.float32)}, np.zeros(10), SIGHT))
    assert not face.score_due(0.3)
    assert add(face, 4)


def test_a_member_keeps_as_many_looks_as_a_window_has_of_it() -> None:
    face = evidence(window=8)
    for beat in range(20):
        add(face, beat)
    for beat in (beat for beat in range(20, 40) if beat not in (24, 25)):  # the face was blurred
        add(face, beat)
        assert len(held(face)["half"]) >= 4


def looked(face: FaceEvidence, beats: range, **how: Any) -> int:
    """How many of the samples ``beats`` the slower member looked at."""
    before = face._looks._seen.get("half")
    seen = []
    for beat in beats:
        add(face, beat, **how)
        seen.append(face._looks._seen.get("half"))
    return len({*seen, before}) - 1


def test_a_settled_face_is_looked_at_a_fifth_as_often_and_its_window_reaches_back() -> None:
    face = evidence(rate=2.5, settled=0.2)
    looked(face, range(60), answer=0.02)
    assert looked(face, range(60, 160), answer=0.02) == 5
    assert held(face) == {"every": list(range(140, 160)), "half": [60, 80, 100, 120, 140]}
    assert face.samples == 20


def test_a_settled_face_that_turns_is_looked_at_twice_as_often() -> None:
    face = evidence(rate=2.5, settled=0.2)
    looked(face, range(60), answer=0.02)
    turning = 0
    for start in range(60, 160, 2):
        turning += looked(face, range(start, start + 1), sight=SIGHT, answer=0.02)
        turning += looked(face, range(start + 1, start + 2), sight=TURNED, answer=0.02)
    assert turning == pytest.approx(10, abs=2)


def test_a_change_that_nobody_can_see_is_noticed_by_the_next_look() -> None:
    face = evidence(rate=2.5, settled=0.2)
    looked(face, range(60), answer=0.02)
    assert face.verdict(5.9) == ("likely_real", ())
    # Only the slower member knows better, and each look weighs a fifth at first.
    changed = 61
    told: dict[str, float] = {}
    for beat in range(changed, 160):
        new = sum(look >= changed for look in held(face)["half"][-5:])
        answer = 1 / (1 + np.exp(-(-3.9 + new / 5 * 7.8)))
        add(face, beat, answer=float(answer))
        told.setdefault(face.verdict(beat / 10)[0], (beat - changed) / 10)
    assert told["likely_fake"] < 5.5
    assert sorted(told, key=lambda verdict: told[verdict]) == [
        "likely_real",
        "unsure",
        "likely_fake",
    ]


def test_scores_that_no_look_changes_may_be_fewer() -> None:
    options = StreamOptions(settled=0.2, unchanged=0.5)
    face = FaceEvidence(POLICY, options, {"half": 2.5})
    scored, looked_at = [], []
    for beat in range(160):
        now = beat / 10
        own = {"half": np.zeros(3, np.float32)} if not face.resting(now, SIGHT) else {}
        face.add(Sample(now, own, np.zeros(10, np.float32), SIGHT))
        looked_at += [beat] * len(own)
        if face.score_due(now):
            face.scored(now, 0.9, {})
            scored.append(beat)
    settled = [beat for beat in scored if beat >= 60]
    gaps = {after - before for before, after in pairwise(settled)}
    assert max(gaps) == 5
    # A look is heard as soon as before: at once, or where the last score is not long ago.
    assert all(any(0 <= beat - look <= 2 for beat in settled) for look in looked_at if look >= 60)


def test_landmarks_alone_are_scored_as_often_as_ever() -> None:
    face = FaceEvidence(POLICY, StreamOptions(unchanged=0.5), {})
    scored = []
    for beat in range(80):
        face.add(Sample(beat / 10, {}, np.zeros(10, np.float32), SIGHT))
        if face.score_due(beat / 10):
            face.scored(beat / 10, 0.9, {})
            scored.append(beat)
    assert {after - before for before, after in pairwise(scored)} <= {2, 3}


@pytest.mark.parametrize("sample_hz", [7.0, 5.0, 3.0, 2.0, 1.0])
@pytest.mark.parametrize("settled", [1.0, 0.2])
def test_where_samples_are_few_what_was_long_ago_outvotes_nothing(
    sample_hz: float, settled: float
) -> None:
    face = evidence(rate=2.5, settled=settled, sample_hz=sample_hz)
    for beat in range(int(40 * sample_hz)):
        add(face, beat, sample_hz=sample_hz)
    # Of 20 samples at ten a second five are looked at; at three, six of the first verdict's.
    assert len(held(face)["half"]) == (6 if sample_hz == 3 else 5)
    assert len(held(face)["every"]) == face.samples == 20


@pytest.mark.parametrize("window", [8, 20, 100])
@pytest.mark.parametrize("sample_hz", [30.0, 10.0, 6.0, 4.0, 3.0, 2.0])
def test_a_face_goes_on_being_judged_at_any_rate(window: int, sample_hz: float) -> None:
    face = evidence(window, rate=2.5, settled=0.2, sample_hz=sample_hz)
    due = [add(face, beat, sample_hz=sample_hz) for beat in range(int(60 * sample_hz))]
    assert due.index(True) == 7
    # Four times a second, or at every sample, as long as it is followed.
    assert sum(due) >= 0.7 * (60 - 8 / sample_hz) * min(4.0, sample_hz)


def test_a_face_that_was_gone_for_long_is_new_again() -> None:
    face = evidence()
    for beat in range(20):
        add(face, beat)
    face.expire(10.0)
    assert (face.samples, face.probability) == (0, None)
    assert face.resting(10.1, SIGHT) == frozenset()


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


@pytest.mark.parametrize(("share", "every"), [(1.0, 3), (0.7, 4), (0.5, 5), (0.1, 5)])
def test_a_busy_machine_scores_less_often_but_half_as_often_at_the_least(
    share: float, every: int
) -> None:
    face = evidence(rate=10.0)
    scored = []
    for beat in range(40):
        add(face, beat, score=False)
        if face.score_due(beat / 10, share):
            face.scored(beat / 10, 0.9, {})
            scored.append(beat)
    assert scored == list(range(7, 40, every))
