"""Shares are bounded as Wilson (1927) says, and rows that are alike count as fewer."""

import numpy as np
import pytest

from bert_training.data.proof.shares import share_bounds


def bounds(part: list[float], whole: list[float]) -> tuple[float, float, float]:
    everything = np.zeros(len(part), dtype=np.int64)
    found = share_bounds(np.array(part), np.array(whole), everything, 1)
    return float(found.value[0]), *found.interval(0)


@pytest.mark.parametrize(
    ("right", "rows", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_cases_of_newcombe_1998(right: int, rows: int, low: float, high: float) -> None:
    part = [1.0] * right + [0.0] * (rows - right)
    assert bounds(part, [1.0] * rows) == pytest.approx((right / rows, low, high), abs=5e-5)


def test_of_nothing_everything_is_possible() -> None:
    assert bounds([], []) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("right", [0, 13, 20])
def test_copies_of_a_row_tell_nothing_more(right: int) -> None:
    single = [1.0] * right + [0.0] * (20 - right)
    copied = [5 * value for value in single]
    assert bounds(copied, [5.0] * 20) == pytest.approx(bounds(single, [1.0] * 20), rel=0.02)


def test_rows_of_a_unit_that_are_not_alike_count_in_full() -> None:
    single = bounds([1.0, 0.0] * 50, [1.0] * 100)
    assert bounds([1.0] * 50, [2.0] * 50) == pytest.approx(single)


def test_shares_of_groups_are_bounded_apart() -> None:
    found = share_bounds(np.array([1.0, 0, 1]), np.ones(3), np.array([0, 0, 2]), 3)
    assert found.value.tolist() == [0.5, 0.0, 1.0]
    assert (found.low[1], found.high[1]) == (0.0, 1.0)
    assert 0 < found.low[2] < 0.3
