"""Exporting PyTorch modules into the model repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime.transformers import float16
from torch import Tensor, nn
from torch.nn import functional

from stream_server.engine import EmbeddedEngine, ModelRepository, open_engine
from stream_server.engine.check import check_repository, file_stamp
from tests.support.tiny_repository import tiny_repository
from training.export.ensembles import write_ensembles
from training.export.graphs import vote_graph
from training.export.members import export_members
from training.export.onnx_export import ParityError, export_module, to_fp16, write_member
from training.export.repository_writer import member_names, remove_member, write_vote
from training.judge.vote import Vote, Voter, sigmoid
from training.models.contract import Kind
from training.models.encoder import ServedEncoder
from training.models.heads import Probe
from training.models.member import Member
from training.models.residual import ResidualEncoder

DIM = 12


class Encoder(nn.Module):
    """A small CNN that resizes and normalises inside, as real encoders do."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.SiLU(), nn.Conv2d(8, DIM, 3),
            nn.SiLU(), nn.Conv2d(DIM, DIM, 1),
        )  # fmt: skip

    def forward(self, frames: Tensor) -> Tensor:
        pixels = (frames.permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.22
        small = functional.interpolate(pixels, size=(32, 32), mode="bilinear", antialias=False)
        return self.body(small).mean(dim=(2, 3))


class Sequence(nn.Module):
    """An LSTM whose output is averaged up to LENGTH."""

    def __init__(self, masked: bool = True) -> None:
        super().__init__()
        self.lstm = nn.LSTM(DIM, 16, batch_first=True)
        self.head = nn.Linear(16, 1)
        self.masked = masked

    def forward(self, features: Tensor, length: Tensor) -> Tensor:
        states, _ = self.lstm(features)
        if not self.masked:
            return self.head(states.mean(dim=1)) / length
        steps = torch.arange(features.shape[1])
        mask = (steps[None] < length).to(states.dtype)[:, :, None]
        return self.head((states * mask).sum(dim=1) / length.clamp(min=1).to(states.dtype))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Encoder, Sequence]:
    torch.manual_seed(0)
    repo = tmp_path_factory.mktemp("models")
    encoder, sequence = Encoder().eval(), Sequence().eval()
    report = write_member(repo, "small", encoder, sequence, DIM)
    stored = "small_encoder, its weights stored in 16 bit"
    found = {parity.model: parity for parity in report.parity}
    assert set(found) == {"small_encoder", stored, "small_sequence"}
    for name, parity in found.items():
        assert parity.fp32 < 1e-5
        if name == stored:
            assert parity.fp16 is None, "its arithmetic is fp32"
        else:
            assert parity.fp16 is not None and 0 < parity.fp16 < 0.02
    assert any("small_encoder/1/model.fp16.onnx" in line for line in report.lines())
    write_vote(repo, Vote((Voter("small", 2.0, -0.5),), 0.0, 0.9, 0.2))
    write_ensembles(repo)
    return repo, encoder, sequence


def test_exported_repository_passes_its_check(exported: tuple[Path, Encoder, Sequence]) -> None:
    assert check_repository(exported[0]) == []
    repository = ModelRepository.load(exported[0])
    assert repository.members == ("small",)
    assert repository.feature_dims == {"small": DIM}
    assert repository.parameters["threshold_fake"] == "0.9"


