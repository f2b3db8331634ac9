"""What the model card says of single pictures."""

from __future__ import annotations

import pytest

from training.judge.card_pictures import picture_tables

CALIBRATION = {
    "pictures": {"threshold_fake": 0.81, "threshold_real": 0.0},
    "figures": {
        "pictures": {
            "members": ["one", "two"], "real": 90, "fake": 60,
            "reals_flagged": 0.024, "reals_flagged_by_set": {"station": 0.025},
            "fakes_flagged": 0.31, "fakes_flagged_by_maker": {"swaps": 0.5, "made": 0.12},
            "fakes_flagged_by_unmet_maker": {"swaps": 0.45, "made": 0.01},
            "could_be_called_real": {"reals": 0.08, "fakes_by_unmet_maker": {"made": 0.06}},
            "tiers": {"clean": {"reals_flagged": 0.024, "fakes_flagged": 0.31}},
        }
    },
}  # fmt: skip


def test_every_maker_and_every_set_has_a_row() -> None:
    lines = picture_tables(CALIBRATION)
    assert "| swaps | 50% | 45% |" in lines and "| made | 12% | 1% |" in lines
    assert "| station | 2.5% |" in lines
    text = " ".join(lines)
    assert "none is called likely real" in text and "31% of the fakes" in text
    assert "let 8% of the reals pass, and up to 6% of the fakes of a maker never met" in text


def test_a_line_for_likely_real_is_told() -> None:
    vote = {"threshold_fake": 0.81, "threshold_real": 0.12}
    assert "likely real up to 0.12" in " ".join(picture_tables({**CALIBRATION, "pictures": vote}))


def test_a_calibration_without_a_vote_for_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match="no vote for single pictures"):
        picture_tables({"figures": {"pictures": {"not_fitted": "too few"}}})
