"""What a soak makes of its readings."""

import pytest

from benchmarks.soak import growth, tenths


def test_only_the_second_half_counts_and_what_trembles_does_not_grow() -> None:
    times = [10.0 * number for number in range(200)]
    filling = [min(300 + number, 400) + (-1) ** number for number in range(200)]
    assert abs(growth(times, filling)) < 5
    leaking = [value + time / 3600 * 60 for value, time in zip(filling, times, strict=True)]
    assert growth(times, leaking) == pytest.approx(60, abs=5)


def test_a_trend_needs_readings() -> None:
    with pytest.raises(ValueError, match="3 readings"):
        growth([0, 1, 2], [5, 5, 5])


def test_the_means_of_each_tenth() -> None:
    assert tenths([float(number // 10) for number in range(100)]) == [float(n) for n in range(10)]
    assert tenths([1.0, 3.0]) == [1.0, 3.0]
