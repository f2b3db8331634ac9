"""The vote of single pictures: each member for its own fakes, and a line for likely real only where
it holds for makers that were never met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from stream_server.accuracy import Accuracy
from stream_server.engine.repository import read_config
from stream_server.grounds import Voting
from stream_server.verdict import VerdictPolicy
from training.data.manifest import Manifest
from training.data.shards import Sample
from training.export.repository_writer import set_accuracy, set_pictures, write_vote
from training.judge import calibration
from training.judge.evaluation import Judged
from training.judge.picture_vote import lacking, with_pictures
from training.judge.vote import Vote, Voter
from training.models.member import Member

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


def test_it_asks_members_that_there_are() -> None:
    with pytest.raises(ValueError, match="pictures are judged by a, b, c"):
        with_pictures(VOTE, ["a", "d"], pictures(**APART))


def few(reals: int, **makers: int) -> dict[str, list[Judged]]:
    """So many reals and so many fakes of each maker."""
    kinds = {"": reals, **makers}
    every = [one for rows in pictures(**dict.fromkeys(makers, (3.0, 3.0))).values() for one in rows]
    return {
        "clean": [
            one
            for maker, count in kinds.items()
            for one in [one for one in every if one.sample.method == maker][:count]
        ]
    }


@pytest.mark.parametrize(
    ("names", "given", "why"),
    [
        ([], few(40, one=40, two=40), "no member looks at a picture"),
        (["a"], {"clean": []}, "makers of fake pictures: 0"),
        (["a"], few(40, one=40), "makers of fake pictures: 1, and 2 are"),
        (["a"], few(40, one=4, two=4), "makers of fake pictures: 1, and 2 are"),
        (["a"], few(0, one=40, two=40), "0 real pictures are left, and 5 are needed"),
        (["a"], few(5, one=40, two=40), "4 real pictures are left"),
    ],
)
def test_too_few_pictures_are_refused_in_words(
    names: list[str], given: dict[str, list[Judged]], why: str
) -> None:
    assert why in lacking(names, given)
    with pytest.raises(ValueError, match=f"no vote for single pictures: .*{why}"):
        with_pictures(VOTE, names, given)


def test_a_maker_whose_place_nobody_takes_is_judged_as_a_met_one_alone() -> None:
    """All fakes of the other maker are of one person, and so of one fold."""
    given = few(40, one=40, two=6)
    rows = [
        replace(one, sample=replace(one.sample, identities=("two",)))
        if one.sample.method == "two"
        else one
        for one in given["clean"]
    ]
    vote, figures = with_pictures(VOTE, ["a", "b"], {"clean": rows})
    assert {*figures["fakes_flagged_by_maker"]} == {"one", "two"}
    assert min(figures["fakes_flagged_by_unmet_maker"].values()) > 0.9
    assert vote.pictures is not None and vote.pictures.threshold_real == 0


def test_videos_are_calibrated_whatever_pictures_lack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    videos = [
        replace(one, still=False, sample=replace(one.sample, video=f"v{one.sample.video}"))
        for one in few(40, one=40)["clean"]
    ]
    members = [
        Member(name, nn.Identity() if name == "a" else None, nn.Identity(), 3) for name in "abc"
    ]
    for stills, landmarks_alone, why in (
        (few(40, one=40), False, "pictures: 1, and 2 are"),
        (few(2, one=2, two=2), False, "pictures: 1, and 2 are"),
        (few(4, one=4, two=4), False, "pictures: 1, and 2 are"),
        (few(40, one=40, two=40), True, "no member looks"),
        (few(40, one=40, two=40), False, ""),
    ):
        found = [*videos, *stills["clean"]]
        monkeypatch.setattr(
            calibration, "Evaluation", lambda *_, rows=found: SimpleNamespace(judged=lambda: rows)
        )
        asked = [replace(one, encoder=None) for one in members] if landmarks_alone else members
        vote, figures = calibration.calibrate(asked, Manifest(tmp_path, ()), tmp_path, ["clean"])
        assert figures["clean"]["fakes_flagged"] > 0.9
        assert (vote.pictures is None) == bool(why)
        assert why in figures["pictures"].get("not_fitted", "")


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
