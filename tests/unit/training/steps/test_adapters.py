"""The adapters that the repository carries fit the nets that they were trained for."""

import json
from pathlib import Path

import pytest
import timm
import torch

from stream_server.resources import models_dir
from tests.support.paths import ROOT
from training.__main__ import main
from training.judge.vote import Vote
from training.models import dino
from training.models.member import load_member
from training.models.registry import make_encoder, parse
from training.models.served import served_members

ADAPTERS = ROOT / "training" / "adapters"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the place of DINOv2's, which come over a network alone."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("start") / "dino.pt"
    net = timm.create_model(dino.NET, num_classes=0, img_size=518)
    torch.save(net.state_dict(), path)
    return path


@pytest.mark.parametrize("name", ["dinov2_mean", "dinov2_whole_mean"])
def test_they_make_a_member_of_a_start(name: str, start: Path, tmp_path: Path) -> None:
    plan = json.loads((ADAPTERS / "plan.json").read_text())
    plan[name]["start"] = str(start)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert main(["assemble", "--plan", str(tmp_path / "plan.json"), "--net", name,
                 "--weights", str(ADAPTERS / f"{name}.pt"), "--out", str(tmp_path / "best.pt"),
                 "--member", str(tmp_path / "member.pt")]) == 0  # fmt: skip
    member = load_member(tmp_path / "member.pt")
    plain = make_encoder(parse(name), start)
    assert plain is not None and member.encoder is not None
    picture = torch.rand(1, 3, 224, 224) * 2 - 1
    with torch.no_grad():
        taught, untaught = member.encoder.eval()(picture), plain.eval()(picture)
    assert taught.shape == untaught.shape == (1, 768)
    assert torch.isfinite(taught).all() and not torch.allclose(taught, untaught, atol=0.1)


def test_their_vote_is_for_the_shipped_members_and_the_larger_one() -> None:
    vote = Vote.load(ADAPTERS / "vote.json")
    shipped = {member.name for member in served_members(models_dir())}
    assert {voter.name for voter in vote.members} == {*shipped, "dinov2_whole_mean"}
