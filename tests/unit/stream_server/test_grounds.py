from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from stream_server.engine import ModelRepository
from stream_server.grounds import Voting
from stream_server.resources import models_dir
from stream_server.verdict import VerdictPolicy
from training.judge.served_vote import served_vote

VOTING = Voting({"a": "texture", "b": "movement", "q": "generated_head"}, {"a": 1.0, "b": 0.5},
                -0.6, frozenset({"q"}))  # fmt: skip


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_shares_are_parts_of_the_votes_own_log_odds() -> None:
    """By the vote that is served: what the members come to is what its graph comes to."""
    repository = ModelRepository.load(models_dir())
    voting, vote = Voting.of(repository), served_vote(models_dir())
    for values in itertools.product((0.03, 0.4, 0.95), repeat=len(vote.names)):
        members = dict(zip(vote.names, values, strict=True))
        raw = [[(logit(members[one.name]) - one.shift) / one.scale] for one in vote.members]
        wanted = float(vote.logit(raw)[0])
        assert sum(voting._parts(members).values()) == pytest.approx(wanted, abs=1e-3)


def test_the_strongest_is_first_and_what_speaks_against_is_below_0() -> None:
    found = VOTING.grounds({"a": 0.95, "b": 0.2, "q": 0.1})
    assert found[0].member == "a" and found[0].looks_at == "texture"
    assert {one.member for one in found if one.share < 0} == {"b"}
    assert sum(abs(one.share) for one in found) == pytest.approx(1)


def test_a_member_that_counts_by_itself_lifts_the_result_and_never_lowers_it() -> None:
    low, high = (
        {one.member: one.share for one in VOTING.grounds({"a": 0.5, "b": 0.5, "q": q})}["q"]
        for q in (0.01, 0.9)
    )
    assert 0 < low < 0.1 and high > 0.7


def test_certainty_and_nothing_to_explain_are_no_errors() -> None:
    assert VOTING.grounds({"a": 1.0, "b": 0.0, "q": 1.0})[0].share > 0
    assert VOTING.grounds({}) == () == Voting().grounds({"a": 0.9})


def test_pictures_are_judged_by_the_vote_that_was_fitted_for_them() -> None:
    """What the server makes of the members' probabilities is what was fitted on their logits."""
    repository = ModelRepository.load(models_dir())
    voting, vote = Voting.of_pictures(repository), served_vote(models_dir())
    assert voting is not None and vote.pictures is not None
    for values in itertools.product((0.00001, 0.4, 0.95), repeat=len(vote.names)):
        members = dict(zip(vote.names, values, strict=True))
        raw = np.array(
            [[(logit(members[one.name]) - one.shift) / one.scale] for one in vote.members]
        )
        assert voting.probability(members) == pytest.approx(vote.of_pictures(raw)[0], abs=1e-6)
        found = voting.grounds(members)
        assert {one.member for one in found} <= {*vote.pictures.names}
        assert sum(abs(one.share) for one in found) == pytest.approx(1)
    policy = VerdictPolicy.of_pictures(repository.parameters, voting)
    lines = vote.pictures.threshold_fake, vote.pictures.threshold_real
    assert (policy.fake, policy.real) == lines


@pytest.mark.parametrize("level", [(1.0, -800.0), (100.0, 0.0), (100.0, 800.0), (1e-9, -1e-9)])
@pytest.mark.parametrize("value", [0.0, 0.01, 0.99, 1.0])
def test_what_can_hardly_be_is_no_error(level: tuple[float, float], value: float) -> None:
    voting = Voting({"a": "texture", "b": "texture"}, either=frozenset("ab"),
                    levels=dict.fromkeys("ab", level))  # fmt: skip
    members = {"a": value, "b": value}
    assert 0 <= voting.probability(members) <= 1
    shares = [one.share for one in voting.grounds(members)]
    assert all(map(math.isfinite, shares)) and sum(map(abs, shares)) == pytest.approx(1)
    odds = level[0] * logit(min(max(value, 1e-4), 1 - 1e-4)) + level[1]
    if abs(odds) > 50:
        assert round(voting.probability(members)) == (odds > 0)


def test_the_windows_own_vote_is_what_its_graph_is() -> None:
    repository = ModelRepository.load(models_dir())
    vote = served_vote(models_dir())
    members = dict.fromkeys(vote.names, 0.4)
    raw = np.array([[(logit(0.4) - one.shift) / one.scale] for one in vote.members])
    assert Voting.of(repository).probability(members) == pytest.approx(
        vote.probability(raw)[0], abs=1e-3
    )
