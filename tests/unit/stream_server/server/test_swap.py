"""What a Triton must answer before a server goes over to it; an engine of our own stands in for it.

That streams go on over a swap is tested in ``tests/server``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stream_server.engine import EmbeddedEngine, ModelRepository
from stream_server.engine.fallback import FallbackEngine
from stream_server.problem import ProblemError
from stream_server.server import swap as module
from stream_server.server.loaded import Loaded
from stream_server.server.swap import Swap
from tests.support.tiny_repository import (
    FEATURE_DIM,
    tiny_encoder,
    tiny_repository,
    tiny_sequence,
)
from training.export.repository_writer import place_member


@pytest.fixture
def named(tmp_path: Path) -> Path:
    return tiny_repository(tmp_path / "named")


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """Of the same names and shapes, and with other weights."""
    path = tiny_repository(tmp_path / "served")
    parts = tiny_sequence(FEATURE_DIM, 7), FEATURE_DIM, tiny_encoder(FEATURE_DIM, 7)
    place_member(path, "tiny", *parts)
    return path


@pytest.mark.parametrize("with_standby", [False, True])
async def test_a_triton_with_other_models_is_refused(
    with_standby: bool, services: Any, named: Path, served: Path, monkeypatch: Any
) -> None:
    def opened(settings: Any) -> Any:
        there = EmbeddedEngine(ModelRepository.load(served))
        own = EmbeddedEngine(ModelRepository.load(settings.models))
        return FallbackEngine(there, own) if with_standby else there

    monkeypatch.setattr(module, "configured_engine", opened)
    services.settings = services.settings.model_copy(update={"engine": "triton"})
    before = services.engine
    with pytest.raises(ProblemError, match="from the known answer"):
        await Swap(services).to(named, "triton:8001")
    assert services.engine is before
    swap = Swap(services)
    await swap.to(served, "triton:8001")
    assert services.engine is not before
    await swap.close()


async def test_models_that_look_back_on_less_than_is_asked_for_are_refused(
    services: Any, named: Path, monkeypatch: Any
) -> None:
    before, window = services.engine, services.settings.window
    monkeypatch.setattr(ModelRepository, "sequence_length", property(lambda self: window - 1))
    says = f"back on {window - 1} samples at most, and {window} are asked for"
    with pytest.raises(ProblemError, match=says):
        await Swap(services).to(named)
    assert services.engine is before


def test_what_is_amiss_with_pictures_is_refused_before_a_scan(tmp_path: Path) -> None:
    told = {"picture_scale_tiny": "nan", "picture_shift_tiny": "0", "picture_threshold_fake": "0.7"}
    engine = EmbeddedEngine(ModelRepository.load(tiny_repository(tmp_path, parameters=told)))
    with pytest.raises(ValueError, match="picture_scale_tiny is 'nan'"):
        Loaded(engine)
