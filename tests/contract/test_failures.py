"""What a Triton that fails means to a caller of the Triton engine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from stream_server.engine import EngineBusy, EngineUnavailable, ModelRepository
from stream_server.engine.triton import TritonEngine
from tests.support.tiny_repository import tiny_repository
from tests.support.triton_server import Fault, TritonServer

FRAMES: dict[str, Any] = {"FRAMES": np.full((1, 224, 224, 3), 77, np.uint8)}

WINDOW: dict[str, Any] = {
    "FEATURES_tiny": np.zeros((1, 100, 8), np.float32),
    "LENGTH": np.ones((1, 1), np.int32),
}


@pytest.fixture
async def engine(breakable: TritonServer) -> AsyncIterator[TritonEngine]:
    engine = TritonEngine(ModelRepository.load(breakable.models), breakable.url, timeout=10)
    yield engine
    await engine.close()


async def until_back(engine: TritonEngine) -> None:
    """Wait for a good probe; the test's own timeout is the limit."""
    while True:
        try:
            await engine.probe()
        except EngineUnavailable:
            await asyncio.sleep(0.1)
        else:
            return


async def test_full_queue(engine: TritonEngine, fault: Fault) -> None:
    fault.set(delay_s=0.5)
    calls = [engine.infer("tiny_encoder", FRAMES) for _ in range(12)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [a for a in answers if isinstance(a, BaseException)]
    assert refused
    assert all(isinstance(a, EngineBusy) and a.retryable for a in refused), refused
    assert any("maximum queue size" in str(a) for a in refused)
    assert len(refused) < len(answers)
    fault.clear()
    await engine.probe()


async def test_slow_answer_is_given_up_on(breakable: TritonServer, fault: Fault) -> None:
    engine = TritonEngine(ModelRepository.load(breakable.models), breakable.url, timeout=1.5)
    await until_back(engine)
    fault.set(delay_s=4.0)
    with pytest.raises(EngineUnavailable, match=r"no answer within 1\.5 s"):
        await engine.infer("face_features", FRAMES)
    fault.clear()
    await until_back(engine)
    await engine.close()


async def test_answer_that_is_not_finite(engine: TritonEngine, fault: Fault) -> None:
    fault.set(nan=True)
    with pytest.raises(EngineUnavailable, match="FEATURES_tiny with values that are not finite"):
        await engine.infer("face_features", FRAMES)


async def test_other_models_than_expected(
    breakable: TritonServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tiny_repository(tmp_path_factory.mktemp("other"), ("tiny", "more"))
    engine = TritonEngine(ModelRepository.load(other), breakable.url, timeout=10)
    with pytest.raises(EngineUnavailable, match="without FEATURES_more"):
        await engine.probe()
    await engine.close()


async def test_dead_model_process_though_health_says_ready(
    breakable: TritonServer, engine: TritonEngine
) -> None:
    await engine.probe()
    processes = breakable.model_processes("tiny_encoder")
    assert processes
    for process in processes:
        os.kill(process, signal.SIGKILL)
    with pytest.raises(EngineUnavailable):
        await engine.probe()
    assert await asyncio.to_thread(breakable.says_ready)


async def test_frozen_server(breakable: TritonServer) -> None:
    engine = TritonEngine(ModelRepository.load(breakable.models), breakable.url, timeout=1.5)
    await until_back(engine)
    breakable.signal(signal.SIGSTOP)
    try:
        with pytest.raises(EngineUnavailable, match=r"no answer within 1\.5 s"):
            await engine.infer("face_features", FRAMES)
    finally:
        breakable.signal(signal.SIGCONT)
    await until_back(engine)
    await engine.close()


async def test_killed_in_mid_request_and_back(
    breakable: TritonServer, engine: TritonEngine, fault: Fault
) -> None:
    await engine.probe()
    assert engine.shared_memory
    fault.set(delay_s=5.0)
    call = asyncio.ensure_future(engine.infer("face_features", FRAMES))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(breakable.kill)
    with pytest.raises(EngineUnavailable):
        await call
    with pytest.raises(EngineUnavailable):
        await engine.infer("face_features", FRAMES)
    fault.clear()
    await asyncio.to_thread(breakable.start)
    await until_back(engine)
    # The new server knows none of the old memory regions.
    answer = await engine.infer("face_features", FRAMES)
    assert answer["FEATURES_tiny"].shape == (1, 8)
    assert engine.shared_memory


async def test_stopping_server_is_unavailable_not_unknown(
    breakable: TritonServer, engine: TritonEngine, fault: Fault
) -> None:
    await engine.probe()
    fault.set(delay_s=5.0)
    last = asyncio.ensure_future(engine.infer("face_features", FRAMES))
    await asyncio.sleep(1.0)  # until it is there
    breakable.terminate()
    errors: list[BaseException] = []
    while not last.done():
        try:
            await engine.infer("sequence_verdict", WINDOW)
        except Exception as error:
            errors.append(error)
        await asyncio.sleep(0.05)
    assert errors
    assert all(isinstance(error, EngineUnavailable) and error.retryable for error in errors), errors
    # The request that was there first is still answered.
    assert (await last)["FEATURES_tiny"].shape == (1, 8)
