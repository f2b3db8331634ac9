"""The vote of single pictures: each member for its own fakes, and a line for likely real only where
it holds for makers that were never met."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from stream_server.accuracy import Accuracy
from stream_server.engine.repository import read_config
from stream_server.grounds import Voting
from stream_server.verdict import VerdictPolicy
from training.data.shards import Sample
from training.export.repository_writer import set_accuracy, set_pictures, write_vote
from training.judge.evaluation import Judged
from training.judge.picture_vote import with_pictures
from training.judge.vote import Vote, Voter

VOTE = Vote((Voter("a", 2.0, 0.5, 0.7), Voter("b", weight=0.3), Voter("c", weight=0.1)), -0.4)


def judged(name: str, label: str, maker: str, logits: Sequence[float]) -> Judged:
    facts = Sample(
        key=name, video=name, track=0, time=0.0, landmarks=(0.0,) * 10, face_px=100, score=1,
        sharpness=100, label=label, dataset="set", method=maker, split="dev", pair="",
        identities=(name,),
    )  # fmt: skip
    return Judged(facts, True, np.array(logits)[:, None])


APART = {"swaps": (3.0, -3.0), "made": (-3.0, 3.0)}
"""Swaps, which a sees, and generated ones, which b sees."""


def pictures(**makers: tuple[float, float]) -> dict[str, list[Judged]]:
    """Reals, and each maker's fakes at the levels of a and b."""
    rng = np.random.default_rng(3)
    levels = {"": (-3.0, -3.0), **makers}
    return {
        "clean": [
            judged(f"{maker}{number}", "fake" if maker else "real", maker,
                   [rng.normal(a, 0.3), rng.normal(b, 0.3), 0.0])
            for maker, (a, b) in levels.items()
            for number in range(40)
        ]
    }  # fmt: skip


def test_each_member_is_asked_for_its_own_fakes() -> None:
    vote, figures = with_pictures(VOTE, ["a", "b"], pictures(**APART))
    assert min(figures["fakes_flagged_by_maker"].values()) > 0.9
    assert figures["reals_flagged"] < 0.05 and figures["real"] == 40
    assert vote.pictures is not None and vote.pictures.names == ["a", "b"]
    assert replaced(vote) == VOTE, "the vote of windows stays as it was"


def test_a_line_for_likely_real_is_drawn_only_where_no_maker_slips_through() -> None:
    plain = dict.fromkeys(("one", "two", "third"), (3.0, 3.0))
    clear, _ = with_pictures(VOTE, ["a", "b"], pictures(**plain))
    assert clear.pictures is not None and 0 < clear.pictures.threshold_real <= 0.5
    passing, figures = with_pictures(VOTE, ["a", "b"], pictures(**plain, hard=(-3.0, -3.0)))
    assert passing.pictures is not None and passing.pictures.threshold_real == 0
    assert figures["could_be_called_real"]["fakes_by_unmet_maker"]["hard"] > 0.5


@pytest.mark.parametrize("names", [[], ["a", "d"]])
def test_it_asks_members_that_there_are(names: list[str]) -> None:
    with pytest.raises(ValueError, match="pictures are judged by a, b, c"):
        with_pictures(VOTE, names, pictures(**APART))


def test_what_is_written_is_what_was_fitted(tmp_path: Path) -> None:
    vote, _ = with_pictures(VOTE, ["a", "b"], pictures(**APART))
    vote.save(tmp_path / "vote.json", {})
    assert Vote.load(tmp_path / "vote.json") == vote
    (tmp_path / "repo").mkdir()
    write_vote(tmp_path / "repo", VOTE)
    set_accuracy(tmp_path / "repo", Accuracy(2, 0, 2, 1, 1))
    assert vote.pictures is not None
    for _ in range(2):
        set_pictures(tmp_path / "repo", vote.pictures)
    told = read_config(tmp_path / "repo" / "vote" / "config.pbtxt").parameters
    assert Accuracy.of(told) == Accuracy(2, 0, 2, 1, 1)
    repository = SimpleNamespace(
        parameters=told, looks_at=dict.fromkeys("abc", "texture"), either=frozenset()
    )
    voting = Voting.of_pictures(repository)
    assert voting is not None
    policy = VerdictPolicy.of_pictures(told, voting)
    assert (
        policy.fake == vote.pictures.threshold_fake and policy.real == vote.pictures.threshold_real
    )
    for raw in ([1.0, -2.0, 0.0], [-4.0, 3.0, 0.0], [40.0, -40.0, 0.0]):
        column = np.array(raw)[:, None]
        given = [VOTE.alone(name).probability(column)[0] for name in "abc"]
        wanted = vote.of_pictures(column)[0]
        assert voting.probability(dict(zip("abc", given, strict=True))) == pytest.approx(
            wanted, abs=1e-4
        )


def replaced(vote: Vote) -> Vote:
    return Vote(vote.members, vote.bias, vote.threshold_fake, vote.threshold_real)
