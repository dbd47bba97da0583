"""When the cost of winning a customer is back, and how often it is covered."""

from __future__ import annotations

import math

import pytest

from cxsim.cohorts import payback, worth_per_cost
from cxsim.errors import DataError


def test_the_month_of_payback_is_interpolated_on_margin():
    # 60 % of 40, 46, 51, 55; 30 lies 2.4 of the 3 between 27.6 and 30.6.
    margin = [0.6 * revenue for revenue in (40.0, 46.0, 51.0, 55.0)]
    assert payback(30.0, margin) == pytest.approx(1.8)


def test_a_first_order_that_covers_the_cost_pays_back_at_once_and_too_little_never():
    assert payback(24.0, [24.0, 27.6]) == 0.0
    assert payback(33.1, [24.0, 27.6, 30.6, 33.0]) is None
    assert payback(30.0, []) is None


def test_a_margin_that_is_not_known_ends_the_search():
    assert payback(30.0, [24.0, None, 40.0]) is None
    assert payback(30.0, [24.0, 36.0, None]) == pytest.approx(0.5)


def test_value_per_cost_says_another_thing_on_margin_than_on_revenue():
    assert worth_per_cost(30.0, 33.0) == pytest.approx(1.10)
    assert worth_per_cost(30.0, 55.0) == pytest.approx(1.8333, abs=5e-5)


@pytest.mark.parametrize("cac", [0.0, -1.0, math.nan, math.inf])
def test_a_cost_that_is_not_above_nothing_is_refused(cac):
    with pytest.raises(DataError, match=r"the cost of winning a customer is .*; it must be above 0"):
        payback(cac, [1.0])
    with pytest.raises(DataError, match="it must be above 0"):
        worth_per_cost(cac, 1.0)


def test_a_margin_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="the margin at month 1 is nan; it must be finite"):
        payback(30.0, [1.0, math.nan])
