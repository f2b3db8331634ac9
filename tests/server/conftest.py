from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from PIL import Image as Pillow

from tests.support.client import client
from tests.support.faces import backdrop, other_person, paste, person
from tests.support.server import running_server
from tests.support.tiny_repository import tiny_repository


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny_repository(tmp_path_factory.mktemp("models") / "triton_models")


@pytest.fixture(scope="module")
def server(models: Any) -> Iterator[Any]:
    with running_server("--models", str(models)) as server:
        yield server


def jpeg(image: Any, quality: int = 85) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(image).save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture(scope="session")
def portrait() -> bytes:
    """A 640x360 JPEG with one face."""
    return jpeg(paste(backdrop(), person(), (320, 180), 260))


@pytest.fixture(scope="session")
def pair() -> bytes:
    """A 640x360 JPEG with two faces."""
    both = paste(backdrop(), person(), (170, 180), 260)
    return jpeg(paste(both, other_person(), (470, 180), 260))


@pytest.fixture(scope="session")
def empty() -> bytes:
    """A 640x360 JPEG without a face."""
    return jpeg(backdrop())


@pytest.fixture(scope="session")
def crowd() -> bytes:
    """A 1920x1080 JPEG with fifty faces."""
    frame = backdrop(1920, 1080)
    for i in range(50):
        frame = paste(frame, person(), (100 + 190 * (i % 10), 110 + 215 * (i // 10)), 200)
    return jpeg(frame)


@pytest.fixture
async def neighbour(server: Any, portrait: bytes) -> AsyncIterator[Any]:
    """Another stream that must not notice anything: it plays while the test runs."""
    stop = asyncio.Event()
    answers: list[dict[str, Any]] = []

    async def watch() -> None:
        async with client(server) as one:
            number = 0
            while not stop.is_set():
                answers.append(await one.verdict_for(number, number / 10, portrait))
                number += 1
                await asyncio.sleep(0.02)

    task = asyncio.create_task(watch())
    while len(answers) < 3:
        await asyncio.sleep(0.02)
    yield answers
    before = len(answers)
    while len(answers) < before + 3:
        await asyncio.sleep(0.02)
        assert not task.done(), "the other stream ended"
    stop.set()
    await task
    assert all(answer["type"] == "verdict" for answer in answers)
