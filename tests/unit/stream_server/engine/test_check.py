"""``fakelight models check``: everything that can be wrong with a repository is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, load, numpy_helper, save

from stream_server.engine.check import check_repository, file_stamp
from stream_server.engine.onnx_header import read_header
from tests.support.tiny_repository import tiny_encoder, tiny_repository

PICTURES = {
    "picture_threshold_fake": "0.7", "picture_scale_tiny": "1", "picture_shift_tiny": "0",
}  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return tiny_repository(tmp_path, ("tiny",), ("points",))


def change(path: Path, how: Callable[[ModelProto], None]) -> None:
    model = load(str(path))
    how(model)
    save(model, str(path))


def rename_output(model: ModelProto, new: str) -> None:
    old = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = [new if name == old else name for name in node.output]
    model.graph.output[0].name = new


def test_good_repository_has_no_findings(repo: Path) -> None:
    assert check_repository(repo) == []


def test_readers_are_held_to_the_encoder_that_they_were_fitted_on(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path, ("tiny",), readers={"reader": ("tiny",)})
    encoder = repo / "tiny_encoder" / "1" / "model.onnx"
    with (repo / "reader_sequence" / "config.pbtxt").open("a") as config:
        stamp = file_stamp(encoder)
        config.write(f'parameters {{ key: "fitted_on_tiny" value {{ string_value: "{stamp}" }} }}')
    assert check_repository(repo) == []
    save(tiny_encoder(8, 77), str(encoder))
    (finding,) = check_repository(repo)
    assert str(finding) == (
        "reader_sequence: was fitted on other weights of tiny's encoder; fit it again"
    )


def test_heat_maps_are_held_to_the_encoder_that_they_were_made_of(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path, ("tiny",), maps=True)
    assert check_repository(repo) == []
    save(tiny_encoder(8, 77), str(repo / "tiny_encoder" / "1" / "model.onnx"))
    (finding,) = check_repository(repo)
    assert str(finding) == "tiny_map: was fitted on other weights of tiny's encoder; fit it again"


def test_not_a_repository(tmp_path: Path) -> None:
    (finding,) = check_repository(tmp_path / "nowhere")
    assert finding.model == ""
    assert "no such folder" in str(finding)


def test_header_is_what_onnx_reads(repo: Path) -> None:
    path = repo / "tiny_encoder" / "1" / "model.onnx"
    model = load(str(path))
    model.opset_import.append(helper.make_opsetid("com.example", 3))
    save(model, str(path))
    header = read_header(path)
    assert header.ir_version == model.ir_version
    assert header.opsets == {"": 17, "com.example": 3}


def set_opset(model: ModelProto) -> None:
    model.opset_import[0].version = 22


def set_ir(model: ModelProto) -> None:
    model.ir_version = 11


def ignore_length(model: ModelProto) -> None:
    for node in model.graph.node:
        if node.op_type == "Less":  # a mask that is always on
            node.input[1] = "always"
    always = np.array([[1000]], np.int32)
    model.graph.initializer.append(numpy_helper.from_array(always, "always"))


def average_over_batch(model: ModelProto) -> None:
    rename_output(model, "own")
    model.graph.node.append(helper.make_node("ReduceMean", ["own"], ["all"], axes=[0], keepdims=1))
    model.graph.node.append(helper.make_node("Add", ["own", "all"], ["FEATURES"]))
    model.graph.output[0].name = "FEATURES"


def constant_logit(model: ModelProto) -> None:
    rename_output(model, "own")
    model.graph.node.append(helper.make_node("Sub", ["own", "own"], ["LOGIT"]))
    model.graph.output[0].name = "LOGIT"


def divide_by_length(model: ModelProto) -> None:
    for node in model.graph.node:
        if node.op_type == "Max":
            node.op_type = "Identity"
            del node.input[1]


def other_width(model: ModelProto) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 9
    for weight in model.graph.initializer:
        if weight.name == "mix":
            weight.CopyFrom(numpy_helper.from_array(np.ones((3, 9), np.float32), "mix"))


def other_type(model: ModelProto) -> None:
    rename_output(model, "own")
    model.graph.node.append(helper.make_node("Cast", ["own"], ["LOGIT"], to=TensorProto.DOUBLE))
    model.graph.output[0].name = "LOGIT"
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE


@pytest.mark.parametrize(
    ("model", "how", "message"),
    [
        ("tiny_encoder", set_opset, "opset 22, the limit is 21"),
        ("tiny_encoder", set_ir, "IR version 11, the limit is 10"),
        ("tiny_encoder", lambda m: rename_output(m, "OTHER"), r"outputs are \['OTHER'\]"),
        ("tiny_encoder", other_width, r"output FEATURES is \[-1, 9\], config says \[-1, 8\]"),
        ("tiny_encoder", average_over_batch, "with the rows beside it"),
        ("tiny_sequence", other_type, "LOGIT is float64, config says float32"),
        ("tiny_sequence", ignore_length, "with the padding beyond LENGTH"),
        ("tiny_sequence", constant_logit, "does not depend on the samples"),
        ("tiny_sequence", divide_by_length, "not finite"),
    ],
)
def test_model_that_breaks_its_promise_is_found(
    repo: Path, model: str, how: Callable[[ModelProto], None], message: str
) -> None:
    change(repo / model / "1" / "model.onnx", how)
    findings = [str(f) for f in check_repository(repo)]
    assert findings
    assert any(f.startswith(f"{model}: ") for f in findings)
    assert any(re.search(message, f) for f in findings), findings


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"threshold_fake": "high"}, "threshold_fake is 'high'"),
        ({"threshold_real": "0.9"}, "0 <= real <= fake <= 1, are 0.9 and 0.8"),
        ({"threshold_fake": "nan"}, "are 0.3 and nan"),
        ({"weight_tiny": "nan"}, "weight_tiny is 'nan', must be a finite number"),
        ({"bias": "much"}, "bias is 'much', must be a finite number"),
        (PICTURES | {"picture_scale_tiny": "steep"}, "pictures: picture_scale_tiny is 'steep'"),
        (PICTURES | {"picture_scale_tiny": "nan"}, "pictures: picture_scale_tiny is 'nan'"),
        (PICTURES | {"picture_scale_tiny": "-1"}, "is '-1', must be a finite number above 0"),
        (PICTURES | {"picture_shift_tiny": "inf"}, "is 'inf', must be a finite number"),
        (PICTURES | {"picture_scale_typo": "1"}, "picture_scale_typo is '1', and no member"),
        (PICTURES | {"picture_treshold_real": "0.1"}, "picture_treshold_real is '0.1', and no"),
        (PICTURES | {"picture_threshold_fake": "2"}, "picture_threshold_fake is '2'"),
        (PICTURES | {"picture_threshold_real": "low"}, "picture_threshold_real is 'low'"),
        ({"picture_threshold_fake": "0.7"}, "picture_threshold_fake is '0.7', and no member"),
        ({"picture_shift_tiny": "1"}, "the vote's parameters have no picture_scale_tiny"),
        ({"picture_scale_tiny": "1"}, "the vote's parameters have no picture_shift_tiny"),
        (
            {"picture_scale_tiny": "1", "picture_shift_tiny": "1"},
            "for single pictures: the vote's parameters have no picture_threshold_fake",
        ),
    ],
)
def test_thresholds(tmp_path: Path, parameters: dict[str, str], message: str) -> None:
    repo = tiny_repository(tmp_path, parameters=parameters)
    (finding,) = check_repository(repo)
    assert message in str(finding)


def test_missing_and_damaged_files(repo: Path) -> None:
    (repo / "vote" / "1" / "model.onnx").unlink()
    encoder = repo / "tiny_encoder" / "1" / "model.onnx"
    encoder.write_bytes(encoder.read_bytes()[:-40])
    with (repo / "pack" / "config.pbtxt").open("a") as config:
        config.write('cc_model_filenames { key: "7.0" value: "model.fp16.onnx" }\n')
    found = {f.model: f.message for f in check_repository(repo)}
    assert found.keys() == {"vote", "tiny_encoder", "pack"}
    assert "No such file" in found["vote"]
    assert "model.fp16.onnx" in found["pack"]


def test_clip_verdict_must_agree(repo: Path) -> None:
    change(repo / "pack" / "1" / "model.onnx", pack_backwards)
    found = [str(f) for f in check_repository(repo)]
    assert found
    assert all(f.startswith("clip_verdict: ") for f in found)


def pack_backwards(model: ModelProto) -> None:
    for node in model.graph.node:
        if node.op_type == "Concat" and node.output[0] == "padded":
            node.input[:] = ["padding", "FEATURES"]
