from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image as Pillow

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
