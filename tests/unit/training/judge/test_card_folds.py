"""The judge step's figures as the model card shows them."""

from __future__ import annotations

from typing import Any

import pytest

from training.judge.card_folds import fold_tables, peer_tables


def found(mean: float) -> dict[str, Any]:
    return {
        "real": 40,
        "fake": 20,
        "makers": {"swap": mean, "lips": 0.5},
        "mean": mean,
        "worst": {"auc": 0.41, "where": "studio / lips"},
        "caught": 0.275,
        "called": {
            "reals_flagged": 0.016,
            "fakes_caught": 0.3,
            "fakes_called_real": 0.05,
            "decided": 0.5,
        },
        "ece": 0.0412,
    }


REPORT = {
    "folds": 5,
    "votes": {
        "one": {"clean": {"videos": found(0.6)}},
        "one + two or heads": {
            "clean": {"videos": found(0.8), "pictures": found(0.7)},
            "web": {"videos": found(0.75)},
        },
    },
}


def test_the_vote_of_the_members_is_shown_in_any_order() -> None:
    lines = fold_tables(REPORT, ["heads", "two", "one"])
    rows = [line for line in lines if line.startswith("| videos, clean")]
    assert rows == [
        "| videos, clean | 40 | 20 | 0.800 | 0.41 (studio / lips) | 28% | 50% | 5% | 1.6% | 0.041 |"
    ]
    assert "By 5 folds over people" in "\n".join(lines)


def test_every_maker_has_a_row_and_every_delivery_a_column() -> None:
    lines = fold_tables(REPORT, ["one", "two", "heads"])
    at = lines.index("| videos: fakes of, against the reals of each set alike | clean | web |")
    assert lines[at + 2 : at + 4] == ["| swap | 0.800 | 0.750 |", "| lips | 0.500 | 0.500 |"]
    assert "| pictures: fakes of, against the reals of each set alike | clean |" in lines


def test_members_that_were_not_judged_together_are_refused() -> None:
    with pytest.raises(ValueError, match="no vote of one, two"):
        fold_tables(REPORT, ["one", "two"])


def test_a_published_network_has_its_rows() -> None:
    lines = peer_tables({"Meso4_DF": {"votes": {"meso4_mean": {"web": {"videos": found(0.56)}}}}})
    assert lines[-1].startswith("| Meso4_DF, videos, web | 40 | 20 | 0.560 |")
    with pytest.raises(ValueError, match="Meso4_DF: 2 votes"):
        peer_tables({"Meso4_DF": REPORT})
