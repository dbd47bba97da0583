"""Ratios of sums over customers: worked numbers, linear regression, and what always holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.errors import DataError
from cxsim.metrics.intervals import CrossSums, RatioSums, ratio, ratio_correlation, ratio_error
from tests.by_unit import mean, ratio_of, ratio_sums

# Five customers: orders, revenue.
ORDERS, REVENUE = [2, 1, 3, 1, 1], [100, 30, 120, 90, 60]
customers = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 9)), min_size=2, max_size=30)


def cross(x1, n1, x2, n2) -> CrossSums:
    x1, n1, x2, n2 = (np.asarray(column, dtype=float) for column in (x1, n1, x2, n2))
    return CrossSums(xx=float(x1 @ x2), xn=float(x1 @ n2), nx=float(n1 @ x2), nn=float(n1 @ n2))


def test_mean_order_value_is_that_worked_by_hand():
    # e = revenue - 50 * orders = 0, -20, -30, 40, 10; their squares add up to 3000; 3000 / 4 / (5 * 1.6**2) = 58.59375.
    sums = RatioSums(units=5, x=400, n=8, xx=10_000 + 900 + 14_400 + 8_100 + 3_600, nn=16, xn=200 + 30 + 360 + 90 + 60)
    estimate = ratio(sums)
    assert estimate.value == 50
    assert ratio_error(sums) == pytest.approx(7.654655, abs=5e-7)
    assert (estimate.low, estimate.high) == pytest.approx((28.7473, 71.2527), abs=5e-5)
    assert estimate.units == 5


def test_orders_taken_for_independent_would_look_more_certain():
    orders = [40, 60, 30, 30, 40, 50, 90, 60]
    # Squares of deviations from 50: 100 + 100 + 400 + 400 + 100 + 0 + 1600 + 100 = 2800; 2800 / 7 = 400; / 8 = 50.
    assert ratio_error(ratio_sums(orders, [1] * 8)) == pytest.approx(7.071068, abs=5e-7)
    assert ratio_error(ratio_sums(REVENUE, ORDERS)) > 7.1


def test_revenue_per_customer_is_a_ratio_over_ones():
    sums = ratio_sums(REVENUE, [1] * 5)
    assert ratio(sums).value == 80
    # Deviations 20, -50, 40, 10, -20: 5000 / 4 / 5 = 250.
    assert ratio_error(sums) == pytest.approx(15.811388, abs=5e-7)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=30))
def test_a_ratio_over_ones_is_a_mean_with_students_interval(values):
    one, other = ratio_of(values, [1] * len(values)), mean(values)
    # Sums up to 3e7 cancel to 1e-16 of themselves, and whole numbers leave at least 0.5: a few 1e-8.
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), rel=1e-7, abs=1e-7)


@given(customers)
def test_the_interval_holds_the_ratio_in_its_middle(rows):
    estimate = ratio_of(*zip(*rows, strict=True))
    assert estimate.low <= estimate.value <= estimate.high
    assert estimate.value - estimate.low == pytest.approx(estimate.high - estimate.value, abs=1e-9)


@given(customers, st.floats(0.5, 0.98))
def test_a_higher_level_is_never_narrower(rows, level):
    x, n = zip(*rows, strict=True)
    assert ratio_of(x, n, level=level).low >= ratio_of(x, n, level=level + 0.01).low


def test_a_ratio_with_itself_goes_wholly_together():
    sums = ratio_sums(REVENUE, ORDERS)
    assert ratio_correlation(sums, sums, cross(REVENUE, ORDERS, REVENUE, ORDERS)) == pytest.approx(1)


def test_two_ratios_correlate_as_their_residuals_do():
    now, before = [5, 1, 4, 2, 3], [1, 1, 2, 1, 1]
    # 400 / 8 = 50: residuals 0, -20, -30, 40, 10. 15 / 6 = 2.5: residuals 2.5, -1.5, -1, -0.5, 0.5.
    # Products: 0 + 30 + 30 - 20 + 5 = 45; squares 3000 and 6.25 + 2.25 + 1 + 0.25 + 0.25 = 10.
    found = ratio_correlation(ratio_sums(REVENUE, ORDERS), ratio_sums(now, before), cross(REVENUE, ORDERS, now, before))
    assert found == pytest.approx(45 / math.sqrt(3000 * 10))


def test_ratios_of_different_customers_do_not_go_together():
    one, other = [100, 30, 0, 0], [0, 0, 120, 90]
    n1, n2 = [2, 1, 0, 0], [0, 0, 3, 1]
    assert ratio_correlation(ratio_sums(one, n1), ratio_sums(other, n2), cross(one, n1, other, n2)) == 0


def test_a_correlation_that_is_undefined_is_0():
    flat, nothing = ratio_sums([3, 3], [1, 1]), ratio_sums([0, 0], [0, 0])
    sums = ratio_sums([1, 2], [1, 1])
    assert ratio_correlation(sums, flat, cross([1, 2], [1, 1], [3, 3], [1, 1])) == 0
    assert ratio_correlation(sums, nothing, cross([1, 2], [1, 1], [0, 0], [0, 0])) == 0


def test_what_cannot_be_divided_has_no_value():
    estimate = ratio_of([0] * 40, [0] * 40)
    assert (estimate.value, estimate.low, estimate.caution) == (None, None, "nothing to divide by")
    assert ratio_of([], []).caution == "nobody"


def test_one_customer_has_a_value_and_no_interval():
    estimate = ratio_of([30], [2])
    assert (estimate.value, estimate.low, estimate.high) == (15, None, None)
    assert estimate.caution == "indicative: 1 unit"


def test_customers_who_are_all_alike_are_no_proof_of_certainty():
    assert ratio_of([10.1] * 40, [1] * 40).caution == "no spread between units"


def test_an_interval_is_cut_where_the_scale_ends():
    estimate = ratio_of([1] * 9 + [0], [1] * 10, scale=(0, 1))
    assert (estimate.high, estimate.caution) == (1, "indicative: 10 units; clipped at 1")


def test_a_standard_error_needs_two_units():
    with pytest.raises(DataError, match="2 units or more and a denominator; found 1 units, denominator 2"):
        ratio_error(ratio_sums([30], [2]))


def test_negative_sums_of_squares_are_refused():
    with pytest.raises(DataError, match="must not be negative; found units 1, xx -1, nn 1"):
        RatioSums(units=1, x=1, n=1, xx=-1, nn=1, xn=1)
