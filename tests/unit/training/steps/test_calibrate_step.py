"""The calibrate step's refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.steps import calibrate


@pytest.mark.parametrize("option", ["--keep", "--pictures"])
def test_a_vote_is_kept_of_a_repository_alone(tmp_path: Path, option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} keeps .*name it with --models"):
        calibrate.main([option, "--shards", str(tmp_path), "--out", str(tmp_path / "vote.json")])
