from __future__ import annotations

from pathlib import Path

import pytest

from stream_server.engine import ModelRepository
from stream_server.engine.check import check_repository
from tests.support.tiny_repository import tiny_repository
from training.export.member_rate import check_settings, parse_setting
from training.judge.vote import Vote, Voter
from training.models.member import Member, save_member
from training.models.registry import feature_dim, make_encoder, make_head, parse
from training.steps.export import main


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return tiny_repository(
        tmp_path / "models", ("one", "two"), ("points",), readers={"both": ("one", "two")}
    )


def files(repo: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(repo)): path.read_bytes()
        for path in sorted(repo.rglob("*"))
        if path.is_file()
    }


def test_a_rate_comes_and_goes_and_leaves_no_trace(repo: Path) -> None:
    before = files(repo)
    assert main(["--repo", str(repo), "--rate", "one=5", "two=5"]) == 0
    assert ModelRepository.load(repo).rates == {"one": 5.0, "two": 5.0}
    changed = {name for name, data in files(repo).items() if before.get(name) != data}
    paced = {f"paced_verdict/{name}" for name in ("config.pbtxt", "members.txt", "1/.keep")}
    assert changed == {"one_encoder/config.pbtxt", "two_encoder/config.pbtxt", *paced}
    assert main(["--repo", str(repo), "--rate", "one=3.33", "two=3.33"]) == 0
    assert ModelRepository.load(repo).rates == {"one": 3.33, "two": 3.33}
    assert main(["--repo", str(repo), "--rate", "one=every", "two=every"]) == 0
    assert files(repo) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["one=5"], "both reads members that look at different rates: one 5 times a second, two"),
        (["points=5"], "points has no encoder"),
        (["three=5"], "three has no encoder"),
        (["one=0", "two=0"], "sample_hz is '0'"),
        (["one"], "'one' is not MEMBER=HZ or MEMBER=every"),
        (["=5"], "'=5' is not MEMBER=HZ"),
        ([], "none of --add, --remove, --rate and --calibration given"),
    ],
)
def test_what_cannot_be_set_changes_nothing(repo: Path, settings: list[str], message: str) -> None:
    before = files(repo)
    with pytest.raises(ValueError, match=message):
        main(["--repo", str(repo), "--rate", *settings])
    assert files(repo) == before


def test_members_that_come_or_go_need_a_vote(repo: Path) -> None:
    with pytest.raises(ValueError, match="--calibration names its file"):
        main(["--repo", str(repo), "--remove", "both", "--rate", "one=5"])


def test_a_member_that_comes_may_have_a_rate_from_the_start(repo: Path, tmp_path: Path) -> None:
    spec = parse("meso4_mean")
    encoder = make_encoder(spec)
    assert encoder is not None
    dim = feature_dim(encoder)
    member, vote = tmp_path / "member.pt", tmp_path / "vote.json"
    save_member(member, Member(spec.name, encoder, make_head(spec, dim), dim).eval(), {})
    Vote(tuple(Voter(name) for name in ("one", "two", "points", "both", spec.name))).save(vote, {})
    add = ["--repo", str(repo), "--add", str(member), "--no-maps", "--calibration", str(vote)]
    with pytest.raises(ValueError, match="sample_hz is '0', must be a number above 0"):
        main([*add, "--sample-hz", "0"])
    with pytest.raises(ValueError, match="--sample-hz is for the members of --add"):
        main(["--repo", str(repo), "--rate", "one=5", "two=5", "--sample-hz", "5"])
    assert not (repo / f"{spec.name}_encoder").exists()
    assert main([*add, "--sample-hz", "5", "--rate", "one=2.5", "two=2.5"]) == 0
    assert ModelRepository.load(repo).rates == {"one": 2.5, "two": 2.5, spec.name: 5.0}
    assert check_repository(repo) == []


def test_a_reader_that_goes_leaves_its_sources_free(repo: Path) -> None:
    check_settings(repo, {"one": 5.0}, removed=["both"])
    check_settings(repo, {"new": 5.0, "one": None}, added=["new"])


def test_settings() -> None:
    assert parse_setting("lite0=5") == ("lite0", 5.0)
    assert parse_setting("lite0=every") == ("lite0", None)
