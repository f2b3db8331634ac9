"""How single pictures are judged, written into a repository that stays as it is otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stream_server.engine.check import check_repository
from tests.support.tiny_repository import tiny_repository
from training.__main__ import main
from training.judge.served_vote import served_vote
from training.judge.vote import Vote, Voter


def contents(repo: Path) -> dict[str, bytes]:
    return {str(file.relative_to(repo)): file.read_bytes() for file in repo.rglob("*.*")}


def test_a_calibration_alone_writes_the_vote_of_pictures_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo, file = tiny_repository(tmp_path / "models", ("one", "two")), tmp_path / "vote.json"
    before, vote = contents(repo), served_vote(repo)
    export = ["export", "--repo", str(repo), "--calibration", str(file)]
    vote.save(file, {})
    assert main(export) == 2
    assert "has no vote for pictures to write" in capsys.readouterr().err
    for name, clears in (("one", 0.1), ("two", 0.0)):
        pictures = Vote((Voter(name, 0.7, -0.5, kind="either"),), 0.0, 0.75, clears)
        replace(vote, pictures=pictures).save(file, {})
        assert main(export) == 0
        assert served_vote(repo) == replace(vote, pictures=pictures)
        after = contents(repo)
        assert {key for key in after if after[key] != before.get(key)} == {"vote/config.pbtxt"}
        assert check_repository(repo) == []
