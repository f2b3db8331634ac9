"""Micro-batches over all streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from stream_server.engine import (
    EmbeddedEngine,
    EngineBusy,
    EngineUnavailable,
    InvalidInput,
    MicroBatcher,
    ModelRepository,
)
from tests.support.tiny_repository import tiny_repository


class CountingEngine(EmbeddedEngine):
    """The real engine, which notes its batches and fails when told to."""

    def __init__(self, repository: ModelRepository) -> None:
        super().__init__(repository)
        self.parallel = 1
        self.crop_batch = 32
        self.batches: list[tuple[str, int]] = []
        self.fail_next = 0
        self.called = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()

    async def infer(self, model: str, inputs: Any) -> dict[str, Any]:
        self.batches.append((model, len(next(iter(inputs.values())))))
        self.called.set()
        await self.hold.wait()
        if self.fail_next:
            self.fail_next -= 1
            raise EngineUnavailable("told to fail")
        return await super().infer(model, inputs)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> ModelRepository:
    path = tiny_repository(tmp_path_factory.mktemp("models"), ("one", "two"), ("points",))
    return ModelRepository.load(path)


@pytest.fixture
async def engine(repository: ModelRepository) -> AsyncIterator[CountingEngine]:
    engine = CountingEngine(repository)
    yield engine
    await engine.close()


def crops(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)


def window(length: int, seed: int = 0) -> tuple[dict[str, Any], Any]:
    random = np.random.default_rng(seed)
    features = {
        "one": random.normal(size=(length, 8)).astype(np.float32),
        "two": random.normal(size=(length, 9)).astype(np.float32),
    }
    return features, random.normal(size=(length, 10)).astype(np.float32)


async def test_every_caller_gets_its_own_rows(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine)
    pictures = [crops(n, seed=n) for n in (1, 3, 2)]
    answers = await asyncio.gather(*(batcher.features(p) for p in pictures))
    assert engine.batches == [("face_features", 6)]
    for picture, answer in zip(pictures, answers, strict=True):
        alone = await engine.infer("face_features", {"FRAMES": picture})
        assert answer.keys() == {"one", "two"}
        for member, array in answer.items():
            np.testing.assert_allclose(array, alone[f"FEATURES_{member}"], atol=1e-5)
    assert (batcher.crop_stats.calls, batcher.crop_stats.rows) == (3, 6)


async def test_what_queues_during_a_batch_makes_up_the_next(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine, max_crops=4)
    engine.hold.clear()
    first = asyncio.ensure_future(batcher.features(crops(1)))
    await engine.called.wait()
    rest = [asyncio.ensure_future(batcher.features(crops(1, seed=i))) for i in range(6)]
    await asyncio.sleep(0)
    engine.hold.set()
    await asyncio.gather(first, *rest)
    assert [rows for _, rows in engine.batches] == [1, 4, 2]


async def test_more_crops_than_a_batch_are_split(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine, max_crops=4)
    picture = crops(9)
    answer = await batcher.features(picture)
    assert [rows for _, rows in engine.batches] == [4, 4, 1]
    alone = await engine.infer("face_features", {"FRAMES": picture})
    np.testing.assert_allclose(answer["two"], alone["FEATURES_two"], atol=1e-5)


async def test_batches_are_of_the_size_and_number_that_suit_the_engine(
    engine: CountingEngine,
) -> None:
    batcher = MicroBatcher(engine)
    engine.crop_batch, engine.parallel = 2, 2
    engine.hold.clear()
    calls = [asyncio.ensure_future(batcher.features(crops(1, seed=i))) for i in range(7)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert [rows for _, rows in engine.batches] == [2, 2]  # two at once, and no third
    engine.crop_batch = 3  # as when the stand-in takes over
    engine.hold.set()
    answers = await asyncio.gather(*calls)
    assert [rows for _, rows in engine.batches] == [2, 2, 3]
    for seed, answer in enumerate(answers):
        alone = await engine.infer("one_encoder", {"FRAMES": crops(1, seed=seed)})
        np.testing.assert_allclose(answer["one"], alone["FEATURES"], atol=1e-5)


async def test_windows_of_all_lengths_share_a_batch(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine)
    windows = [window(n, seed=n) for n in (1, 20, 100)]
    answers = await asyncio.gather(*(batcher.verdicts(*w) for w in windows))
    assert engine.batches == [("sequence_verdict", 3)]
    assert len({probability for probability, _ in answers}) == 3
    for each, together in zip(windows, answers, strict=True):
        probability, members = await batcher.verdicts(*each)
        assert probability == pytest.approx(together[0], abs=1e-6)
        assert members == pytest.approx(together[1], abs=1e-6)
        assert list(members) == ["one", "two", "points"]


async def test_failed_batch_fails_its_own_callers_only(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine, max_crops=2)
    engine.fail_next = 1
    calls = [batcher.features(crops(1, seed=i)) for i in range(4)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(a, EngineUnavailable) for a in answers] == [True, True, False, False]
    assert batcher.crop_stats.failed == 1


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (crops(1).astype(np.float32), "float32"),
        (crops(1)[:, 1:], r"\[1, 223, 224, 3\]"),
        (crops(1)[0], r"\[224, 224, 3\]"),
        (crops(1)[:0], "at least 1"),
    ],
)
async def test_bad_crops_do_not_reach_the_shared_batch(
    engine: CountingEngine, bad: Any, message: str
) -> None:
    batcher = MicroBatcher(engine)
    good, failed = await asyncio.gather(
        batcher.features(crops(2)), batcher.features(bad), return_exceptions=True
    )
    assert isinstance(failed, InvalidInput)
    with pytest.raises(InvalidInput, match=message):
        raise failed
    assert not isinstance(good, BaseException)
    assert engine.batches == [("face_features", 2)]


async def test_bad_windows_are_named(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine)
    features, points = window(5)
    nan = features["one"].copy()
    nan[3, 2] = np.nan
    cases: list[tuple[dict[str, Any], Any, str]] = [
        ({"one": features["one"]}, points, "no features of member 'two'"),
        (features, None, "needs landmarks"),
        ({**features, "one": features["one"][:4]}, points, r"differ in length: \[4, 5\]"),
        ({**features, "one": features["one"][:, :7]}, points, r"\[5, 7\], must be \[any, 8\]"),
        ({**features, "one": nan}, points, "FEATURES_one holds values that are not finite"),
        (*window(101), "a window of 101 samples; 1 to 100"),
        (*window(0), "a window of 0 samples"),
    ]
    for bad, landmarks, message in cases:
        with pytest.raises(InvalidInput, match=message):
            await batcher.verdicts(bad, landmarks)
    assert engine.batches == []


async def test_caller_that_gave_up_takes_no_place(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine)
    engine.hold.clear()
    first = asyncio.ensure_future(batcher.features(crops(1)))
    await engine.called.wait()
    gone, waits = (asyncio.ensure_future(batcher.features(crops(1))) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    engine.hold.set()
    await asyncio.gather(first, waits)
    assert gone.cancelled()
    assert [rows for _, rows in engine.batches] == [1, 1]


async def test_full_queue_is_refused(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine, max_crops=1, max_waiting=2)
    calls = [batcher.features(crops(1)) for _ in range(5)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [a for a in answers if isinstance(a, EngineBusy)]
    assert len(refused) == 3
    assert "the limit is 2" in str(refused[0])


async def test_closing_fails_those_who_wait(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine, max_crops=1)
    engine.hold.clear()
    calls = [asyncio.ensure_future(batcher.features(crops(1))) for _ in range(3)]
    await engine.called.wait()
    await batcher.close()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(a, EngineUnavailable) for a in answers)
    with pytest.raises(EngineUnavailable, match="closed"):
        await batcher.features(crops(1))


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> ModelRepository:
    path = tiny_repository(
        tmp_path_factory.mktemp("rated"), ("one", "two"), ("points",), rates={"two": 5}
    )
    return ModelRepository.load(path)


async def test_members_that_rest_are_left_out(rated: ModelRepository) -> None:
    engine = CountingEngine(rated)
    batcher = MicroBatcher(engine)
    pictures = [crops(2, seed) for seed in range(3)]
    some = await asyncio.gather(*(batcher.features(p, {"two"}) for p in pictures))
    assert engine.batches == [("one_encoder", 6)]
    assert await batcher.features(pictures[0], {"one", "two"}) == {}
    everything = await batcher.features(pictures[1])
    assert engine.batches[1:] == [("face_features", 2)]
    assert list(some[1]) == ["one"]
    np.testing.assert_allclose(some[1]["one"], everything["one"], atol=1e-6)
    assert (batcher.crop_stats.calls, batcher.crop_stats.batches) == (4, 2)
    await batcher.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        await batcher.features(crops(1), {"two"})
    await engine.close()


async def test_a_member_with_a_rate_has_a_length_of_its_own(rated: ModelRepository) -> None:
    engine = CountingEngine(rated)
    batcher = MicroBatcher(engine)
    features, points = window(20)
    fewer = {**features, "two": features["two"][::2]}
    calls = [batcher.verdicts(fewer, points), batcher.verdicts(features, points)]
    (_, half), (_, whole) = await asyncio.gather(*calls)
    assert engine.batches == [("paced_verdict", 2)]
    assert half["one"] == pytest.approx(whole["one"], abs=1e-6)
    assert half["points"] == pytest.approx(whole["points"], abs=1e-6)
    _, other = await batcher.verdicts({**fewer, "one": features["one"][:3]}, points[:3])
    assert other["two"] == pytest.approx(half["two"], abs=1e-6)
    assert half["two"] != pytest.approx(whole["two"], abs=1e-3)
    for bad, message in [
        ({**fewer, "one": features["one"][:9]}, r"differ in length: \[9, 20\]"),
        ({**fewer, "two": features["two"][:0]}, "a window of 0 samples"),
        ({"one": features["one"]}, "no features of member 'two'"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            await batcher.verdicts(bad, points)
    await batcher.close()
    await engine.close()


async def test_answers_do_not_keep_the_batch_alive(engine: CountingEngine) -> None:
    batcher = MicroBatcher(engine)
    answers = await asyncio.gather(*(batcher.features(crops(1)) for _ in range(4)))
    assert all(a["one"].base is None for a in answers)
