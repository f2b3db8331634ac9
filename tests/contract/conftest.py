"""Fixtures over the real tritonserver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stream_server.engine import EmbeddedEngine, ModelRepository
from stream_server.engine.triton import TritonEngine
from tests.support.tiny_repository import tiny_repository
from tests.support.triton_server import Fault, TritonServer, triton_missing

MEMBERS = ("one", "two")
LANDMARK_MEMBERS = ("points",)
READERS = {"both": ("one", "two")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs tritonserver."""
    reason = triton_missing()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.triton)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two encoders, a landmark member, and one that reads both encoders."""
    folder = tmp_path_factory.mktemp("triton") / "models"
    return tiny_repository(folder, MEMBERS, LANDMARK_MEMBERS, readers=READERS)


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[TritonServer]:
    """A server that every test of this session shares: do it no harm."""
    server = TritonServer(models, models.parent / "triton.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def repository(models: Path) -> ModelRepository:
    """The shared server's repository, parsed."""
    return ModelRepository.load(models)


@pytest.fixture
async def triton(server: TritonServer, repository: ModelRepository) -> AsyncIterator[TritonEngine]:
    """An engine on the shared server; generous, for a busy machine."""
    engine = TritonEngine(repository, server.url, timeout=20)
    yield engine
    await engine.close()


@pytest.fixture
async def embedded(repository: ModelRepository) -> AsyncIterator[EmbeddedEngine]:
    """The embedded engine on the same repository."""
    engine = EmbeddedEngine(repository)
    yield engine
    await engine.close()


@pytest.fixture(scope="module")
def fault(tmp_path_factory: pytest.TempPathFactory) -> Fault:
    """The switch for the faults of ``own_server``."""
    return Fault(tmp_path_factory.mktemp("fault") / "fault.json")


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory, fault: Fault) -> Iterator[TritonServer]:
    """A server of this module's own, to be stopped, killed, frozen and slowed down.

    Its encoder watches the fault file and has a queue of two.
    """
    models = tiny_repository(tmp_path_factory.mktemp("own") / "models")
    config = models / "tiny_encoder" / "config.pbtxt"
    text = config.read_text()
    assert "max_queue_size: 64" in text
    config.write_text(text.replace("max_queue_size: 64", "max_queue_size: 2"))
    fault.arm(models, "tiny_encoder")
    server = TritonServer(models, models.parent / "triton.log")
    yield server
    server.stop()


@pytest.fixture
def breakable(own_server: TritonServer, fault: Fault) -> Iterator[TritonServer]:
    """``own_server``, running and well at the start of every test."""
    fault.clear()
    if not own_server.answers():
        own_server.kill()
        own_server.start()
    yield own_server
    fault.clear()
