"""The full repository: built by one command, served by the embedded engine, honest about itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from stream_server.cli import main as fakelight
from stream_server.engine import ModelRepository, open_engine
from stream_server.engine.check import check_repository
from stream_server.resources import models_dir
from stream_server.verdict import VerdictPolicy
from tests.support.server import running_server
from tests.support.tiny_repository import tiny_repository
from tests.support.tiny_shards import tiny_shards
from training.__main__ import main
from training.export import onnx_export
from training.export.full import UNTRAINED
from training.models.member import Member, save_member
from training.models.registry import feature_dim, make_encoder, make_head, parse


def member(path: Path, name: str, facts: dict[str, object]) -> Path:
    torch.manual_seed(0)
    spec = parse(name)
    encoder = make_encoder(spec)
    dim = feature_dim(encoder)
    save_member(path, Member(spec.name, encoder, make_head(spec, dim), dim).eval(), facts)
    return path


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repo = tmp_path_factory.mktemp("untrained") / "full"
    models = ["--models", "meso4_mean", "landmark_gru"]
    assert main(["full", "--repo", str(repo), "--untrained", *models]) == 0
    return repo


async def test_random_weights_are_served_for_load_tests(untrained: Path) -> None:
    repository = ModelRepository.load(untrained)
    assert repository.members == ("meso4_mean", "landmark_gru")
    assert repository.untrained == UNTRAINED
    engine = open_engine("embedded", untrained)
    answer = await engine.infer(
        "clip_verdict",
        {
            "FRAMES": np.zeros((3, 224, 224, 3), np.uint8),
            "LANDMARKS": np.full((3, 10), 100, np.float32),
        },
    )
    await engine.close()
    # Whatever it says, no face is called fake or real for it.
    policy = VerdictPolicy.from_parameters(repository.parameters)
    assert (policy.fake, policy.real) == (0.999, 0.001)
    assert 0.2 < float(answer["PROBABILITY"][0, 0]) < 0.8


def test_random_weights_are_named_wherever_a_person_looks(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fakelight(["models", "list", "--models", str(untrained)]) == 0
    assert f"UNTRAINED: {UNTRAINED}" in capsys.readouterr().out
    assert fakelight(["models", "list", "--models", str(models_dir())]) == 0
    assert "UNTRAINED" not in capsys.readouterr().out
    (tmp_path / "empty.mp4").touch()
    fakelight(["scan", str(tmp_path / "empty.mp4"), "--models", str(untrained)])
    assert f"UNTRAINED MODELS: {UNTRAINED}" in capsys.readouterr().err
    assert "Random weights, never trained" in (untrained / "MODEL_CARD.md").read_text()
    assert "random numbers" in (untrained / "LICENSE").read_text()


@pytest.mark.server
def test_the_server_warns_of_random_weights(untrained: Path) -> None:
    with running_server("--models", str(untrained)) as server:
        assert f"UNTRAINED MODELS: {UNTRAINED}" in server.output
        assert "trained on research-only data" not in server.output


def test_trained_members_get_a_vote_of_their_own(tmp_path: Path) -> None:
    shards = tiny_shards(tmp_path / "shards")
    path = member(tmp_path / "meso.pt", "meso4_mean", {"dev": {"tiny": 0.75}})
    repo = tmp_path / "full"
    arguments = ["full", "--repo", str(repo), "--members", str(path), "--shards", str(shards)]
    arguments += ["--cache", str(tmp_path / "cache"), "--tiers", "clean"]
    assert main(arguments) == 0
    assert check_repository(repo) == []
    repository = ModelRepository.load(repo)
    assert repository.members == ("meso4_mean",) and repository.untrained == ""
    assert 0 < float(repository.parameters["threshold_fake"]) < 1
    card = (repo / "MODEL_CARD.md").read_text()
    assert "| meso4_mean | 1.000 | tiny 0.750 |" in card and "Random" not in card
    assert (repo / "LICENSE").read_text() == (models_dir() / "LICENSE").read_text()
    (report,) = json.loads((repo / "parity.json").read_text())
    assert report["member"] == "meso4_mean" and len(report["parity"]) == 3
    assert main(arguments) == 0  # made anew in its own place
    assert [one.name for one in tmp_path.iterdir() if "full" in one.name] == ["full"]


def test_what_cannot_be_shipped_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*arguments: str) -> str:
        assert main(["full", "--repo", str(tmp_path / "full"), *arguments]) == 2
        assert not (tmp_path / "full").exists() and not list(tmp_path.glob("full*.part"))
        return capsys.readouterr().err

    path = str(member(tmp_path / "meso.pt", "meso4_mean", {}))
    assert "meso4_mean has no figures on dev" in refused("--members", path)
    assert "--members names no file" in refused()
    good = str(member(tmp_path / "good.pt", "meso4_mean", {"dev": {"tiny": 0.75}}))
    assert "neither --shards" in refused("--members", good)
    assert "names of their own" in refused("--members", good, good)
    assert "'odd_gru'" in refused("--untrained", "--models", "odd_gru")
    other = tmp_path / "other"
    other.mkdir()
    (other / "diary.txt").write_text("mine")
    assert main(["full", "--repo", str(other), "--untrained"]) == 2
    assert "is no model repository; it is left alone" in capsys.readouterr().err
    assert (other / "diary.txt").read_text() == "mine"


def test_weights_beside_the_model_file_are_served(tmp_path: Path) -> None:
    """ONNX's external data, which models of over 2 GB need, works in the embedded engine."""
    repo = tiny_repository(tmp_path)
    path = repo / "tiny_encoder" / "1" / "model.onnx"
    model = onnx.load(str(path))
    path.unlink()
    onnx.save_model(
        model,
        str(path),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="model.onnx.data",
        size_threshold=0,
    )
    assert path.with_name("model.onnx.data").stat().st_size > 0
    assert check_repository(repo) == []


def test_a_model_too_large_for_one_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "_MAX_BYTES", 1000)
    encoder = torch.nn.Linear(30, 30)
    with pytest.raises(ValueError, match=r"Linear has 0\.00 GB of weights; one ONNX file holds"):
        onnx_export.export_module(encoder, {"X": np.zeros((2, 30), np.float32)}, "Y")
