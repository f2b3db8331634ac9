"""Members that look less often: how a repository says so, and how it may not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stream_server.engine import EmbeddedEngine, ModelRepository, RepositoryError
from stream_server.engine.check import check_repository
from stream_server.engine.known_answers import KnownAnswers
from stream_server.engine.rates import length_for, parse_rate
from stream_server.explain.explainer import Explainer
from tests.support.tiny_repository import tiny_repository


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return tiny_repository(
        tmp_path / "models",
        ("one", "two", "three"),
        ("points",),
        maps=True,
        readers={"both": ("two", "three")},
        rates={"two": 5, "three": 5},
    )


@pytest.mark.parametrize("text", ["0", "-1", "", "fast", "nan", "inf", "60.1", "5 Hz"])
def test_what_is_no_rate_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"sample_hz is '{text}', must be a number above 0 and at"):
        parse_rate(text)


@pytest.mark.parametrize(("text", "rate"), [("5", 5.0), ("3.33", 3.33), ("60", 60.0)])
def test_rates(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


def test_a_repository_says_who_looks_less_often(repo: Path, tmp_path: Path) -> None:
    repository = ModelRepository.load(repo)
    assert repository.rates == {"two": 5.0, "three": 5.0}
    assert repository.verdict_model == "paced_verdict"
    wired = {step.model: step.inputs for step in repository.models["paced_verdict"].steps}
    assert wired["one_sequence"]["LENGTH"] == "LENGTH"
    assert wired["two_sequence"]["LENGTH"] == "LENGTH_two"
    assert wired["points_sequence"]["LENGTH"] == "LENGTH"
    assert wired["both_sequence"]["LENGTH"] == "LENGTH_three"  # as long as that of two
    assert repository.sequence_length == 100
    assert check_repository(repo) == []
    plain = ModelRepository.load(tiny_repository(tmp_path / "plain", ("one", "two")))
    assert plain.rates == {}
    assert plain.verdict_model == "sequence_verdict" and "paced_verdict" not in plain.models


def test_sequence_verdict_stays_as_it_is_without_rates(repo: Path, tmp_path: Path) -> None:
    plain = tiny_repository(
        tmp_path / "plain", ("one", "two", "three"), ("points",), maps=True,
        readers={"both": ("two", "three")},
    )  # fmt: skip
    for name in ("sequence_verdict", "clip_verdict", "face_features"):
        config = f"{name}/config.pbtxt"
        assert (repo / config).read_bytes() == (plain / config).read_bytes()


def test_where_every_member_has_a_rate_there_is_no_common_length(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path / "models", ("one", "two"), rates={"one": 5, "two": 2.5})
    repository = ModelRepository.load(repo)
    inputs = {tensor.name for tensor in repository.models["paced_verdict"].inputs}
    assert inputs == {"FEATURES_one", "FEATURES_two", "LENGTH_one", "LENGTH_two"}
    assert check_repository(repo) == []


@pytest.mark.parametrize(
    ("model", "old", "new", "message"),
    [
        ("two_encoder", '"5"', '"0"', "two_encoder: parameter sample_hz is '0', must be a number"),
        ("two_encoder", '"5"', '"often"', "sample_hz is 'often', must be a number above 0"),
        ("two_encoder", '"5"', '"61"', "sample_hz is '61', must .* at most 60"),
        ("two_encoder", '"5"', '"4"', "both_sequence reads members that look at different rates: "
         "three 5 times a second, two 4 times a second"),
        ("two_encoder", '"sample_hz"', '"other"', "step two_sequence: its LENGTH is LENGTH_two, "
         "must be LENGTH by sample_hz .* export --rate"),
        ("one_encoder", '"cudnn_conv_algo_search"', '"sample_hz"', "step one_sequence: its LENGTH "
         "is LENGTH, must be LENGTH_one"),
        ("two_sequence", '"cudnn_conv_algo_search"', '"sample_hz"', "two_sequence: parameter "
         "sample_hz belongs into the config of a member's encoder"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    repo: Path, model: str, old: str, new: str, message: str
) -> None:
    config = repo / model / "config.pbtxt"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    with pytest.raises(RepositoryError, match=message):
        ModelRepository.load(repo)
    assert [finding.model for finding in check_repository(repo)] == [""]


def test_a_length_is_that_of_what_is_read() -> None:
    rates = {"a": 5.0, "b": 5.0, "c": 2.0}
    assert length_for("x", ["FEATURES_z", "LANDMARKS"], rates) == "LENGTH"
    for read in (["FEATURES_a", "FEATURES_b"], ["FEATURES_b", "FEATURES_a"]):
        assert length_for("x", read, rates) == "LENGTH_a"
    with pytest.raises(ValueError, match="LANDMARKS at every sample, a 5 times a second"):
        length_for("x", ["FEATURES_a", "LANDMARKS"], rates)


async def test_a_clip_in_one_call_is_seen_whole_by_every_member(repo: Path) -> None:
    engine = EmbeddedEngine(ModelRepository.load(repo))
    crops = np.random.default_rng(0).integers(0, 256, (7, 224, 224, 3), dtype=np.uint8)
    points = np.full((7, 10), 3, np.float32)
    features = engine.run("face_features", {"FRAMES": crops})
    window = {name: np.zeros((1, 100, a.shape[1]), np.float32) for name, a in features.items()}
    window["LANDMARKS"] = np.zeros((1, 100, 10), np.float32)
    for name, array in {**features, "LANDMARKS": points}.items():
        window[name][0, :7] = array
    length = np.array([[7]], np.int32)
    wanted = engine.run("sequence_verdict", {**window, "LENGTH": length})
    own = {f"LENGTH{name}": length for name in ("", "_two", "_three")}
    paced = engine.run("paced_verdict", {**window, **own})
    got = engine.run("clip_verdict", {"FRAMES": crops, "LANDMARKS": points})
    for name, array in wanted.items():
        np.testing.assert_allclose(array, got[name], atol=1e-6)
        np.testing.assert_array_equal(array, paced[name])
    await engine.close()


async def test_probes_known_answers_and_heat_maps_are_as_ever(repo: Path) -> None:
    engine = EmbeddedEngine(ModelRepository.load(repo))
    await engine.probe()
    await KnownAnswers(engine).compare(engine)
    heat = await Explainer(engine).explain(np.full((224, 224, 3), 90, np.uint8))
    assert heat.members == ("one", "two", "three") and heat.grid.shape == (14, 14)
    await engine.close()
