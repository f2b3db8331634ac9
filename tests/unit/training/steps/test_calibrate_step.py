"""The calibrate step's refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.steps import calibrate


def test_weights_are_kept_of_a_repository_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name it with --models"):
        calibrate.main(["--keep", "--shards", str(tmp_path), "--out", str(tmp_path / "vote.json")])
