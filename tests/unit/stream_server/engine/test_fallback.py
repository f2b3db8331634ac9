"""Fallback to the stand-in engine, and the return."""

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
    ModelNotFound,
    ModelRepository,
)
from stream_server.engine.fallback import FallbackEngine, FallbackPolicy
from stream_server.engine.known_answers import KnownAnswers
from stream_server.engine.spec import example_inputs
from tests.support.faulty_engine import FaultyEngine
from tests.support.tiny_repository import tiny_repository

pytestmark = pytest.mark.patient

QUICK = FallbackPolicy(
    call_timeout=2.0,  # a busy machine may take a while over what is quick
    slow_after=0.5,
    slow_calls=3,
    busy_calls=3,
    probe_interval=0.02,
    check_interval=0.1,
    good_probes=2,
)
#: For tests in which only traffic may change the state.
NO_RETURN = FallbackPolicy(call_timeout=2.0, slow_after=0.5, slow_calls=3, busy_calls=3)
FRAMES = {"FRAMES": np.full((2, 224, 224, 3), 90, np.uint8)}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> ModelRepository:
    return ModelRepository.load(tiny_repository(tmp_path_factory.mktemp("models"), ("one",)))


@pytest.fixture
async def primary(repository: ModelRepository) -> FaultyEngine:
    return FaultyEngine(repository)


@pytest.fixture
async def engine(
    primary: FaultyEngine, repository: ModelRepository
) -> AsyncIterator[FallbackEngine]:
    engine = FallbackEngine(primary, EmbeddedEngine(repository), QUICK)
    yield engine
    await engine.close()


async def until_fallback(engine: FallbackEngine, wanted: bool) -> str:
    """Wait for the wanted state and say why it came; the test's own timeout is the limit."""
    while engine.fallback is not wanted:
        await asyncio.sleep(0.002)
    return engine.reason


async def test_well_primary_answers(engine: FallbackEngine, primary: FaultyEngine) -> None:
    answer = await engine.infer("face_features", FRAMES)
    assert answer["FEATURES_one"].shape == (2, 8)
    assert (engine.in_use, engine.fallback) == ("triton", False)
    assert primary.rows.count(2) == 1
    assert engine.stats.standby_calls == 0


async def test_caller_of_a_failing_primary_gets_an_answer(
    engine: FallbackEngine, primary: FaultyEngine
) -> None:
    wanted = await engine.infer("face_features", FRAMES)
    primary.fault = EngineUnavailable("connection refused")
    answer = await engine.infer("face_features", FRAMES)
    np.testing.assert_allclose(answer["FEATURES_one"], wanted["FEATURES_one"], atol=1e-6)
    assert (engine.in_use, engine.fallback) == ("embedded", True)
    assert (engine.name, engine.reason) == ("triton", "connection refused")
    assert engine.counts()["fallbacks"] == 1


async def test_traffic_returns_by_itself(engine: FallbackEngine, primary: FaultyEngine) -> None:
    primary.fault = EngineUnavailable("connection refused")
    await engine.infer("face_features", FRAMES)
    assert engine.fallback
    primary.fault = None
    await until_fallback(engine, False)
    assert engine.in_use == "triton"
    await engine.infer("face_features", FRAMES)
    assert primary.rows.count(2) == 2
    assert engine.stats.returns == 1


async def test_primary_that_stays_down_gets_no_traffic(
    primary: FaultyEngine, repository: ModelRepository
) -> None:
    engine = FallbackEngine(primary, EmbeddedEngine(repository), NO_RETURN)
    primary.fault = EngineUnavailable("connection refused")
    await engine.infer("face_features", FRAMES)
    for _ in range(5):
        await engine.infer("face_features", FRAMES)
    assert primary.rows.count(2) == 1  # probes, of one row, go on
    assert engine.stats.standby_calls == 6
    await engine.close()


async def test_idle_primary_that_goes_down_is_noticed(
    engine: FallbackEngine, primary: FaultyEngine
) -> None:
    await engine.start()
    primary.fault = EngineUnavailable("connection refused")
    assert "connection refused" in await until_fallback(engine, True)


async def test_hung_primary_is_given_up_on(engine: FallbackEngine, primary: FaultyEngine) -> None:
    primary.delay = 3600
    answer = await engine.infer("face_features", FRAMES)
    assert answer["FEATURES_one"].shape == (2, 8)
    assert engine.fallback
    assert "no answer within 2 s" in engine.reason


async def test_slow_answers_in_a_row_count_as_down(
    primary: FaultyEngine, repository: ModelRepository
) -> None:
    engine = FallbackEngine(primary, EmbeddedEngine(repository), NO_RETURN)
    verdict = example_inputs(repository.models["sequence_verdict"])
    for call in range(3):
        assert not engine.fallback, call
        primary.delay = 0.6
        await engine.infer("face_features", FRAMES)
        primary.delay = 0  # quick answers of another model change nothing
        if not engine.fallback:
            await engine.infer("sequence_verdict", verdict)
    assert engine.fallback
    assert "3 answers of face_features in a row took over 0.5 s" in engine.reason
    await engine.close()


