"""Mean orders by class of past frequency, observed and expected."""

from __future__ import annotations

import math

import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.validation.scoring import by_frequency
from cxsim.params import Z95


def outcomes(frequency, orders, customers=None):
    return pl.DataFrame(
        {
            "customer_id": list(range(len(frequency))) if customers is None else customers,
            "frequency": frequency,
            "orders": [float(count) for count in orders],
            "nbd": [0.5] * len(frequency),
        }
    )


def test_means_and_intervals_are_those_reckoned_by_hand():
    row = by_frequency(outcomes([1, 1, 1, 1], [0, 1, 2, 5]), {"nbd": "NBD"}).row(0, named=True)
    half = Z95 * math.sqrt((4 + 1 + 0 + 9) / 3 / 4)
    assert (row["model"], row["frequency"], row["customers"], row["expected"]) == ("NBD", "1", 4, 0.5)
    assert_allclose([row["observed"], row["low"], row["high"]], [2.0, 2.0 - half, 2.0 + half])


def test_seven_repeat_orders_and_more_are_one_class():
    assert by_frequency(outcomes([7, 8, 30], [1, 2, 3]), {"nbd": "NBD"})["frequency"].to_list() == ["7+"]


def test_a_class_in_which_no_order_came_may_yet_have_a_mean_above_zero():
    row = by_frequency(outcomes([0] * 10, [0] * 10), {"nbd": "NBD"}).row(0, named=True)
    # With this mean, Poisson orders of ten customers are all missing in 5 % of cases.
    assert (row["observed"], row["low"]) == (0.0, 0.0)
    assert math.exp(-10 * row["high"]) == pytest.approx(0.05, abs=1e-12)


def test_a_class_of_one_customer_has_no_interval():
    row = by_frequency(outcomes([3, 3], [2, 4], customers=["a", "a"]), {"nbd": "NBD"}).row(0, named=True)
    assert (row["customers"], row["observed"], row["low"], row["high"]) == (2, 3.0, None, None)


def test_saying_everything_twice_of_the_same_customers_narrows_no_interval():
    once = outcomes([1, 1, 1, 1], [0, 1, 2, 5])
    twice = by_frequency(pl.concat([once, once]), {"nbd": "NBD"})
    assert_allclose(twice.select("low", "high").row(0), by_frequency(once, {"nbd": "NBD"}).select("low", "high").row(0))
