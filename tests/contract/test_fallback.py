"""Fallback and return with a real Triton: streams go on while it is killed, frozen or wrong."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from stream_server.engine import EmbeddedEngine, MicroBatcher, ModelRepository, open_engine
from stream_server.engine.fallback import FallbackEngine, FallbackPolicy
from stream_server.engine.triton import TritonEngine
from tests.support.triton_server import Fault, TritonServer

#: As in production, but probing more often, so that the tests take less long, and with patience
#: for a busy machine.
POLICY = FallbackPolicy(call_timeout=4.0, slow_after=1.5, probe_interval=0.2, check_interval=0.5)
CROPS = np.full((1, 224, 224, 3), 60, np.uint8)


@pytest.fixture
async def engine(breakable: TritonServer) -> AsyncIterator[FallbackEngine]:
    repository = ModelRepository.load(breakable.models)
    triton = TritonEngine(repository, breakable.url, timeout=3.0)
    engine = FallbackEngine(triton, EmbeddedEngine(repository), POLICY)
    yield engine
    await engine.close()


class Stream:
    """Asks for features and a verdict ten times a second, as a stream does."""

    def __init__(self, engine: FallbackEngine) -> None:
        self.engine = engine
        self.batcher = MicroBatcher(engine)
        self.verdicts: list[tuple[str, float]] = []

    async def __aenter__(self) -> Stream:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.batcher.close()

    async def more(self, count: int) -> None:
        """Wait for so many more verdicts; a stream that failed raises what it failed with."""
        wanted = len(self.verdicts) + count
        while len(self.verdicts) < wanted:
            if self._task.done():
                await self._task
            await asyncio.sleep(0.02)

    async def until(self, fallback: bool) -> str:
        """Wait for the engine to be in that state, and say why it is; the test's own timeout is
        the limit."""
        while self.engine.fallback is not fallback:
            await asyncio.sleep(0.02)
        return self.engine.reason

    async def _run(self) -> None:
        while True:
            features = await self.batcher.features(CROPS)
            probability, _ = await self.batcher.verdicts(features)
            self.verdicts.append((self.engine.in_use, probability))
            await asyncio.sleep(0.1)


async def test_killed_and_back(breakable: TritonServer, engine: FallbackEngine) -> None:
    async with Stream(engine) as stream:
        await stream.more(5)
        assert {name for name, _ in stream.verdicts} == {"triton"}
        await asyncio.to_thread(breakable.kill)
        await stream.until(True)
        await stream.more(5)
        assert engine.in_use == "embedded"
        await asyncio.to_thread(breakable.start)
        await stream.until(False)
        await stream.more(5)
        assert stream.verdicts[-1][0] == "triton"
        probabilities = [probability for _, probability in stream.verdicts]
        assert probabilities == pytest.approx([probabilities[0]] * len(probabilities), abs=1e-4)


async def test_frozen_and_back(breakable: TritonServer, engine: FallbackEngine) -> None:
    async with Stream(engine) as stream:
        await stream.more(5)
        breakable.signal(signal.SIGSTOP)
        try:
            assert "no answer within 3 s" in await stream.until(True)
            await stream.more(3)
        finally:
            breakable.signal(signal.SIGCONT)
        await stream.until(False)
        await stream.more(3)
        assert stream.verdicts[-1][0] == "triton"


@pytest.mark.parametrize(
    ("kind", "reason"), [("slow", "took over 1.5 s|no answer within"), ("nan", "not finite")]
)
async def test_slow_or_wrong_and_back(
    engine: FallbackEngine, fault: Fault, kind: str, reason: str
) -> None:
    async with Stream(engine) as stream:
        await stream.more(3)
        fault.set(delay_s=1.7 if kind == "slow" else 0.0, nan=kind == "nan")
        assert re.search(reason, await stream.until(True))
        await stream.more(3)
        fault.clear()
        await stream.until(False)
        await stream.more(3)
        assert stream.verdicts[-1][0] == "triton"


async def test_stopped_in_good_order(breakable: TritonServer, engine: FallbackEngine) -> None:
    async with Stream(engine) as stream:
        await stream.more(3)
        breakable.terminate()
        await stream.until(True)
        await stream.more(5)


async def test_triton_that_is_down_from_the_start(breakable: TritonServer) -> None:
    await asyncio.to_thread(breakable.kill)
    engine = open_engine("triton", breakable.models, breakable.url)
    assert isinstance(engine, FallbackEngine)
    await engine.probe()
    answer = await engine.infer("face_features", {"FRAMES": CROPS})
    assert answer["FEATURES_tiny"].shape == (1, 8)
    assert engine.fallback
    await engine.close()


async def test_without_fallback_the_failure_is_the_callers(breakable: TritonServer) -> None:
    engine = open_engine("triton", breakable.models, breakable.url, fallback=False)
    assert isinstance(engine, TritonEngine)
    await engine.probe()
    await engine.close()
