"""From a frames run to a member by the mean of its frames, judged beside one that serves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.tiny_repository import tiny_repository
from tests.support.tiny_shards import tiny_shards
from tests.support.training_sets import folder_set
from training.__main__ import main
from training.export.members import export_members
from training.judge.vote import Vote, Voter
from training.models.member import load_member


def test_members_are_judged_alone_together_and_joined(tmp_path: Path) -> None:
    shards = str(tiny_shards(tmp_path / "shards"))
    repo, cache = tiny_repository(tmp_path / "models", ("one",), ("points",)), tmp_path / "cache"
    data = ["--shards", shards, "--tiers", "clean", "--cache", str(cache)]
    fit = ["probe", "--models", str(repo), *data, "--run", str(tmp_path / "run")]
    assert main([*fit, "--name", "asked"]) == 0
    judge = ["judge", *data, "--swaps", "tiny", "--folds", "2"]
    members = ["--models", str(repo), "--members", str(tmp_path / "run" / "member.pt")]
    assert main([*judge, *members, "--out", str(tmp_path / "judged.json")]) == 0
    votes = json.loads((tmp_path / "judged.json").read_text())["votes"]
    first = ("one", "points", "one + points")
    assert set(votes) == {*first, *(f"{name} or asked" for name in first)}
    assert main([*judge, "--out", str(tmp_path / "none.json")]) == 2
    slower = [*judge, *members, "--rate", "one=5", "--out", str(tmp_path / "slower.json")]
    assert main(slower) == 0
    report = json.loads((tmp_path / "slower.json").read_text())
    assert report["sample_hz"] == {"one": 5.0, "asked": 5.0}
    assert report["votes"]["points"] == votes["points"]
    assert report["votes"]["one or asked"] != votes["one or asked"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_a_run_becomes_a_member_and_is_judged_as_it_serves(tmp_path: Path) -> None:
    root, shards, run = folder_set(tmp_path / "set", 6, 6), tmp_path / "shards", tmp_path / "run"
    extract = ["extract", str(root), "--layout", "folders", "--out", str(shards)]
    assert main([*extract, "--sharpness", "0"]) == 0
    assert main(["splits", str(shards), "--shares", '{"train": 0.3, "dev": 0.7}']) == 0
    train = ["train", "--model", "mobilenetv2_mean", "--shards", str(shards), "--run", str(run)]
    train += ["--sharpness", "0"]
    mix = '{"blended": 2, "paired": 0, "given": 1, "stills": 0, "lips": 1.0}'
    assert main([*train, "--stage", "frames", "--steps", "1", "--size", "96", "--mix", mix]) == 0
    assert main([*train, "--stage", "mean"]) == 0
    made = load_member(run / "member.pt")
    assert made.facts["dev"] and made.dim == 256
    repo = tmp_path / "repo"
    export_members(repo, [made], Vote((Voter(made.name),)), "test", maps=False)
    judge = ["judge", "--shards", str(shards), "--tiers", "clean", "--sharpness", "0"]
    judge += ["--cache", str(tmp_path / "cache"), "--folds", "2"]
    found = []
    for name, source in (("file", ["--members", str(run / "member.pt")]),
                         ("served", ["--models", str(repo)])):  # fmt: skip
        out = tmp_path / f"{name}.json"
        assert main([*judge, *source, "--out", str(out)]) == 0
        votes = json.loads(out.read_text())["votes"]
        found.append(votes["mobilenetv2_mean"]["clean"]["videos"]["cross"])
    assert found[0] == found[1]
