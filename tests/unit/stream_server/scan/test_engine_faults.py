"""A scan over an engine that is busy, away, or gone for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import pytest

from stream_server.engine import MicroBatcher, open_engine
from stream_server.engine.base import EngineBusy, EngineUnavailable
from stream_server.scan import patient
from stream_server.scan.options import ScanOptions
from stream_server.scan.progress import Advance
from stream_server.scan.scanner import Scanner
from stream_server.settings import load
from stream_server.vision.detect import FaceDetector
from tests.support.scan_media import every, moving_face, write_video
from tests.support.tiny_repository import tiny_repository

OPTIONS = ScanOptions(20, 10.0, 6000)


class Moody(MicroBatcher):
    """Fails as many calls as it is told to."""

    def __init__(self, engine: Any, failures: int, error: Exception) -> None:
        super().__init__(engine)
        self.failures, self.error = failures, error

    async def features(self, crops: Any, resting: Collection[str] = ()) -> Any:
        if self.failures:
            self.failures -= 1
            raise self.error
        return await super().features(crops, resting)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Any]:
    opened = open_engine("embedded", tiny_repository(tmp_path / "models"))
    yield opened
    await opened.close()


@pytest.fixture
def clip(tmp_path: Path) -> Any:
    return write_video(tmp_path / "a.mp4", moving_face(), every(10, 2), rate=10)


def scanner(engine: Any, batcher: Any) -> Scanner:
    return Scanner(load(), engine, batcher, FaceDetector())


async def test_an_engine_that_is_busy_for_a_moment_costs_no_sample(
    engine: Any, clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def soon(seconds: Any) -> None:
        assert seconds > 0

    monkeypatch.setattr(patient, "_pause", soon)
    moody = Moody(engine, 3, EngineBusy("too many calls"))
    report = await scanner(engine, moody).scan(clip, "a.mp4", OPTIONS)
    assert report.error is None and report.faces[0].samples == 20
    await moody.close()


async def test_an_engine_that_stays_away_makes_an_error_report(
    engine: Any, clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient, "_TRIES", 1)
    moody = Moody(engine, 1000, EngineUnavailable("connection refused"))
    report = await scanner(engine, moody).scan(clip, "a.mp4", OPTIONS)
    assert report.error["code"] == "engine" and report.error["status"] == 503
    assert "connection refused" in report.error["detail"]
    await moody.close()


async def test_progress_goes_up_to_the_end(engine: Any, clip: Any) -> None:
    batcher = MicroBatcher(engine)
    seen: list[Advance] = []
    await scanner(engine, batcher).scan(clip, "a.mp4", OPTIONS, seen.append)
    shares = [advance.share for advance in seen]
    assert shares == sorted(shares) and shares[-1] > 0.9
    await batcher.close()


async def test_a_cancelled_scan_lets_go_of_the_file(engine: Any, tmp_path: Path) -> None:
    long = write_video(tmp_path / "long.mp4", moving_face(), every(10, 20), rate=10)
    batcher = MicroBatcher(engine)
    begun = asyncio.Event()
    task = asyncio.create_task(
        scanner(engine, batcher).scan(long, "long.mp4", OPTIONS, lambda advance: begun.set())
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    long.rename(tmp_path / "free.mp4")
    await batcher.close()
