"""Heat maps through the real tritonserver, and the same as embedded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stream_server.engine import EmbeddedEngine, ModelRepository
from stream_server.engine.check import check_repository
from stream_server.engine.fallback import FallbackEngine
from stream_server.engine.triton import TritonEngine
from stream_server.explain.explainer import Explainer
from tests.support.tiny_repository import tiny_repository
from tests.support.triton_server import TritonServer


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up members with map models, and one exported from PyTorch, with its loop in ONNX."""
    import torch

    from training.export.ensembles import write_ensembles
    from training.export.heat_map import heat_model
    from training.export.onnx_export import write_member
    from training.export.repository_writer import write_vote
    from training.judge.vote import Vote, Voter
    from training.models.encoder import ServedEncoder
    from training.models.registry import make_encoder, make_head, parse

    path = tiny_repository(tmp_path_factory.mktemp("mapped") / "models", ("one",), maps=True)
    torch.manual_seed(0)
    spec = parse("meso4_lstm")
    encoder, head = make_encoder(spec), make_head(spec, 16)
    assert encoder is not None
    for part in head.parameters():
        torch.nn.init.normal_(part, std=0.2)
    heat = heat_model(encoder, head)
    write_member(path, spec.name, ServedEncoder(encoder).eval(), head, 16, heat=heat)
    write_vote(path, Vote((Voter("one", 1.5), Voter(spec.name, 0.7))))
    write_ensembles(path)
    return path


@pytest.fixture(scope="module")
def mapped_server(mapped: Path) -> Iterator[TritonServer]:
    server = TritonServer(mapped, mapped.parent / "triton.log")
    server.start()
    yield server
    server.stop()


def crop(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(32, 0).repeat(32, 1))


@pytest.mark.timeout(300)  # an export and a server's start come before it
async def test_both_engines_draw_the_same_heat_maps(
    mapped: Path, mapped_server: TritonServer
) -> None:
    assert check_repository(mapped) == []
    repository = ModelRepository.load(mapped)
    triton = TritonEngine(repository, mapped_server.url, timeout=30)
    embedded = EmbeddedEngine(repository)
    mine, theirs = Explainer(embedded), Explainer(triton)
    assert mine.members == theirs.members == ("one", "meso4_lstm")
    warm = 0
    for seed in range(3):
        a, b = await asyncio.gather(mine.explain(crop(seed)), theirs.explain(crop(seed)))
        np.testing.assert_allclose(a.grid, b.grid, atol=1e-3)
        warm += a.grid.max() > 0
    assert warm, "nothing to compare: choose other pictures"
    frames = np.stack([crop(seed) for seed in range(5)])
    one = await embedded.infer("meso4_lstm_map", {"FRAMES": frames})
    other = await triton.infer("meso4_lstm_map", {"FRAMES": frames})
    for name, array in one.items():
        np.testing.assert_allclose(array, other[name], atol=1e-4)
    await triton.close()
    await embedded.close()


async def test_a_triton_without_map_models_is_helped_out(
    mapped: Path, server: TritonServer
) -> None:
    """The shared server serves another repository, without them: the stand-in draws the map."""
    repository = ModelRepository.load(mapped)
    engine = FallbackEngine(
        TritonEngine(repository, server.url, timeout=20), EmbeddedEngine(repository)
    )
    heat = await Explainer(engine).explain(crop(1))
    assert heat.grid.shape == (14, 14)
    assert not engine.fallback and engine.stats.fallbacks == 0
    await engine.close()
