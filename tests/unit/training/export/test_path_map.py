"""The map of a DINOv2 member: along the way from the usual real face, and once exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import nn

from stream_server.engine.repository import read_config
from tests.support.tiny_shards import tiny_shards
from training.__main__ import main
from training.data.manifest import Manifest
from training.export.members import export_member, place_path_map
from training.export.path_map import PathMap, path_map
from training.models.dino import DinoEncoder
from training.models.encoder import as_input
from training.models.heads import SequenceHead
from training.models.member import Member
from training.models.served_dino import served_encoder, served_mean


def crops(count: int, seed: int = 5) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 7, 7, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(32, 1).repeat(32, 2))


@pytest.fixture(scope="module")
def member() -> Member:
    torch.manual_seed(0)
    encoder, head = DinoEncoder(blocks=2), SequenceHead(768, "mean")
    with torch.no_grad():
        for name, part in encoder.named_parameters():
            if name.endswith("gamma"):
                part.fill_(0.5)  # as in a trained tower, where blocks change something
            part.add_(0.01 * torch.randn_like(part))  # the exporter joins weights that are the same
    nn.init.normal_(head.frame.weight, std=0.2)
    return Member("dinov2_mean", encoder, head, 768).eval()


def test_the_two_halves_are_the_whole(member: Member) -> None:
    image = as_input(torch.from_numpy(crops(2)))
    assert isinstance(member.encoder, DinoEncoder)
    with torch.no_grad():
        found = member.encoder.leaving(member.encoder.entering(image))
        assert torch.allclose(found, member.encoder(image), atol=1e-5)


def test_what_the_places_gain_is_what_the_logit_gains(member: Member) -> None:
    assert isinstance(member.encoder, DinoEncoder)
    reals = crops(5, 1)
    made = PathMap.of_reals(member.encoder, member.head, reals)
    with torch.no_grad():
        tokens = member.encoder.entering(as_input(torch.from_numpy(crops(1))))
        near = made.usual + 0.02 * (tokens - made.usual)  # where two stops are enough
        near[:, 0] = made.usual[:, 0]
        gain = float(made.score(near) - made.score(made.usual))
    bare = PathMap(member.encoder, member.head, made.usual)
    slopes = torch.autograd.grad(
        bare.score(path := bare.path(near).requires_grad_(True)).sum(), path
    )[0]
    each = ((near - bare.usual) * slopes.mean(0))[:, 1:].sum()
    assert float(each) == pytest.approx(gain, rel=0.02)
    peaks = [float(made.of_crops(one[None]).max()) for one in reals]
    assert sorted(peaks)[3] == pytest.approx(0, abs=1e-5), "three of four reals show nothing"


def test_onnx_runtime_finds_what_pytorch_finds(member: Member) -> None:
    assert isinstance(member.encoder, DinoEncoder)
    heat, wanted = path_map(member.encoder, member.head, crops(3, 1))
    assert heat.shape == (1, 13, 13) and heat.view == pytest.approx(182 / 224)
    session = ort.InferenceSession(
        heat.model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    maps, gradient = session.run(["MAP", "GRADIENT"], {"FRAMES": crops(2)})
    assert maps.shape == (2, 1, 13, 13) and gradient.tolist() == [[1.0], [1.0]]
    expected = wanted.of_crops(crops(2))
    assert np.abs(maps[:, 0] - expected).max() < 0.03 * np.abs(expected).max()
    alone = session.run(["MAP"], {"FRAMES": crops(2)[1:]})[0]
    assert np.allclose(alone, maps[1:], atol=1e-5)


@pytest.fixture(scope="module")
def served(member: Member, tmp_path_factory: pytest.TempPathFactory) -> Path:
    repo = tmp_path_factory.mktemp("models")
    export_member(repo, member, fp16=False)
    return repo


@pytest.mark.slow
def test_a_served_member_gets_its_map(member: Member, served: Path) -> None:
    encoder = served_encoder(served / "dinov2_mean_encoder" / "1" / "model.onnx")
    head = served_mean(served / "dinov2_mean_sequence" / "1" / "model.onnx")
    with torch.no_grad():
        image = as_input(torch.from_numpy(crops(1)))
        assert member.encoder is not None
        wanted = member.encoder(image)
        assert torch.allclose(encoder(image), wanted, atol=0.01 * float(wanted.abs().max()))
    assert torch.equal(head.frame.weight, member.head.frame.weight)
    assert "peak from PyTorch's" in place_path_map(served, "dinov2_mean", crops(3, 1))
    config = read_config(served / "dinov2_mean_map" / "config.pbtxt")
    assert float(config.parameters["view"]) == pytest.approx(182 / 224)
    with pytest.raises(ValueError, match="inf of their peak"):  # nothing to hold the map against
        place_path_map(served, "dinov2_mean", crops(1))
    with pytest.raises(ValueError, match="has no encoder"):
        place_path_map(served, "landmark_gru", crops(1))
    with pytest.raises(ValueError, match="holds no DINOv2 tower"):
        served_encoder(served / "dinov2_mean_sequence" / "1" / "model.onnx")
    with pytest.raises(ValueError, match="more than the mean"):
        served_mean(served / "dinov2_mean_encoder" / "1" / "model.onnx")


def test_the_step_takes_real_faces_of_shards(
    served: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = tiny_shards(tmp_path / "shards", videos=5, frames=1, light=0.7)
    config = served / "dinov2_mean_map" / "config.pbtxt"
    config.unlink(missing_ok=True)
    step = ["heat", "dinov2_mean", "--repo", str(served), "--shards"]
    assert main([*step, str(shards), "--crops", "4"]) == 0
    assert "peak from PyTorch's" in (told := capsys.readouterr().out)
    assert told.endswith(", by 4 real faces of 1 sets\n")
    assert read_config(config).parameters["view"]
    manifest = Manifest.open(shards)
    rows = [row for row in manifest.rows if row.sample.label == "fake"]
    manifest.where(rows).write()
    assert main([*step, str(shards)]) == 2
    assert "holds no real face" in capsys.readouterr().err
