from __future__ import annotations

from stream_server.server.readiness import Readiness


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Probed:
    """Stands in for an engine that the test breaks and mends."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    async def probe(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


async def test_the_engine_is_asked_once_a_second_at_most() -> None:
    engine, clock = Probed(), Clock()
    readiness = Readiness(engine, clock)
    assert [await readiness.trouble() for _ in range(3)] == ["", "", ""]
    assert engine.asked == 1
    clock.now += 1
    assert await readiness.trouble() == ""
    assert engine.asked == 2


async def test_trouble_is_told_until_it_is_over() -> None:
    engine, clock = Probed(), Clock()
    readiness = Readiness(engine, clock)
    engine.error = RuntimeError("the model file is gone")
    assert await readiness.trouble() == "the model file is gone"
    engine.error = TimeoutError()
    clock.now += 1
    assert await readiness.trouble() == "TimeoutError"
    engine.error = None
    assert await readiness.trouble() == "TimeoutError"
    clock.now += 1
    assert await readiness.trouble() == ""
