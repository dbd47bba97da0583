"""Medians: worked numbers, and what always holds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.errors import DataError
from cxsim.metrics.intervals import median_of, order_coverage

values = st.lists(st.integers(-50, 50), min_size=6, max_size=60)


def test_the_median_of_nine_is_that_worked_by_hand():
    estimate = median_of([3, 5, 8, 12, 15, 20, 31, 45, 240])
    assert (estimate.value, estimate.low, estimate.high) == (15, 5, 45)
    # Of 512 ways to lie below or above, 1 + 9 at each end leave the median out: 1 less 20 in 512.
    assert order_coverage(9, 2) == 0.9609375
    assert estimate.method == "order statistics 2 and 8 (96.1 %)"


def test_five_values_have_no_interval_for_their_median():
    estimate = median_of([3, 5, 8, 12, 15])
    # 1 - 2 / 2**5: even the smallest and the largest hold it too seldom.
    assert order_coverage(5, 1) == 0.9375
    assert (estimate.value, estimate.low, estimate.high) == (8, None, None)
    assert estimate.caution == "indicative: 5 units; too few for an interval at 95 %"


def test_six_values_do():
    # 1 - 2 / 2**6 = 0.96875
    assert (median_of([6, 5, 4, 3, 2, 1]).low, median_of([6, 5, 4, 3, 2, 1]).high) == (1, 6)


@given(st.integers(6, 5000), st.sampled_from([0.8, 0.95, 0.99, 0.999]))
def test_the_ends_of_a_median_are_the_nearest_that_reach_the_level(units, level):
    estimate = median_of(range(1, units + 1), level=level)
    if estimate.low is None:
        assert order_coverage(units, 1) < level
        return
    rank = int(estimate.low)
    assert estimate.high == units + 1 - rank
    assert order_coverage(units, rank) >= level - 1e-12
    assert rank + 1 > units / 2 or order_coverage(units, rank + 1) < level


@given(values, st.floats(0.5, 0.98))
def test_the_interval_holds_the_value_and_a_higher_level_is_never_narrower(numbers, level):
    narrow, wide = median_of(numbers, level=level), median_of(numbers, level=level + 0.01)
    if wide.low is not None:
        assert wide.low <= narrow.low <= narrow.value <= narrow.high <= wide.high


def test_nobody_has_no_median():
    assert (median_of([]).value, median_of([]).caution) == (None, "nobody")


def test_a_missing_value_is_refused():
    with pytest.raises(DataError, match="values must be finite numbers; found 1 of 2"):
        median_of([1, math.nan])


@pytest.mark.parametrize("rank", [0, 5])
def test_a_rank_beyond_the_middle_is_refused(rank):
    with pytest.raises(DataError, match=f"between 1 and half of the 9 units; found {rank}"):
        order_coverage(9, rank)