async def test_slow_primary_is_not_returned_to(
    engine: FallbackEngine, primary: FaultyEngine
) -> None:
    primary.fault = EngineUnavailable("connection refused")
    await engine.infer("face_features", FRAMES)
    primary.fault, primary.delay = None, 0.6
    failed = engine.stats.probes_failed
    while engine.stats.probes_failed < failed + 3:
        await asyncio.sleep(0.01)
    assert engine.fallback
    primary.delay = 0
    await until_fallback(engine, False)


@pytest.mark.parametrize(
    "fault",
    [
        lambda answer: {name: array + 1 for name, array in answer.items()},
        lambda answer: {name: array * np.nan for name, array in answer.items()},
        lambda answer: {name: array[:, :0] for name, array in answer.items()},
        lambda answer: {},
    ],
    ids=["other numbers", "nan", "wrong shape", "nothing"],
)
async def test_wrong_answers_count_as_down(
    engine: FallbackEngine, primary: FaultyEngine, fault: Any
) -> None:
    await engine.start()
    primary.fault = fault
    assert "probe of face_features" in await until_fallback(engine, True)
    primary.fault = None
    await until_fallback(engine, False)


async def test_what_is_asked_aside_says_nothing_about_the_primary(
    engine: FallbackEngine, primary: FaultyEngine
) -> None:
    primary.fault = EngineUnavailable("too slow")
    answer = await engine.infer_aside("face_features", FRAMES)
    assert answer["FEATURES_one"].shape == (2, 8)
    assert not engine.fallback and not any(engine.counts().values())
    primary.fault = None
    await engine.infer_aside("face_features", FRAMES)
    assert primary.rows == [2, 2]


async def test_full_queue_is_told_to_the_caller_and_is_not_down(
    primary: FaultyEngine, repository: ModelRepository
) -> None:
    engine = FallbackEngine(primary, EmbeddedEngine(repository), NO_RETURN)
    primary.fault = EngineBusy("queue is full")
    for _ in range(2):
        with pytest.raises(EngineBusy):
            await engine.infer("face_features", FRAMES)
    assert not engine.fallback
    with pytest.raises(EngineBusy):
        await engine.infer("face_features", FRAMES)
    assert engine.fallback
    assert "3 refusals in a row" in engine.reason
    await engine.close()


@pytest.mark.parametrize("error", [InvalidInput("bad"), ModelNotFound("none")])
async def test_callers_own_mistakes_are_not_the_primarys(
    engine: FallbackEngine, primary: FaultyEngine, error: Exception
) -> None:
    await engine.infer("face_features", FRAMES)
    primary.fault = error
    with pytest.raises(type(error)):
        await engine.infer("face_features", FRAMES)
    assert not engine.fallback


async def test_input_that_fails_on_both_does_not_count(
    primary: FaultyEngine, repository: ModelRepository
) -> None:
    engine = FallbackEngine(primary, EmbeddedEngine(repository), NO_RETURN)
    primary.fault = EngineUnavailable("internal: negative size")
    with pytest.raises(InvalidInput):
        await engine.infer("pack", {"FEATURES": np.zeros((101, 8), np.float32)})
    assert not engine.fallback
    await engine.close()


async def test_relapse_asks_for_more_good_probes(
    engine: FallbackEngine, primary: FaultyEngine
) -> None:
    reasons = []
    for _ in range(3):
        primary.fault = EngineUnavailable("connection refused")
        await engine.infer("face_features", FRAMES)
        primary.fault = None
        reasons.append(await until_fallback(engine, False))
    assert reasons == [f"{n} good probes in a row" for n in (2, 4, 8)]


async def test_probe_is_of_the_engine_that_would_answer(
    primary: FaultyEngine, repository: ModelRepository
) -> None:
    engine = FallbackEngine(primary, EmbeddedEngine(repository), NO_RETURN)
    await engine.probe()
    assert not engine.fallback
    primary.fault = EngineBusy("queue is full")
    await engine.probe()
    assert not engine.fallback
    primary.fault = EngineUnavailable("connection refused")
    await engine.probe()
    assert engine.fallback
    await engine.standby.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.probe()
    await engine.close()


async def test_closed_engine_is_unavailable(
    primary: FaultyEngine, repository: ModelRepository
) -> None:
    engine = FallbackEngine(primary, EmbeddedEngine(repository), QUICK)
    await engine.infer("face_features", FRAMES)
    await engine.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.infer("face_features", FRAMES)
    with pytest.raises(EngineUnavailable, match="closed"):
        await primary.infer("face_features", FRAMES)


async def test_known_answers_tell_another_model(
    repository: ModelRepository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    trusted = EmbeddedEngine(repository)
    answers = KnownAnswers(trusted)
    await answers.compare(trusted)
    other = tiny_repository(tmp_path_factory.mktemp("other"), ("one", "two"))
    stranger = EmbeddedEngine(ModelRepository.load(other))
    with pytest.raises(EngineUnavailable, match="probe of sequence_verdict"):
        await answers.compare(stranger)
    await trusted.close()
    await stranger.close()
