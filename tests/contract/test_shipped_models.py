"""The models that come with Fakelight: sound, and the same on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from stream_server.engine import EmbeddedEngine, MicroBatcher, ModelRepository
from stream_server.engine.check import check_repository
from stream_server.engine.triton import TritonEngine
from tests.support.paths import MODELS
from tests.support.triton_server import TritonServer

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def shipped_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    server = TritonServer(MODELS, tmp_path_factory.mktemp("shipped") / "triton.log")
    server.start()
    yield server
    server.stop()


def test_they_pass_their_own_check() -> None:
    assert check_repository(MODELS) == []


async def test_both_engines_give_the_same_verdicts(shipped_server: TritonServer) -> None:
    repository = ModelRepository.load(MODELS)
    # Smooth pictures as well as noise: noise alone drives a network to where all look alike.
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (3, *repository.crop_shape), dtype=np.uint8)
    ramp = np.linspace(0, 255, repository.crop_shape[0])[:, None, None]
    smooth = np.broadcast_to(ramp * [1.0, 0.7, 0.4], repository.crop_shape).astype(np.uint8)
    crops = np.concatenate([noise, smooth[None]])
    landmarks = random.uniform(60, 160, (4, 10)).astype(np.float32)
    features, verdicts = [], []
    engines = (
        EmbeddedEngine(repository, quantised=False),
        TritonEngine(repository, shipped_server.url, timeout=30),
        EmbeddedEngine(repository),
    )
    for engine in engines:
        batcher = MicroBatcher(engine)
        features.append(await batcher.features(crops))
        given = features[2] if len(features) > 2 else features[0]
        verdicts.append(
            [
                await batcher.verdicts({m: f[:n] for m, f in given.items()}, landmarks[:n])
                for n in (1, 2, 4)
            ]
        )
        await batcher.close()
        await engine.close()
    for member, array in features[0].items():
        scale = max(1.0, float(np.abs(array).max()))
        np.testing.assert_allclose(array / scale, features[1][member] / scale, atol=TOLERANCE)
        # In 8 bit, as the embedded engine serves: near, and so alike to the probe of a stand-in.
        np.testing.assert_allclose(array / scale, features[2][member] / scale, atol=0.2)
    for (one, members), (other, others), (near, nears) in zip(*verdicts, strict=True):
        assert one == pytest.approx(other, abs=TOLERANCE)
        assert members == pytest.approx(others, abs=TOLERANCE)
        assert one == pytest.approx(near, abs=0.1)
        assert members == pytest.approx(nears, abs=0.1)
