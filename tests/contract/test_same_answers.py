"""The two engines give the same answers to the same inputs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream_server.engine import (
    EmbeddedEngine,
    InvalidInput,
    MicroBatcher,
    ModelNotFound,
    ModelRepository,
)
from stream_server.engine.triton import TritonEngine
from tests.support.triton_server import TritonServer

TOLERANCE = 1e-4


def crops(count: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)


def left_in_shared_memory() -> list[Path]:
    return list(Path("/dev/shm").glob(f"fakelight-{os.getpid()}-*"))


def windows(count: int, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    lengths = np.array([[1], [20], [100], [57]], np.int32)
    return {
        "FEATURES_one": random.normal(size=(count, 100, 8)).astype(np.float32),
        "FEATURES_two": random.normal(size=(count, 100, 9)).astype(np.float32),
        "LANDMARKS": random.uniform(0, 224, (count, 100, 10)).astype(np.float32),
        "LENGTH": lengths[np.arange(count) % 4],
    }


CASES: list[tuple[str, dict[str, Any]]] = [
    ("face_features", {"FRAMES": crops(1)}),
    ("face_features", {"FRAMES": crops(3)}),
    ("face_features", {"FRAMES": crops(32)}),
    ("face_features", {"FRAMES": crops(100)}),
    ("sequence_verdict", windows(1)),
    ("sequence_verdict", windows(17)),
    ("clip_verdict", {"FRAMES": crops(1), "LANDMARKS": np.ones((1, 10), np.float32)}),
    ("clip_verdict", {"FRAMES": crops(100), "LANDMARKS": np.ones((100, 10), np.float32)}),
    ("two_encoder", {"FRAMES": crops(2)}),
    ("pack", {"FEATURES": np.ones((7, 5), np.float32)}),
]


@pytest.mark.parametrize(("model", "inputs"), CASES, ids=lambda v: v if isinstance(v, str) else "")
async def test_same_inputs_same_answers(
    triton: TritonEngine, embedded: EmbeddedEngine, model: str, inputs: dict[str, Any]
) -> None:
    mine, theirs = await asyncio.gather(embedded.infer(model, inputs), triton.infer(model, inputs))
    assert mine.keys() == theirs.keys()
    for name, array in mine.items():
        assert array.dtype == theirs[name].dtype
        np.testing.assert_allclose(array, theirs[name], atol=TOLERANCE, rtol=0)


async def test_same_through_the_batcher(triton: TritonEngine, embedded: EmbeddedEngine) -> None:
    answers = []
    for engine in (triton, embedded):
        batcher = MicroBatcher(engine)
        features = await asyncio.gather(*(batcher.features(crops(4, seed)) for seed in range(3)))
        answers.append(
            await asyncio.gather(
                *(batcher.verdicts(f, np.full((4, 10), 9.0, np.float32)) for f in features)
            )
        )
        await batcher.close()
    for (one, members), (other, others) in zip(*answers, strict=True):
        assert one == pytest.approx(other, abs=TOLERANCE)
        assert members == pytest.approx(others, abs=TOLERANCE)


@pytest.mark.parametrize("rows", [1, 3, 8])
async def test_shared_memory_and_messages_carry_the_same(
    server: TritonServer, repository: ModelRepository, rows: int
) -> None:
    shared = TritonEngine(repository, server.url, timeout=20)
    plain = TritonEngine(repository, server.url, timeout=20, shared_memory=False)
    assert shared.shared_memory
    assert not plain.shared_memory
    # More calls at once than there are regions, each with another picture.
    frames = [{"FRAMES": crops(rows, seed)} for seed in range(6)]
    one = await asyncio.gather(*(shared.infer("face_features", f) for f in frames))
    other = await asyncio.gather(*(plain.infer("face_features", f) for f in frames))
    assert shared.shared_memory
    for left, right in zip(one, other, strict=True):
        np.testing.assert_allclose(left["FEATURES_one"], right["FEATURES_one"], atol=TOLERANCE)
    assert left_in_shared_memory() == []
    await shared.close()
    await plain.close()


async def test_one_crop_goes_through_shared_memory_and_small_tensors_do_not(
    server: TritonServer, repository: ModelRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TritonEngine(repository, server.url, timeout=20)
    ways: list[str] = []
    for way in ("reference", "message"):
        write = getattr(engine._requests, way)

        def noted(*arguments: Any, way: str = way, write: Any = write) -> bytes:
            ways.append(way)
            return bytes(write(*arguments))

        monkeypatch.setattr(engine._requests, way, noted)
    await engine.infer("face_features", {"FRAMES": crops(1)})
    await engine.infer("sequence_verdict", windows(1))
    assert ways == ["reference", "message"]
    await engine.close()


async def test_server_that_cannot_map_memory_gets_messages(
    server: TritonServer, repository: ModelRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TritonEngine(repository, server.url, timeout=20)
    register = engine._register

    async def elsewhere(name: str, key: str, size: int) -> None:
        await register(name, f"{key}-on-another-host", size)

    assert engine._regions is not None
    monkeypatch.setattr(engine._regions, "_register", elsewhere)
    answer = await engine.infer("face_features", {"FRAMES": crops(2)})
    assert answer["FEATURES_one"].shape == (2, 8)
    assert not engine.shared_memory
    await engine.close()


@pytest.mark.parametrize(
    ("model", "inputs", "error", "message"),
    [
        ("nope", {"FRAMES": crops(1)}, ModelNotFound, "nope"),
        ("face_features", {"FRAMES": crops(1)[:, :9]}, InvalidInput, "shape"),
        ("face_features", {"FRAMES": crops(1)[0]}, InvalidInput, "shape|batch"),
        ("face_features", {"FRAMES": crops(1)[:0]}, InvalidInput, "FRAMES"),
        ("face_features", {"FRAMES": crops(1).astype(np.float32)}, InvalidInput, "UINT8|uint8"),
        ("face_features", {"PICTURES": crops(1)}, InvalidInput, "PICTURES"),
        ("face_features", {}, InvalidInput, "FRAMES|input"),
        ("face_features", {"FRAMES": crops(129)}, InvalidInput, "128"),
        (
            "sequence_verdict",
            {**windows(2), "LENGTH": np.ones((3, 1), np.int32)},
            InvalidInput,
            "batch",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("which", ["triton", "embedded"])
async def test_same_errors(
    triton: TritonEngine,
    embedded: EmbeddedEngine,
    which: str,
    model: str,
    inputs: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    engine = triton if which == "triton" else embedded
    with pytest.raises(error, match=message) as caught:
        await engine.infer(model, inputs)
    assert not caught.value.retryable  # type: ignore[attr-defined]
    await engine.probe()


async def test_server_without_a_gpu_gets_small_batches(
    triton: TritonEngine, embedded: EmbeddedEngine
) -> None:
    assert triton.crop_batch > embedded.crop_batch
    await triton.probe()
    assert triton.crop_batch == embedded.crop_batch
