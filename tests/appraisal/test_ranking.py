"""Whether predicted value tells the valuable customers from the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cxsim.clv.validation.scoring import captured, normalised_gini, value_by_decile

REALISED = np.array([10.0, 0.0, 30.0, 0.0, 60.0])


def test_the_gini_is_that_reckoned_by_hand():
    # Order 30, 60, 10, 0, 0: shares 0.3, 0.9, 1, 1, 1; twice the area less one is 2 * 0.74 - 1. The best order, 60, 30,
    # 10, 0, 0, has shares 0.6, 0.9, 1, 1, 1 and 2 * 0.8 - 1.
    assert normalised_gini(np.array([3.0, 2.0, 5.0, 1.0, 4.0]), REALISED) == pytest.approx(0.48 / 0.6, abs=1e-12)


def test_the_best_order_with_hindsight_has_a_gini_of_one():
    assert normalised_gini(REALISED, REALISED) == 1.0


def test_the_most_perverse_order_of_two_kinds_has_a_gini_of_minus_one():
    assert normalised_gini(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == -1.0


def test_a_prediction_that_is_the_same_for_everyone_has_a_gini_of_nought():
    assert normalised_gini(np.ones(5), REALISED) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("realised", [np.zeros(5), np.full(5, 7.0)])
def test_where_all_realised_the_same_there_is_no_gini(realised):
    assert normalised_gini(np.arange(5.0), realised) is None


def test_the_top_fifth_captures_what_its_customer_realised():
    assert captured(np.array([3.0, 2.0, 5.0, 1.0, 4.0]), REALISED, 0.2) == pytest.approx(0.3, abs=1e-15)


def test_customers_of_equal_prediction_share_what_they_realised():
    # The two at the top hold 90 of 100 together; half of them hold 45.
    assert captured(np.array([0.0, 0.0, 1.0, 0.0, 1.0]), REALISED, 0.2) == pytest.approx(0.45, abs=1e-15)


def test_where_nothing_was_realised_nothing_is_captured():
    assert captured(np.arange(5.0), np.zeros(5), 0.1) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=40), st.randoms())
def test_deciles_depend_on_no_order_of_rows_and_lose_no_money(pairs, luck):
    shuffled = pairs.copy()
    luck.shuffle(shuffled)
    tables = [value_by_decile(*np.array(rows, dtype=np.float64).T) for rows in (pairs, shuffled)]
    # Sums of small whole numbers times tenths: rounding stays far below 1e-9.
    for name in ("predicted", "realised"):
        assert_allclose(tables[0][name], tables[1][name], atol=1e-9)
    assert_allclose(tables[0]["predicted"].sum(), sum(first for first, _ in pairs), atol=1e-9)
    assert_allclose(tables[0]["realised"].sum(), sum(second for _, second in pairs), atol=1e-9)


def test_twenty_customers_make_deciles_of_two():
    predicted = np.arange(20.0, 0.0, -1.0)
    table = value_by_decile(predicted, np.where(predicted > 18, 5.0, 1.0))
    assert table["customers"].to_list() == [2.0] * 10
    assert_allclose(table["predicted"], np.arange(39.0, 0.0, -4.0))
    assert_allclose(table["realised"], [10.0] + [2.0] * 9)
    assert_allclose(table["captured"][[0, 9]], [10 / 28, 1.0])