async def test_engine_computes_what_pytorch_computes(
    exported: tuple[Path, Encoder, Sequence],
) -> None:
    repo, encoder, sequence = exported
    crops = np.random.default_rng(1).integers(0, 256, (9, 224, 224, 3), dtype=np.uint8)
    engine = open_engine("embedded", repo)
    answer = await engine.infer("clip_verdict", {"FRAMES": crops})
    await engine.close()
    with torch.inference_mode():
        features = encoder(torch.from_numpy(crops))[None]
        padded = functional.pad(features, (0, 0, 0, 91))
        logit = sequence(padded, torch.tensor([[9]], dtype=torch.int32))
        wanted = torch.sigmoid(2.0 * logit - 0.5)
    np.testing.assert_allclose(answer["PROBABILITY"], wanted.numpy(), atol=1e-5)
    np.testing.assert_allclose(answer["MEMBER_PROBABILITY"], wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize("kinds", [("weight", "weight"), ("weight", "either")])
def test_vote_graph_computes_what_the_vote_computes(kinds: tuple[Kind, Kind]) -> None:
    voters = [Voter(name, 1.5, -0.4, 0.8, kind) for name, kind in zip("ab", kinds, strict=True)]
    vote = Vote(tuple(voters), 0.3)
    session = onnxruntime.InferenceSession(
        vote_graph(vote).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    logits = np.array([[0, 3, -3, 9, 60, -60, -60], [0, -2, 4, -60, 60, -60, 9]], np.float32)
    feed = {f"LOGIT_{name}": row[:, None] for name, row in zip("ab", logits, strict=True)}
    probability, each = session.run(["PROBABILITY", "MEMBER_PROBABILITY"], feed)
    np.testing.assert_allclose(probability[:, 0], vote.probability(logits), atol=1e-6)
    np.testing.assert_allclose(each, sigmoid(1.5 * logits.T.astype(np.float64) - 0.4), atol=1e-6)


def test_member_that_reads_others_is_exported(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path, ("one", "two"))
    torch.manual_seed(0)
    probe = Probe((8, 9)).eval()
    for layer in (probe.moving, probe.still):
        layer.linear.reset_parameters()
    facts: dict[str, object] = {}
    member = Member("heads", None, probe, 17, facts, {"one": 8, "two": 9})
    voters = (Voter("one", 1.5), Voter("two"), Voter("heads", 2.0, -1.0, kind="either"))
    with pytest.raises(ValueError, match="heads was not fitted on the encoder of one"):
        export_members(repo, [member], Vote(voters), "made up")
    facts["fitted_on"] = {
        name: file_stamp(repo / f"{name}_encoder" / "1" / "model.onnx") for name in ("one", "two")
    }
    (report,) = export_members(repo, [member], Vote(voters), "made up")
    assert report.parity[0].model == "heads_sequence" and report.parity[0].fp32 < 1e-5
    assert "heads_map: none, the member has no encoder of its own" in report.lines()
    assert check_repository(repo) == []
    crops = np.random.default_rng(1).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    engine = EmbeddedEngine(ModelRepository.load(repo))
    features = engine.run("face_features", {"FRAMES": crops})
    means = [torch.from_numpy(features[f"FEATURES_{name}"])[None] for name in ("one", "two")]
    with torch.inference_mode():
        logit = float(probe(*means, torch.tensor([[3]])))
    answer = engine.run("clip_verdict", {"FRAMES": crops})
    p, q = answer["PROBABILITY"][0, 0], answer["MEMBER_PROBABILITY"][0, 2]
    assert q == pytest.approx(1 / (1 + np.exp(1.0 - 2.0 * logit)), abs=1e-5)
    assert p > q


def test_graphs_are_old_enough_for_the_production_runtime(
    exported: tuple[Path, Encoder, Sequence],
) -> None:
    files = sorted(exported[0].glob("*/1/*.onnx"))
    assert len(files) == 6
    for path in files:
        model = onnx.load(str(path))
        assert model.ir_version <= 10
        assert max(i.version for i in model.opset_import if i.domain == "") <= 21
        for tensor in (*model.graph.input, *model.graph.output):
            assert tensor.type.tensor_type.elem_type != onnx.TensorProto.FLOAT16
    half = onnx.load(str(exported[0] / "small_encoder/1/model.fp16.onnx"))
    assert {w.data_type for w in half.graph.initializer} >= {onnx.TensorProto.FLOAT16}


def test_fp16_leaves_the_finest_traces_to_high_pass_filters() -> None:
    # Near white a half is a sixteenth of a grey level: rounded there, a smooth picture turns noisy.
    torch.manual_seed(0)
    encoder = ServedEncoder(ResidualEncoder()).eval()
    bright = np.random.default_rng(3).normal(238, 0.3, (2, 224, 224, 3)).round().astype(np.uint8)
    model = export_module(encoder, {"FRAMES": bright}, "FEATURES")
    naive = onnx.ModelProto()
    naive.CopyFrom(model)
    naive = float16.convert_float_to_float16(naive, keep_io_types=True)
    errors = []
    for half in (naive, to_fp16(model)):
        session = onnxruntime.InferenceSession(
            half.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        with torch.inference_mode():
            wanted = encoder(torch.from_numpy(bright)).numpy()
        errors.append(np.abs(session.run(None, {"FRAMES": bright})[0] - wanted).max())
    assert errors[1] < errors[0] / 5


def test_graphs_carry_no_source_paths(exported: tuple[Path, Encoder, Sequence]) -> None:
    here = str(Path(__file__).parent).encode()
    for path in exported[0].glob("*/1/*.onnx"):
        assert here not in path.read_bytes()


def test_head_that_looks_beyond_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="beyond LENGTH"):
        write_member(tmp_path, "small", Encoder(), Sequence(masked=False), DIM)
    assert list(tmp_path.iterdir()) == []


def test_head_that_ignores_length_is_refused(tmp_path: Path) -> None:
    class Deaf(nn.Module):
        def forward(self, features: Tensor, length: Tensor) -> Tensor:
            return features.mean(dim=(1, 2))[:, None]

    with pytest.raises(ParityError, match="does not use its input LENGTH"):
        write_member(tmp_path, "deaf", Encoder(), Deaf(), DIM)


def test_module_that_fixes_its_batch_is_refused(tmp_path: Path) -> None:
    class Fixed(nn.Module):
        def forward(self, frames: Tensor) -> Tensor:
            return frames.float().mean(dim=(1, 2)).reshape(3, 3)[: frames.shape[0]]

    model = export_module(Fixed(), {"FRAMES": np.zeros((3, 224, 224, 3), np.uint8)}, "FEATURES")
    assert model.graph.output[0].name == "FEATURES"
    with pytest.raises(Exception, match=r"shape|Reshape|size"):
        write_member(tmp_path, "fixed", Fixed(), Sequence(), 3)


def test_member_is_added_and_removed_again(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path, ("one",))
    before = {p: p.read_bytes() for p in repo.rglob("*") if p.is_file()}
    write_member(repo, "small", Encoder(), Sequence(), DIM, fp16=False)
    assert member_names(repo) == ["one", "small"]
    write_vote(repo, Vote((Voter("one", 1.5), Voter("small")), 0.05, 0.9, 0.2))
    write_ensembles(repo)
    assert ModelRepository.load(repo).members == ("one", "small")
    assert check_repository(repo) == []
    assert remove_member(repo, "small")
    assert not remove_member(repo, "small")
    tiny_repository(repo, ("one",))
    assert {p: p.read_bytes() for p in repo.rglob("*") if p.is_file()} == before
