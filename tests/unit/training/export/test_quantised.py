"""An encoder in 8 bit: nearly the same answers, and no face judged by those beside it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from stream_server.engine.check import check_repository
from stream_server.engine.embedded import EmbeddedEngine, open_session
from stream_server.engine.repository import ModelRepository
from tests.support.tiny_repository import tiny_repository
from training.export.graphs import make_model
from training.export.half_storage import brought_back, stored_in_half
from training.export.quantised import INT8_FILE, quantise, quantised
from training.models.served import served_members


def encoder(width: int = 64) -> onnx.ModelProto:
    """Each crop's colours through two products, the first one wide enough for 16 bit on disk."""
    random = np.random.default_rng(3)
    nodes = [
        helper.make_node("Cast", ["FRAMES"], ["frames"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["frames"], ["colour"], axes=[1], keepdims=0),
        helper.make_node("Reshape", ["colour", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "wide"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["bent"]),
        helper.make_node("MatMul", ["bent", "narrow"], ["FEATURES"]),
    ]
    return make_model(
        "encoder",
        nodes,
        {"FRAMES": (TensorProto.UINT8, ["N", 224, 224, 3])},
        {"FEATURES": (TensorProto.FLOAT, ["N", 8])},
        {
            "flat": np.array([0, 672], np.int64),
            "wide": random.normal(size=(672, width)).astype(np.float32),
            "narrow": random.normal(size=(width, 8)).astype(np.float32),
        },
    )


def crops(count: int) -> np.ndarray:
    """Some dark and some light, so that the range of a batch is not that of its rows."""
    random = np.random.default_rng(1)
    lightest = np.linspace(40, 255, count).astype(int)
    return np.stack([random.integers(0, top, (224, 224, 3), np.uint8) for top in lightest])


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = tiny_repository(tmp_path / "models")
    (made / "tiny_encoder" / "1" / "model.onnx").write_bytes(
        stored_in_half(encoder()).SerializeToString()
    )
    return made


def test_embedded_engine_runs_it_row_by_row(repo: Path) -> None:
    frames = crops(5)
    exact = EmbeddedEngine(ModelRepository.load(repo)).run("tiny_encoder", {"FRAMES": frames})
    sizes = quantise(repo, ["tiny"])
    models = ModelRepository.load(repo)
    spec = models.models["tiny_encoder"]
    assert spec.embedded_file.name == INT8_FILE
    assert sizes == {"tiny": spec.embedded_file.stat().st_size}
    assert sizes["tiny"] < 0.65 * spec.model_file.stat().st_size  # which has two bytes a weight

    engine = EmbeddedEngine(models)
    found = engine.run("tiny_encoder", {"FRAMES": frames})["FEATURES"]
    scale = np.abs(exact["FEATURES"]).max()
    assert 0 < np.abs(found - exact["FEATURES"]).max() < 0.03 * scale
    for row in range(5):
        alone = engine.run("tiny_encoder", {"FRAMES": frames[row : row + 1]})["FEATURES"]
        np.testing.assert_array_equal(alone, found[row : row + 1])
    together = open_session(spec.embedded_file).run(["FEATURES"], {"FRAMES": frames})[0]
    assert not np.array_equal(together, found)  # what the engine avoids
    assert check_repository(repo) == []


def test_a_second_time_changes_nothing(repo: Path) -> None:
    quantise(repo, ["tiny"])
    files = {path: path.read_bytes() for path in repo.rglob("*") if path.is_file()}
    quantise(repo, ["tiny"])
    assert files == {path: path.read_bytes() for path in repo.rglob("*") if path.is_file()}


def test_judging_takes_the_file_that_is_asked_for(repo: Path) -> None:
    quantise(repo, ["tiny"])
    frames, models = crops(3), ModelRepository.load(repo).models["tiny_encoder"]
    for embedded, path in ((False, models.model_file), (True, models.embedded_file)):
        [member] = served_members(repo, embedded)
        assert member.encoder is not None
        session = open_session(path)
        wanted = [session.run(["FEATURES"], {"FRAMES": one[None]})[0] for one in frames]
        np.testing.assert_array_equal(member.encoder.encode(frames), np.concatenate(wanted))


def test_weights_come_back_from_16_bit() -> None:
    model = encoder()
    back = brought_back(stored_in_half(model))
    assert [node.op_type for node in back.graph.node] == [n.op_type for n in model.graph.node]
    wide = next(one for one in back.graph.initializer if one.name == "wide")
    assert wide.data_type == TensorProto.FLOAT
    assert brought_back(model) == model


@pytest.mark.parametrize(
    ("name", "words"), [("nobody", "nobody has no encoder"), ("points", "points has no encoder")]
)
def test_members_without_an_encoder_are_named(name: str, words: str, tmp_path: Path) -> None:
    made = tiny_repository(tmp_path, ("tiny",), ("points",))
    with pytest.raises(ValueError, match=words):
        quantise(made, [name])


def test_a_network_without_products_is_refused() -> None:
    nodes = [
        helper.make_node("Cast", ["FRAMES"], ["frames"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["frames"], ["FEATURES"], axes=[1, 2], keepdims=0),
    ]
    frames = {"FRAMES": (TensorProto.UINT8, ["N", 224, 224, 3])}
    means = {"FEATURES": (TensorProto.FLOAT, ["N", 3])}
    with pytest.raises(ValueError, match="no matrix product"):
        quantised(make_model("means", nodes, frames, means, {}))
