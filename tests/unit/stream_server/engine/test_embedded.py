"""The embedded engine: ONNX Runtime over the repository."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import ModelProto, helper, load, save

from stream_server.engine import (
    EmbeddedEngine,
    EngineBusy,
    EngineUnavailable,
    InvalidInput,
    ModelNotFound,
    ModelRepository,
    embedded,
    open_engine,
)
from stream_server.engine.embedded import open_session
from tests.support.tiny_repository import tiny_repository


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_repository(tmp_path_factory.mktemp("models"), ("one", "two"), ("points",))


@pytest.fixture
async def engine(repo: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(ModelRepository.load(repo))
    yield engine
    await engine.close()


def crops(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)


async def test_ensemble_walks_its_steps(engine: EmbeddedEngine) -> None:
    frames = crops(3)
    features = await engine.infer("face_features", {"FRAMES": frames})
    assert {n: a.shape for n, a in features.items()} == {
        "FEATURES_one": (3, 8),
        "FEATURES_two": (3, 9),
    }
    alone = await engine.infer("two_encoder", {"FRAMES": frames})
    np.testing.assert_array_equal(features["FEATURES_two"], alone["FEATURES"])


async def test_a_worker_that_is_idle_takes_an_encoder_up(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, run = threading.Barrier(2, timeout=10.0), engine._run_model

    def met(*asked: Any) -> dict[str, Any]:
        both.wait()  # raises where the other encoder is not run at the same time
        return run(*asked)

    monkeypatch.setattr(engine, "_run_model", met)
    features = await engine.infer("face_features", {"FRAMES": crops(1)})
    assert features.keys() == {"FEATURES_one", "FEATURES_two"}


async def test_a_lone_worker_runs_all_encoders(repo: Path) -> None:
    engine = EmbeddedEngine(ModelRepository.load(repo), workers=1)
    features = await engine.infer("face_features", {"FRAMES": crops(1)})
    assert features.keys() == {"FEATURES_one", "FEATURES_two"}
    await engine.close()


async def test_clip_verdict_is_the_two_other_ensembles_in_one(engine: EmbeddedEngine) -> None:
    frames, points = crops(7), np.ones((7, 10), np.float32)
    features = await engine.infer("face_features", {"FRAMES": frames})
    window: dict[str, Any] = {"LENGTH": np.array([[7]], np.int32)}
    for name, array in {**features, "LANDMARKS": points}.items():
        window[name] = np.full((1, 100, array.shape[1]), 5.0, np.float32)  # padding that is not 0
        window[name][0, :7] = array
    wanted = await engine.infer("sequence_verdict", window)
    got = await engine.infer("clip_verdict", {"FRAMES": frames, "LANDMARKS": points})
    for name in ("PROBABILITY", "MEMBER_PROBABILITY"):
        np.testing.assert_allclose(got[name], wanted[name], atol=1e-6)
    assert got["MEMBER_PROBABILITY"].shape == (1, 3)


@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        ("face_features", {}, "needs input 'FRAMES'"),
        ("face_features", {"FRAME": crops(1)}, "no input 'FRAME'; its inputs are FRAMES"),
        ("face_features", {"FRAMES": crops(1).astype(np.float32)}, "is float32, must be uint8"),
        ("face_features", {"FRAMES": crops(1)[:, :100]}, r"\[1, 100, 224, 3\], must be \[any, 224"),
        ("face_features", {"FRAMES": crops(1)[:0]}, r"\[0, 224, 224, 3\]"),
        ("face_features", {"FRAMES": crops(1)[0]}, r"\[224, 224, 3\]"),
        (
            "face_features",
            {"FRAMES": np.zeros((129, 224, 224, 3), np.uint8)},
            "batch of 129, the limit is 128",
        ),
        (
            "one_sequence",
            {"FEATURES": np.zeros((2, 100, 8), np.float32), "LENGTH": np.ones((3, 1), np.int32)},
            r"differ in batch size: \[2, 3\]",
        ),
        ("pack", {"FEATURES": np.zeros((101, 8), np.float32)}, "pack"),
    ],
)
async def test_bad_input_is_named(
    engine: EmbeddedEngine, model: str, inputs: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        await engine.infer(model, inputs)
    assert not caught.value.retryable


async def test_unknown_model(engine: EmbeddedEngine) -> None:
    with pytest.raises(ModelNotFound, match=r"no model 'nope' .*it has .*face_features"):
        await engine.infer("nope", {})


async def test_event_loop_runs_on_during_inference(engine: EmbeddedEngine) -> None:
    # A busy machine may let all of one inference pass before it comes to the loop again.
    for _ in range(50):
        turns = 0
        call = asyncio.ensure_future(engine.infer("face_features", {"FRAMES": crops(64)}))
        while not call.done():
            turns += 1
            await asyncio.sleep(0)
        if turns > 10:
            return
    pytest.fail("the loop stands still while a model runs")


async def test_full_queue_is_refused_and_empties(repo: Path) -> None:
    engine = EmbeddedEngine(ModelRepository.load(repo), workers=1, max_pending=2)
    calls = [engine.infer("face_features", {"FRAMES": crops(8)}) for _ in range(8)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [a for a in answers if isinstance(a, EngineBusy)]
    assert len(refused) == 5
    assert refused[0].retryable
    assert "the limit is 3" in str(refused[0])
    assert len(await engine.infer("face_features", {"FRAMES": crops(1)})) == 2
    await engine.close()


async def test_caller_that_gives_up_leaves_the_engine_well(engine: EmbeddedEngine) -> None:
    call = asyncio.ensure_future(engine.infer("face_features", {"FRAMES": crops(32)}))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await engine.probe()


async def test_closed_engine_is_unavailable(repo: Path) -> None:
    engine = open_engine("embedded", repo)
    await engine.probe()
    await engine.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.infer("face_features", {"FRAMES": crops(1)})
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.probe()


async def test_what_every_crop_needs_is_opened_side_by_side_before_the_first_comes(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    both = threading.Barrier(2, timeout=30)

    def noting(path: Path, *how: Any) -> Any:
        both.wait()
        opened.append(path.parent.parent.name)
        return open_session(path, *how)

    monkeypatch.setattr(embedded, "open_session", noting)
    engine = EmbeddedEngine(ModelRepository.load(repo))
    await engine.start()
    async with asyncio.timeout(30):
        while len(opened) < 2:
            await asyncio.sleep(0.01)
    await engine.infer("face_features", {"FRAMES": crops(1)})
    assert sorted(opened) == ["one_encoder", "two_encoder"]
    await engine.close()


def test_heat_map_models_run_as_written_and_the_others_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: dict[str, Any] = {}

    def noting(path: Path, *how: Any) -> Any:
        sessions[path.parent.parent.name] = session = open_session(path, *how)
        return session

    monkeypatch.setattr(embedded, "open_session", noting)
    repo = tiny_repository(tmp_path / "models", ("one",), maps=True)
    engine = EmbeddedEngine(ModelRepository.load(repo), workers=2)
    found = engine.run("one_map", {"FRAMES": crops(2)})
    engine.run("one_encoder", {"FRAMES": crops(1)})
    told = {name: one.get_session_options() for name, one in sessions.items()}
    levels = ort.GraphOptimizationLevel
    assert told["one_map"].graph_optimization_level == levels.ORT_DISABLE_ALL
    assert told["one_encoder"].graph_optimization_level == levels.ORT_ENABLE_ALL
    assert told["one_map"].intra_op_num_threads == 2, "what is waited for takes all workers' cores"
    assert told["one_encoder"].intra_op_num_threads == 1
    prepared = open_session(repo / "one_map" / "1" / "model.onnx")
    wanted = prepared.run(["MAP", "GRADIENT"], {"FRAMES": crops(2)})
    np.testing.assert_allclose(found["MAP"], wanted[0], atol=1e-6)
    np.testing.assert_allclose(found["GRADIENT"], wanted[1], atol=1e-6)


async def test_a_model_that_does_not_load_is_told_of_where_it_is_asked(tmp_path: Path) -> None:
    broken = tiny_repository(tmp_path / "models", ("one",))
    (broken / "one_encoder" / "1" / "model.onnx").write_bytes(b"no model")
    engine = EmbeddedEngine(ModelRepository.load(broken))
    await engine.start()
    with pytest.raises(EngineUnavailable, match=r"cannot load .*one_encoder"):
        await engine.infer("face_features", {"FRAMES": crops(1)})
    await engine.close()


async def test_probe_notices_a_model_that_does_not_load(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path)
    (repo / "vote" / "1" / "model.onnx").write_bytes(b"no model")
    engine = open_engine("embedded", repo)
    with pytest.raises(EngineUnavailable, match=r"cannot load .*vote"):
        await engine.probe()
    await engine.close()


async def test_probe_notices_an_answer_that_is_not_finite(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path)
    path = repo / "vote" / "1" / "model.onnx"
    model: ModelProto = load(str(path))
    for node in model.graph.node:
        if node.output[0] == "PROBABILITY":
            node.output[0] = "one"
    model.graph.node.append(helper.make_node("Sub", ["one", "one"], ["zero"]))
    model.graph.node.append(helper.make_node("Div", ["zero", "zero"], ["PROBABILITY"]))
    save(model, str(path))
    engine = open_engine("embedded", repo)
    with pytest.raises(EngineUnavailable, match="not finite"):
        await engine.probe()
    await engine.close()


async def test_quantised_file_is_used_only_when_the_config_says_so(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path)
    folder = repo / "tiny_encoder"
    model = load(str(folder / "1" / "model.onnx"))
    for node in model.graph.node:
        if node.op_type == "Tanh":
            node.op_type = "Sigmoid"  # another answer, to tell the two files apart
    save(model, str(folder / "1" / "model.int8.onnx"))
    frames = {"FRAMES": crops(1)}
    answers = []
    for parameter in ("", "model.int8.onnx"):
        if parameter:
            with (folder / "config.pbtxt").open("a") as config:
                config.write(
                    'parameters { key: "embedded_model_filename" '
                    f'value {{ string_value: "{parameter}" }} }}\n'
                )
        engine = open_engine("embedded", repo)
        answers.append((await engine.infer("tiny_encoder", frames))["FEATURES"])
        await engine.close()
    assert answers[0].min() < 0 <= answers[1].min()


@pytest.mark.parametrize(
    ("kind", "url", "message"),
    [("tensorrt", None, "'tensorrt'; it must be"), ("triton", None, "needs a triton_url")],
)
def test_engine_settings_that_make_no_sense(
    repo: Path, kind: str, url: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        open_engine(kind, repo, url)
