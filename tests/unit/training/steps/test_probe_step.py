"""From served encoders to a further member without one: probe, calibrate, export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_server.engine import ModelRepository
from stream_server.engine.check import check_repository
from tests.support.tiny_repository import tiny_repository
from tests.support.tiny_shards import tiny_shards
from training.__main__ import main
from training.judge.served_vote import served_vote
from training.judge.vote import Vote
from training.models.member import load_member


def test_a_probe_is_fitted_joined_and_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = str(tiny_shards(tmp_path / "shards"))
    repo = tiny_repository(tmp_path / "models", ("one", "two"), ("points",))
    models, cache = str(repo), str(tmp_path / "cache")
    member, vote = tmp_path / "run" / "member.pt", tmp_path / "vote.json"
    data = ["--shards", shards, "--cache", cache]
    fit = ["probe", "--models", models, *data, "--run", str(member.parent), "--tiers", "clean"]
    assert main([*fit, "--reads", "points"]) == 2
    assert "points has no encoder" in capsys.readouterr().err
    assert main(fit) == 0
    told = capsys.readouterr()
    assert "pictures: not both real and fake" in told.err
    assert json.loads(told.out)["videos"]["clean"]["green"] > 0.9
    probe = load_member(member)
    assert (probe.name, probe.kind, dict(probe.reads)) == (
        "generated_heads", "either", {"one": 8, "two": 9},
    )  # fmt: skip
    both = ["--models", models, "--members", str(member)]
    fitted = [*both, *data, "--tiers", "clean", "--swaps", "tiny", "--out", str(vote)]
    assert main(["calibrate", *fitted]) == 0
    assert [one.kind for one in Vote.load(vote).members] == ["weight"] * 3 + ["either"]
    assert main(["calibrate", *fitted, "--keep"]) == 0
    shipped, kept = served_vote(repo).members, Vote.load(vote).members
    assert [(one.scale, one.shift) for one in kept[:3]] == [
        (pytest.approx(one.scale), pytest.approx(one.shift)) for one in shipped
    ]
    shares = {one.weight / other.weight for one, other in zip(kept, shipped, strict=False)}
    assert max(shares) == pytest.approx(min(shares)), "steeper or flatter as a whole, no more"
    assert main(["export", "--repo", models, "--add", str(member), "--calibration", str(vote)]) == 0
    assert check_repository(repo) == []
    repository = ModelRepository.load(repo)
    assert repository.members == ("one", "two", "points", "generated_heads")
    capsys.readouterr()
    # The whole repository is judged as it is served.
    judged = ["--models", models, *data, "--tiers", "clean", "--calibration", str(vote)]
    assert main(["evaluate", *judged, "--out", str(tmp_path / "report")]) == 0
    report = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert report["members"] == list(repository.members)
    assert report["tiers"]["clean"]["members"]["generated_heads"]["tiny"] > 0.9
    assert main(["export", "--repo", models, "--remove", "two", "--calibration", str(vote)]) == 2
    assert "generated_heads reads its features" in capsys.readouterr().err
