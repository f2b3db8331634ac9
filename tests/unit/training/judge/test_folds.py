"""Judging by folds: no person on both sides, sets and makers alike, a second question."""

from pathlib import Path

import numpy as np
import pytest

from training.data.manifest import Manifest
from training.data.shards import Sample, Stored
from training.data.splits import families
from training.judge.devset import few_of_each, some_stills
from training.judge.evaluation import Judged
from training.judge.fold_figures import figures
from training.judge.folds import OTHERS, Case, alike, by_folds, cases_of, dealt
from training.judge.vote_fit import thresholds


def sample(video: str, label: str, dataset: str, method: str = "", who: str = "") -> Sample:
    return Sample(
        key=video, video=video, track=0, time=0.0, landmarks=(0.0,) * 10, face_px=100, score=1,
        sharpness=100, label=label, dataset=dataset, method=method, split="dev", pair="",
        identities=tuple(who.split("+")) if who else (),
    )  # fmt: skip


def rows(video: str, count: int, **facts: str) -> list[Stored]:
    return [Stored(sample(video, **facts), "s.tar", at, 1) for at in range(count)]


def case(one: Sample, *logits: float, still: bool = False) -> Case:
    return Case(one, "clean", still, np.array(logits), one.method or one.dataset)


def cases(seed: int = 0) -> list[Case]:
    """Swaps that member a sees, heads that member b sees, and reals of two sets."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(30):
        person = f"p{number % 10}"
        for label, method, a in (("real", "", -1.0), ("fake", "swap", 1.5)):
            one = sample(f"{label}{number}", label, "films", method, person)
            found.append(case(one, rng.normal(a, 0.5), rng.normal(-2, 0.5)))
        heads = sample(f"head{number}", "fake", "page", "heads", f"h{number}")
        found.append(case(heads, rng.normal(-1, 0.5), rng.normal(2, 0.5)))
        news = sample(f"news{number}", "real", "news", "", f"n{number % 6}")
        found.append(case(news, rng.normal(-1, 0.5), rng.normal(-2, 0.5)))
    return found


def test_a_person_is_in_one_fold_and_every_set_in_all() -> None:
    made = cases()
    folds = dealt([one.sample for one in made], 5)
    of_person: dict[str, set[int]] = {}
    for one in made:
        for who in one.sample.identities:
            of_person.setdefault(who, set()).add(folds[one.sample.video])
    assert all(len(found) == 1 for found in of_person.values())
    for dataset in ("films", "page", "news"):
        found = {folds[one.sample.video] for one in made if one.sample.dataset == dataset}
        assert found == set(range(5))
    linked = [sample("x", "real", "s", who="a"), sample("y", "fake", "s", who="a+b"),
              sample("z", "real", "s", who="b"), sample("w", "real", "s", who="c")]  # fmt: skip
    family = families(linked)
    assert family["x"] == family["y"] == family["z"] != family["w"]


def test_people_and_pictures_are_thinned() -> None:
    made = [row for n in range(5) for row in rows(f"n{n}", 9, label="real", dataset="d", who="one")]
    made += rows("own", 4, label="real", dataset="d")
    for number in range(8):
        made += rows(f"still{number}", 1, label="fake", dataset="e", who="same")
    kept = few_of_each(Manifest(Path(), made), per_person=2, samples=6)
    counts = {name: len(found) for name, found in kept.videos().items()}
    assert counts == {"n0": 6, "n1": 6, "own": 4} | {f"still{n}": 1 for n in range(8)}
    few = some_stills(kept, 3)
    assert len([name for name in few.videos() if name.startswith("still")]) == 3
    assert len(few.videos()) == 6


def test_the_second_question_finds_what_the_first_does_not() -> None:
    made = cases()
    alone = figures(by_folds(["a", "b"], made, ["a"]), "clean")["videos"]
    both = figures(by_folds(["a", "b"], made, ["a"], ["b"], swaps=["films"]), "clean")["videos"]
    assert alone["sets"]["films"] > 0.95 and alone["makers"]["heads"] < 0.65
    assert both["makers"]["heads"] > 0.95 and both["makers"]["swap"] > 0.95
    assert both["caught"] > alone["caught"] and both["worst"]["auc"] > alone["worst"]["auc"]
    assert set(alone["cross"]) == {"films", "news"}
    assert 0 <= both["ece"] < 0.2 and both["called"]["reals_flagged"] < 0.1
    assert (alone["real"], alone["fake"]) == (60, 60)


def test_a_vote_is_not_fitted_on_those_it_judges() -> None:
    rng = np.random.default_rng(3)
    made = [
        case(sample(f"v{n}", "fake" if n % 2 else "real", "d", "m" if n % 2 else "", f"p{n}"),
             rng.normal())
        for n in range(40)
    ]  # fmt: skip
    verdicts = by_folds(["a"], made, ["a"])
    assert np.isfinite(verdicts.probability).all()
    changed = [case(made[0].sample, 50.0), *made[1:]]
    again = by_folds(["a"], changed, ["a"])
    mates = dealt([one.sample for one in made], 5)
    same = [n for n in range(1, 40) if mates[f"v{n}"] == mates["v0"]]
    np.testing.assert_array_equal(verdicts.probability[same], again.probability[same])


def test_one_member_ranks_as_its_logits_do_whatever_the_fold() -> None:
    made = cases()
    verdicts = by_folds(["a", "b"], made, ["a"])
    logits = np.array([one.logits[0] for one in made])
    assert (np.argsort(verdicts.score) == np.argsort(logits)).all()


def test_small_sets_and_makers_stand_together() -> None:
    judged = [
        Judged(sample(f"v{n}", "real", "big" if n < 6 else f"small{n}"), False, np.ones((2, 3)) * n)
        for n in range(9)
    ]
    judged += [Judged(sample("f", "fake", "page", "maker"), False, np.zeros((2, 1)))]
    found = cases_of({"clean": judged, "web": judged})
    assert [one.group for one in found[:10]] == ["big"] * 6 + [OTHERS] * 4
    assert len(found) == 20 and found[4].logits.tolist() == [4.0, 4.0]


def test_weights_level_sets_and_makers() -> None:
    made = cases()
    weights = alike(made)
    by_name = {
        name: weights[[one.group == name for one in made]].sum()
        for name in ("films", "news", "swap", "heads")
    }
    assert list(by_name.values()) == pytest.approx([30] * 4)
    with pytest.raises(ValueError, match="one kind"):
        alike([one for one in made if one.fake])


def test_unknown_members_are_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        by_folds(["a", "b"], cases(), ["a"], ["nobody"])


def test_thresholds_count_sets_alike_whatever_their_size() -> None:
    values = np.r_[np.full(98, 0.1), np.full(2, 0.7), np.full(10, 0.9)]
    labels = np.r_[np.zeros(100, bool), np.ones(10, bool)]
    assert thresholds(values, labels, 0.02, 0.1) == (0.55, 0.5)
    weights = np.r_[np.full(98, 1 / 98), np.full(2, 1 / 2), np.full(10, 1 / 10)]
    assert thresholds(values, labels, 0.02, 0.1, weights) == (0.705, 0.5)
