"""Reading a model repository in Triton's layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_server.engine import ModelRepository, RepositoryError, TensorInfo
from tests.support.tiny_repository import (
    tiny_encoder,
    tiny_reader,
    tiny_repository,
    tiny_sequence,
)
from training.export.ensembles import write_ensembles
from training.export.graphs import vote_graph
from training.export.repository_writer import place_member, remove_member, write_vote
from training.judge.vote import Vote, Voter


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return tiny_repository(tmp_path / "models", ("one", "two"), ("points",))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_members_and_dimensions(repo: Path) -> None:
    repository = ModelRepository.load(repo)
    assert repository.members == ("one", "two", "points")
    assert repository.feature_dims == {"one": 8, "two": 9}
    assert repository.sequence_length == 100
    assert repository.crop_shape == (224, 224, 3)
    assert repository.uses_landmarks
    assert repository.parameters["threshold_fake"] == "0.8"


def test_repository_without_landmarks(tmp_path: Path) -> None:
    assert not ModelRepository.load(tiny_repository(tmp_path)).uses_landmarks


def test_members_that_read_the_features_of_others(tmp_path: Path) -> None:
    readers = {"both": ("one", "two"), "second": ("two",)}
    repo = tiny_repository(tmp_path, ("one", "two"), ("points",), readers=readers)
    repository = ModelRepository.load(repo)
    assert repository.members == ("one", "two", "points", "both", "second")
    assert repository.feature_dims == {"one": 8, "two": 9}
    steps = {step.model: step.inputs for step in repository.models["sequence_verdict"].steps}
    assert steps["both_sequence"] == {
        "FEATURES_one": "FEATURES_one", "FEATURES_two": "FEATURES_two", "LENGTH": "LENGTH",
    }  # fmt: skip
    steps = {step.model: step.inputs for step in repository.models["clip_verdict"].steps}
    assert steps["second_sequence"] == {"FEATURES_two": "PACKED_FEATURES_two", "LENGTH": "LENGTH"}
    with pytest.raises(ValueError, match=r"two cannot be removed .* both, second reads its"):
        remove_member(repo, "two")
    with pytest.raises(ValueError, match="both, second was fitted on the features of two"):
        place_member(repo, "two", tiny_sequence(9, 1), 9, tiny_encoder(9, 77))
    place_member(repo, "two", tiny_sequence(9, 1), 9, tiny_encoder(9, 1))  # the very same encoder
    with pytest.raises(ValueError, match="third reads 8 features of two, which gives 9"):
        place_member(repo, "third", tiny_reader({"two": 8}), {"two": 8})
    with pytest.raises(ValueError, match="third reads 10 features of points, which gives none"):
        place_member(repo, "third", tiny_reader({"points": 10}), {"points": 10})
    with pytest.raises(ValueError, match="has no encoder of its own"):
        place_member(repo, "third", tiny_reader({"two": 9}), {"two": 9}, tiny_encoder(9))
    for name in ("both", "second", "two"):
        assert remove_member(repo, name)
    assert not (repo / "both_sequence").exists()


def test_a_reader_needs_the_member_that_it_reads_in_the_vote(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path, ("one", "two"), readers={"both": ("one", "two")})
    write_vote(repo, Vote((Voter("one"), Voter("both"))))
    with pytest.raises(ValueError, match="both reads FEATURES_two, which no voting member gives"):
        write_ensembles(repo)


def test_names_kinds_tensors_and_labels(repo: Path) -> None:
    models = ModelRepository.load(repo).models
    assert list(models) == sorted(models)
    assert models["face_features"].kind == "ensemble"
    encoder = models["one_encoder"]
    assert encoder.kind == "model"
    assert encoder.inputs == (TensorInfo("FRAMES", "uint8", (-1, 224, 224, 3)),)
    assert encoder.outputs == (TensorInfo("FEATURES", "float32", (-1, 8)),)
    assert encoder.max_batch_size >= 100
    assert models["vote"].output("MEMBER_PROBABILITY").labels == ("one", "two", "points")
    assert models["clip_verdict"].outputs[0].shape == (1, 1)


def test_parameters_may_hold_any_text(tmp_path: Path) -> None:
    note = 'dev reals, "varied"\nC:\\data'
    repo = tiny_repository(tmp_path, parameters={"calibration": note})
    assert ModelRepository.load(repo).parameters["calibration"] == note


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("vote/config.pbtxt", "max_batch_size: 64", "max_batch_size: many", "vote/config.pbtxt"),
        ("vote/config.pbtxt", 'name: "vote"', 'name: "veto"', "'veto'.*folder is 'vote'"),
        ("vote/config.pbtxt", '"onnxruntime"', '"pytorch"', "backend is 'pytorch'"),
        ("vote/config.pbtxt", "TYPE_FP32", "TYPE_STRING", "supported: .*float32"),
        ("vote/members.txt", "two\n", "", "2 member labels for 3 members"),
        ("vote/config.pbtxt", "LOGIT_two", "LOGIT_2", "vote"),
        (
            "face_features/config.pbtxt",
            'model_name: "one_encoder"',
            'model_name: "gone_encoder"',
            "face_features, step gone_encoder: there is no such model",
        ),
        (
            "one_encoder/config.pbtxt",
            "dims: [ 8 ]",
            "dims: [ 7 ]",
            r"FEATURES_one is \(-1, 7\), FEATURES_one wants \(-1, 8\)",
        ),
        (
            "sequence_verdict/config.pbtxt",
            'input_map { key: "LENGTH" value: "LENGTH" }',
            "",
            "step one_sequence: input LENGTH gets nothing",
        ),
        (
            "sequence_verdict/config.pbtxt",
            'output_map { key: "LOGIT" value: "LOGIT_two" }',
            'output_map { key: "LOGIT" value: "LOGIT_one" }',
            "LOGIT_two",
        ),
        (
            "face_features/config.pbtxt",
            "TYPE_UINT8",
            "TYPE_FP32",
            "FRAMES is float32, FRAMES wants uint8",
        ),
    ],
)
def test_broken_repository_is_refused_by_name(
    repo: Path, file: str, old: str, new: str, message: str
) -> None:
    edit(repo / file, old, new)
    with pytest.raises(RepositoryError, match=message):
        ModelRepository.load(repo)


def test_missing_pieces_are_named(repo: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="no such folder"):
        ModelRepository.load(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RepositoryError, match=r"no .*config\.pbtxt"):
        ModelRepository.load(empty)
    (repo / "vote" / "members.txt").unlink()
    with pytest.raises(RepositoryError, match="label file of MEMBER_PROBABILITY"):
        ModelRepository.load(repo)
    (repo / "vote" / "config.pbtxt").unlink()
    with pytest.raises(RepositoryError, match="no model 'vote'"):
        ModelRepository.load(repo)


def test_ensemble_steps_run_in_the_order_they_need(repo: Path) -> None:
    config = repo / "sequence_verdict" / "config.pbtxt"
    head, *steps = config.read_text().split("  step {")
    last = steps[-1].removesuffix("}\n")
    config.write_text("  step {".join([head, last, *steps[:-1]]) + "}\n")
    assert ModelRepository.load(repo).members == ("one", "two", "points")


@pytest.mark.parametrize("name", ["../vote", "One", "", "1st", "a-b"])
def test_member_names_that_are_no_folder_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="member name"):
        remove_member(tmp_path, name)


def test_writer_refuses_what_cannot_be_wired(tmp_path: Path) -> None:
    model = vote_graph(Vote((Voter("any"),)))
    with pytest.raises(ValueError, match="takes landmarks, 10 numbers a sample, not 12"):
        place_member(tmp_path, "points", model, 12)
    with pytest.raises(ValueError, match="names of their own"):
        Vote((Voter("one"), Voter("one")))
    with pytest.raises(ValueError, match="must be finite"):
        Vote((Voter("one", scale=float("nan")),))
    with pytest.raises(ValueError, match=r"<= 1, are 0\.9 and 0\.8"):
        Vote((Voter("one"),), threshold_real=0.9)
    write_vote(tmp_path, Vote((Voter("ghost"),)))
    with pytest.raises(ValueError, match="names ghost, which has no model"):
        write_ensembles(tmp_path)
    place_member(tmp_path, "ghost", model, 10)
    with pytest.raises(ValueError, match="no member has an encoder"):
        write_ensembles(tmp_path)
