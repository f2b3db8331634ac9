"""Members that look less often: both engines read the same rates and give the same verdicts."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream_server.engine import EmbeddedEngine, EngineUnavailable, MicroBatcher, ModelRepository
from stream_server.engine.fallback import FallbackEngine
from stream_server.engine.triton import TritonEngine
from stream_server.evidence import StreamOptions
from stream_server.stream import Face, Stream
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker
from stream_server.vision.types import Frame
from tests.support.faces import backdrop, paste, person
from tests.support.tiny_repository import tiny_repository
from tests.support.triton_server import TritonServer
from training.export.ensembles import write_ensembles
from training.export.member_rate import set_rate

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One member at every sample, one at half of them, one at a third, landmarks, a reader."""
    return tiny_repository(
        tmp_path_factory.mktemp("rated") / "models",
        ("one", "two", "three"),
        ("points",),
        readers={"both": ("two",)},
        rates={"two": 5, "three": 10 / 3},
    )


@pytest.fixture(scope="module")
def rated_server(rated: Path) -> Iterator[TritonServer]:
    server = TritonServer(rated, rated.parent / "triton.log")
    server.start()
    yield server
    server.stop()


async def watched(engine: Any) -> tuple[list[list[Face]], int]:
    """Three seconds of a portrait through a stream on ``engine``, and its rows of crops."""
    batcher = MicroBatcher(engine)
    options = StreamOptions(window=20)
    tracker = FaceTracker(FaceDetector(min_face=40))
    stream = Stream(tracker, batcher, VerdictPolicy(fake=0.8, real=0.3), options)
    picture = paste(backdrop(), person(), (320, 180), 260)
    answers = []
    for number in range(30):
        # Brighter and darker, so that it matters which samples a member has seen.
        shade = np.clip(picture * (0.7 + 0.3 * np.sin(number / 3)), 0, 255).astype(np.uint8)
        answers.append(await stream.analyse(Frame(shade, number / 10, number)))
    rows = batcher.crop_stats.rows
    await batcher.close()
    return answers, rows


async def test_a_stream_gets_the_same_verdicts_from_both(
    rated: Path, rated_server: TritonServer
) -> None:
    repository = ModelRepository.load(rated)
    embedded = EmbeddedEngine(repository)
    triton = TritonEngine(repository, rated_server.url, timeout=30)
    mine, looked = await watched(embedded)
    theirs, rows = await watched(triton)
    # Eight samples seen by all three in one call each; of the 22 others every one by the first,
    # and those on a grid of two and of three by the others: all in one call where both meet.
    assert looked == rows < 8 + 22 + 11 + 8
    assert [[face.samples for face in faces] for faces in mine] == [
        [face.samples for face in faces] for faces in theirs
    ]
    judged = 0
    for left, right in zip(mine, theirs, strict=True):
        for one, other in zip(left, right, strict=True):
            assert one.verdict == other.verdict
            assert one.members == pytest.approx(other.members, abs=TOLERANCE)
            judged += one.probability is not None
    assert judged >= 20
    await embedded.close()
    await triton.close()


async def test_windows_of_different_lengths_mean_the_same_to_both(
    rated: Path, rated_server: TritonServer
) -> None:
    repository = ModelRepository.load(rated)
    random = np.random.default_rng(0)
    answers = []
    windows = []
    for lengths in ((20, 10, 7), (8, 8, 8), (1, 1, 1), (100, 50, 34)):
        features = {
            member: random.normal(size=(count, dim)).astype(np.float32)
            for (member, dim), count in zip(repository.feature_dims.items(), lengths, strict=True)
        }
        windows.append((features, random.uniform(0, 224, (lengths[0], 10)).astype(np.float32)))
    for engine in (
        EmbeddedEngine(repository),
        TritonEngine(repository, rated_server.url, timeout=30),
    ):
        batcher = MicroBatcher(engine)
        answers.append(await asyncio.gather(*(batcher.verdicts(*window) for window in windows)))
        await batcher.close()
        await engine.close()
    for (one, members), (other, others) in zip(*answers, strict=True):
        assert one == pytest.approx(other, abs=TOLERANCE)
        assert members == pytest.approx(others, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (2.0, "serves two_encoder with sample_hz 5, the models here with 2"),
        (None, "serves two_encoder with sample_hz 5, the models here with unset"),
    ],
)
async def test_a_server_with_other_rates_is_not_used(
    rated: Path, rated_server: TritonServer, tmp_path: Path, rate: float | None, message: str
) -> None:
    other = tmp_path / "models"
    shutil.copytree(rated, other)
    set_rate(other, "two", rate)
    write_ensembles(other)
    repository = ModelRepository.load(other)
    triton = TritonEngine(repository, rated_server.url, timeout=30)
    frames = {"FRAMES": np.zeros((1, 224, 224, 3), np.uint8)}
    for _ in range(2):  # and not forgotten
        with pytest.raises(EngineUnavailable, match=message):
            await triton.infer("face_features", frames)
    engine = FallbackEngine(triton, EmbeddedEngine(repository))
    await engine.infer("face_features", frames)
    assert engine.in_use == "embedded" and message in engine.reason
    await engine.close()
