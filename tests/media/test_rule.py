"""Whatever is put together: a clean bill is given only where all was looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.media.hidden import (
    Maker,
    begins_within_a_group,
    clock_that_runs_over,
    clock_that_stumbles,
    cover,
    cut_off_and_joined,
    encrypted,
    fragments_whose_clock_starts_again,
    fragments_with_a_false_index,
    gap_and_second_stream,
    interlaced,
    joined_and_cut_off,
    other_parameters_in_the_middle,
    other_size_and_rate_in_between,
    ten_bits,
    trimmed_by_edit_list,
    turned_and_squeezed,
    under_long_sound,
    uneven,
    with_many_references,
)
from tests.media.hidden_pictures import (
    frames_of_no_length,
    instead_of_a_moving_png,
    moving_avif,
    raw_picture,
)
from tests.media.made import genuine, swapped
from tests.support.scanning import ScanCommand

SEEN: tuple[Maker, ...] = (
    gap_and_second_stream,
    cut_off_and_joined,
    under_long_sound,
    cover,
    interlaced,
    ten_bits,
    turned_and_squeezed,
    uneven,
    with_many_references,
    trimmed_by_edit_list,
    fragments_with_a_false_index,
    frames_of_no_length,
    moving_avif,
    instead_of_a_moving_png,
    clock_that_stumbles,
    clock_that_runs_over,
    fragments_whose_clock_starts_again,
    other_size_and_rate_in_between,
)
"""What is hidden can be found."""

UNSEEN: tuple[Maker, ...] = (
    joined_and_cut_off,
    raw_picture,
    begins_within_a_group,
    encrypted(first_half=True),
    encrypted(first_half=False),
    other_parameters_in_the_middle,
)
"""What is hidden cannot be read."""


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
