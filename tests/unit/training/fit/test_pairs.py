"""What is drawn for a batch: sources in equal shares, originals, makers without real videos."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.augment.self_blend import Blend
from training.data.manifest import Manifest
from training.data.shards import Sample, Stored
from training.fit.pairs import Mix, Pairs


def row(
    video: str, label: str, dataset: str, method: str = "", who: str = "", at: float = 0.0
) -> Stored:
    sample = Sample(
        key=f"{video}-{at}", video=video, track=0, time=at, landmarks=(0.0,) * 10, face_px=100,
        score=1, sharpness=100, label=label, dataset=dataset, method=method, split="train",
        pair="", identities=(who,) if who else (),
    )  # fmt: skip
    return Stored(sample, "s.tar", 0, 0)


def moving(video: str, label: str, dataset: str, method: str = "", who: str = "") -> list[Stored]:
    return [row(video, label, dataset, method, who, at) for at in (0.0, 0.1, 0.2)]


@pytest.fixture(scope="module")
def rows() -> list[Stored]:
    found: list[Stored] = []
    for number in range(12):
        found += moving(f"f{number}", "real", "films", who=f"films:{number}")
    for number in range(300):  # many clips of few people
        found += moving(f"n{number}", "real", "news", who=f"news:{number % 3}")
    found += moving("s0", "fake", "films", "swap") + moving("s1", "fake", "films", "swap")
    for number in range(10):
        found += moving(f"h{number}", "fake", "maker page", "heads")
    found += moving("o0", "fake", "other page", "one clip")
    for number in range(900):
        found.append(row(f"p{number}", "real", "portraits"))
    for number in range(100):
        found.append(row(f"q{number}", "real", "few", who=f"few:{number}"))
    found.append(row("g0", "fake", "portraits", "GAN"))
    found.append(row("g1", "fake", "few", "swap", who="few:7"))
    return found


def drawn(draw: Callable[[np.random.Generator], str], times: int = 1200) -> Counter[str]:
    rng = np.random.default_rng(0)
    return Counter(draw(rng) for _ in range(times))


def both(pair: tuple[Stored, Stored] | None) -> tuple[Stored, Stored]:
    assert pair is not None
    return pair


def test_reals_are_drawn_by_people_and_pictures_and_not_by_clips(rows: list[Stored]) -> None:
    pairs = Pairs(Manifest(Path(), rows), Mix(video_share=0.5, heads=1))
    found = drawn(lambda rng: pairs.real(rng).sample.dataset)
    assert found["films"] == pytest.approx(1200 * 0.5 * 12 / 15, rel=0.15)
    assert found["news"] == pytest.approx(1200 * 0.5 * 3 / 15, rel=0.3)
    assert found["portraits"] == pytest.approx(1200 * 0.5 * 0.9, rel=0.15)
    assert {pairs.real(np.random.default_rng(s), "news").sample.dataset for s in range(9)} == {
        "news"
    }


def test_heads_come_from_makers_without_real_videos(rows: list[Stored]) -> None:
    pairs = Pairs(Manifest(Path(), rows), Mix(heads=1))
    found = drawn(lambda rng: both(pairs.head(rng))[1].sample.method)
    # Ten clips count three times as much as one, not ten times.
    assert set(found) == {"heads", "one clip"} and 2.5 < found["heads"] / found["one clip"] < 4
    given = {both(pairs.given(np.random.default_rng(seed)))[1].sample.method for seed in range(40)}
    assert given == {"swap"}
    assert (
        len({both(pairs.head(np.random.default_rng(s)))[0].sample.dataset for s in range(60)}) == 4
    )


def test_a_given_fake_stands_beside_the_person_that_was_changed(
    rows: list[Stored],
) -> None:
    changed = moving("s2", "fake", "films", "face swap", who="films:3")
    elsewhere = moving("s3", "fake", "films", "face swap", who="films:99")
    pairs = Pairs(Manifest(Path(), [*rows, *changed, *elsewhere]), Mix(heads=1))
    beside: dict[str, set[str]] = {"s2": set(), "s3": set()}
    for seed in range(200):
        real, fake = both(pairs.given(np.random.default_rng(seed)))
        if fake.sample.video in beside:
            beside[fake.sample.video].add(real.sample.video)
    assert beside["s2"] == {"f3"}
    assert len(beside["s3"]) > 3


def test_without_heads_every_fake_is_given(rows: list[Stored]) -> None:
    pairs = Pairs(Manifest(Path(), rows), Mix())
    assert pairs.head(np.random.default_rng(0)) is None
    given = {both(pairs.given(np.random.default_rng(seed)))[1].sample.method for seed in range(90)}
    assert given == {"swap", "heads", "one clip"}


def test_a_fake_picture_stands_beside_its_original_or_one_of_its_set(rows: list[Stored]) -> None:
    pairs = Pairs(Manifest(Path(), rows), Mix())
    found = [both(pairs.still(np.random.default_rng(seed))) for seed in range(40)]
    assert {real.sample.video for real, fake in found if fake.sample.video == "g1"} == {"q7"}
    beside = [real.sample for real, fake in found if fake.sample.video == "g0"]
    assert {one.dataset for one in beside} == {"portraits"} and len(beside) > 10
    assert len({one.video for one in beside}) > 5


def test_lips_are_low_soft_and_whole() -> None:
    rng = np.random.default_rng(1)
    blends = [Blend.lips(rng) for _ in range(50)]
    assert min(one.outline[:, 1].mean() for one in blends) > 0.6
    assert all(one.inside and one.ratio == 1 and one.resolution <= 0.75 for one in blends)
    assert len({one.resolution for one in blends}) == 50
