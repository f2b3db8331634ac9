from __future__ import annotations

import pytest

from stream_server.verdict import VerdictFilter, VerdictPolicy

POLICY = VerdictPolicy(fake=0.8, real=0.3, margin=0.05, settle=1.0, confirmations=2)


def run(scores: list[float], step: float = 0.25) -> list[str]:
    judge = VerdictFilter(POLICY)
    return [judge.update(score, i * step) for i, score in enumerate(scores)]


def test_before_the_first_score_it_gathers() -> None:
    judge = VerdictFilter(POLICY)
    assert judge.verdict == "gathering" and judge.probability is None


@pytest.mark.parametrize(
    ("score", "verdict"), [(0.95, "likely_fake"), (0.1, "likely_real"), (0.6, "unsure")]
)
def test_steady_scores_settle(score: float, verdict: str) -> None:
    assert run([score] * 20)[-1] == verdict


def test_one_odd_window_raises_no_alarm() -> None:
    assert "likely_fake" not in run([0.1] * 8 + [0.99] + [0.1] * 8)


def test_the_first_score_alone_is_not_enough_for_an_alarm() -> None:
    # Nor is the face called unsure, or anything, a moment before it is called likely fake.
    assert run([0.99, 0.99]) == ["gathering", "likely_fake"]
    assert run([0.6] * 4 + [0.999999])[3:] == ["unsure", "unsure"]


def test_scores_around_the_line_do_not_flicker() -> None:
    verdicts = run([0.9] * 12 + [0.79, 0.81] * 20)
    assert set(verdicts[1:]) == {"likely_fake"}


def test_an_alarm_is_taken_back_when_the_face_is_real() -> None:
    verdicts = run([0.95] * 10 + [0.05] * 30)
    assert verdicts[9] == "likely_fake" and verdicts[-1] == "likely_real"


def test_smoothing_follows_media_time_not_the_number_of_scores() -> None:
    slow, fast = VerdictFilter(POLICY), VerdictFilter(POLICY)
    slow.update(0.1, 0.0)
    fast.update(0.1, 0.0)
    slow.update(0.9, 1.0)
    for i in range(1, 11):
        fast.update(0.9, i / 10)
    assert slow.probability == pytest.approx(fast.probability, abs=1e-6)


def test_certainty_is_no_error() -> None:
    assert run([0.0, 1.0, 1.0])[0] == "likely_real"


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="a probability of"):
        VerdictFilter(POLICY).update(score, 0.0)


def test_policy_from_the_model_repository() -> None:
    policy = VerdictPolicy.from_parameters({"threshold_fake": "0.7", "threshold_real": "0.2"})
    assert (policy.fake, policy.real) == (0.7, 0.2)
    with pytest.raises(ValueError, match="no threshold_real"):
        VerdictPolicy.from_parameters({"threshold_fake": "0.7"})
    with pytest.raises(ValueError, match=r"real 0\.9 < fake 0\.7"):
        VerdictPolicy.from_parameters({"threshold_fake": "0.7", "threshold_real": "0.9"})
