"""Whatever is put together: a clean bill is given only where all was looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.media.hidden import SEEN, UNSEEN, Maker
from tests.media.made import genuine, swapped
from tests.support.scanning import ScanCommand


def name_of(maker: Maker) -> str:
    return getattr(maker, "__name__", str(maker)).replace("_", " ")


def is_clean(outcome: Any) -> bool:
    return outcome.status == 0 and outcome.found["verdict"] == "likely_real"


@pytest.mark.parametrize("maker", SEEN, ids=name_of)
def test_what_can_be_read_is_found(scan: ScanCommand, tmp_path: Path, maker: Maker) -> None:
    outcome = scan(maker(tmp_path, genuine(), swapped()))
    assert outcome.status == 3, outcome.err
    account = outcome.found["account"]
    told = account["looked_at_s"] + sum(one["seconds"] for one in account["left_out"])
    assert told == pytest.approx(account["seconds"], abs=0.05)


@pytest.mark.parametrize("maker", UNSEEN, ids=name_of)
@pytest.mark.parametrize("hidden", [swapped, genuine])
def test_what_cannot_be_read_is_no_clean_bill(
    scan: ScanCommand, tmp_path: Path, maker: Maker, hidden: Any
) -> None:
    outcome = scan(maker(tmp_path, genuine(), hidden()))
    assert not is_clean(outcome)
    if outcome.status != 2:
        assert outcome.found["status"] == "incomplete", outcome.found["account"]
        assert "Not all of it was looked at" in outcome.err.splitlines()[0]


@pytest.mark.parametrize(
    "maker", [one for one in SEEN if name_of(one) != "cut off and joined"][::3], ids=name_of
)
def test_what_is_genuine_throughout_gets_one(
    scan: ScanCommand, tmp_path: Path, maker: Maker
) -> None:
    """A rule that never gives a clean bill would be kept by saying nothing."""
    outcome = scan(maker(tmp_path, genuine(), genuine()))
    assert is_clean(outcome), outcome.err
    assert outcome.found["status"] == "complete"
