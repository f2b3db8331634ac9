"""Figures of merit against scikit-learn, and the vote's calibration and thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from training.judge.metrics import (
    auc,
    average_precision,
    calibration_figures,
    ece,
    ece_at_best,
    eer,
    interval,
)
from training.judge.vote import Vote, Voter, sigmoid
from training.judge.vote_fit import balanced, fit_vote, risk_coverage, thresholds


def test_auc_and_precision_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        labels = rng.random(80) < 0.4
        scores = np.round(labels * 0.5 + rng.normal(size=80), 1)  # with ties
        assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
        plain = labels + rng.normal(size=80)
        assert average_precision(labels, plain) == pytest.approx(
            average_precision_score(labels, plain)
        )
    assert np.isnan(auc([1, 1], [0.1, 0.2]))


def test_eer_and_ece() -> None:
    assert eer([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]) == 0
    assert eer([0, 1, 0, 1], [0.1, 0.2, 0.8, 0.9]) == pytest.approx(0.5)
    rng = np.random.default_rng(0)
    given = rng.random(20000)
    assert ece(rng.random(20000) < given, given) < 0.02
    assert ece(np.zeros(100), np.full(100, 0.9)) == pytest.approx(0.9)
    assert ece_at_best(given) < 0.02
    assert 0.08 < ece_at_best(given[:100]) < 0.16  # few rows never match their probabilities
    assert ece_at_best(np.ones(10)) == 0


def test_a_mixture_of_its_own_does_not_count_against_a_calibration() -> None:
    rng = np.random.default_rng(1)
    given = rng.random(40000)
    truth = rng.random(40000) < given
    kept = truth | (rng.random(40000) < 0.25)  # three of four reals are missing
    figures = calibration_figures(truth[kept], given[kept])
    assert figures["ece"] > 0.15 and figures["ece_alike"] < 0.02
    assert "ece_alike" not in calibration_figures(np.ones(5, bool), np.full(5, 0.7))


def test_the_interval_draws_whole_videos() -> None:
    rng = np.random.default_rng(0)
    video = np.repeat(rng.normal(size=20), 50)
    narrow = interval(lambda rows: float(video[rows].mean()), [str(n) for n in range(1000)], 200)
    wide = interval(
        lambda rows: float(video[rows].mean()), [str(n // 50) for n in range(1000)], 200
    )
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


def test_the_vote_is_calibrated_and_prefers_the_better_member() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(2000) < 0.3
    truth = np.where(labels, 1.0, -1.0)
    good, poor = 3 * (truth + rng.normal(size=2000)) + 4, 0.2 * truth + rng.normal(size=2000)
    logits = np.stack([good, poor])
    vote = fit_vote(["good", "poor"], logits, labels, [str(n) for n in range(2000)])
    assert vote.members[0].weight > 1.2 * vote.members[1].weight >= 0
    probability = vote.probability(logits)
    assert auc(labels, probability) >= auc(labels, good) - 0.005
    weights = balanced(labels, [str(n) for n in range(2000)])
    low = probability < 0.5
    # Reals and fakes count alike, so about as much of either weight lies below as should.
    assert np.average(labels[low], weights=weights[low]) == pytest.approx(
        np.average(probability[low], weights=weights[low]), abs=0.03
    )


def test_a_member_that_tells_sources_apart_gets_little_say() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([False, True, False], [200, 200, 600])
    sets = ["mixed"] * 400 + ["real only"] * 600
    source = np.repeat([2.0, 2.0, -2.0], [200, 200, 600]) + rng.normal(size=1000)
    honest = np.where(labels, 1.0, -1.0) + rng.normal(size=1000)
    logits, videos = np.stack([source, honest]), [str(n) for n in range(1000)]
    blind = fit_vote(["source", "honest"], logits, labels, videos)
    vote = fit_vote(["source", "honest"], logits, labels, videos, sets)
    shares = [one.members[0].weight / one.members[1].weight for one in (blind, vote)]
    assert shares[1] < 0.3 < shares[0]


def test_single_pictures_weigh_the_members_and_leave_the_level_alone() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([False, True, False, True], [500, 500, 500, 500])
    still = np.repeat([False, True], [1000, 1000])
    sets = ["videos"] * 1000 + ["pictures"] * 1000
    # On the videos both are as good; on the pictures one is blind, and all lie far higher.
    both = np.where(labels, 1.0, -1.0) + rng.normal(size=(2, 2000))
    both[1, still] = rng.normal(size=1000)
    both[:, still] += 3
    videos = [str(n) for n in range(2000)]
    seen = fit_vote(["a", "b"], both[:, ~still], labels[~still], videos[:1000], sets[:1000])
    vote = fit_vote(["a", "b"], both, labels, videos, sets, still)
    share = [one.members[1].weight / one.members[0].weight for one in (seen, vote)]
    assert share[1] < 0.8 * share[0]
    assert np.mean(vote.probability(both[:, ~still])) == pytest.approx(0.5, abs=0.05)


def test_the_level_is_that_of_videos_and_not_of_windows() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(200) % 2 == 1, 20)
    videos = [str(n // 20) for n in range(4000)]
    logits = (np.where(labels, 0.5, -0.5) + rng.normal(0, 2, 4000))[None]
    vote = fit_vote(["a"], logits, labels, videos)
    means = vote.logit(logits).reshape(200, 20).mean(axis=1)
    kinds = labels[::20]
    right = np.where(kinds, means > 0, means < 0).mean()
    sure = sigmoid(np.abs(means)).mean()
    assert sure == pytest.approx(right, abs=0.05)


def test_one_class_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="no fake video"):
        fit_vote(["a"], np.zeros((1, 3)), np.zeros(3, bool), ["a", "b", "c"])


def test_thresholds_leave_reals_alone_and_order_stays() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2 == 1
    probability = sigmoid(np.where(labels, 1.5, -1.5) + rng.normal(size=400))
    high, low = thresholds(probability, labels)
    assert (probability[~labels] >= high).mean() <= 0.05
    assert (probability[labels] <= low).mean() <= 0.11
    assert low < high
    curve = risk_coverage(probability, labels)
    assert curve[-1][0] == 1 and curve[40][1] <= curve[-1][1]


def test_no_more_fakes_than_allowed_lie_at_or_below_the_lower_threshold() -> None:
    labels = np.arange(20) % 2 == 1
    probability = np.where(labels, np.linspace(0.1, 0.9, 20), 0.2)
    _, low = thresholds(probability, labels, missed=0.1)
    assert (probability[labels] <= low).sum() <= 1
    _, none = thresholds(probability, labels, missed=0.05)
    assert (probability[labels] <= none).sum() == 0


def test_a_member_of_the_kind_either_joins_as_one_or_the_other() -> None:
    members = (
        Voter("a", 2.0, 0.0, 0.5),
        Voter("b", 1.0, 0.0, 0.5),
        Voter("q", 3.0, -1.0, 9, "either"),
    )
    vote = Vote(members, 0.2)
    logits = np.array([[0.4, -2.0, 800.0, -800.0], [1.0, -3.0, 800.0, -800.0], [0.1, 2.0, 0, -800]])
    p = sigmoid(logits[0] + 0.5 * logits[1] + 0.2)
    q = sigmoid(3 * logits[2] - 1)
    np.testing.assert_allclose(vote.probability(logits), 1 - (1 - p) * (1 - q), atol=1e-12)
    assert np.isfinite(vote.logit(logits)).all()
    np.testing.assert_allclose(vote.alone("q").probability(logits), q, atol=1e-12)
    with pytest.raises(ValueError, match="q is of kind 'or', must be weight or either"):
        Vote((Voter("q", kind="or"),))


def test_a_vote_survives_the_disk(tmp_path: Path) -> None:
    vote = Vote((Voter("a", 2.0, -1.0, 0.7), Voter("b", kind="either")), 0.1, 0.9, 0.2)
    vote.save(tmp_path / "vote.json", {"ece": 0.03})
    assert Vote.load(tmp_path / "vote.json") == vote
    (tmp_path / "vote.json").write_text('{"members": 3}')
    with pytest.raises(ValueError, match=r"vote\.json is no calibration"):
        Vote.load(tmp_path / "vote.json")
