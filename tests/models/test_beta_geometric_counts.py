"""The distribution of the number of orders under BG/NBD; times in weeks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.purchases import expected_purchases_new, purchase_probability_new
from cxsim.errors import DataError

PRINTED = BetaGeometricParams(r=0.243, alpha=4.414, a=0.793, b=2.426)  # Fader, Hardie & Lee (2005), table 2
FITTED = BetaGeometricParams(r=0.2425945224301569, alpha=4.4136020190135, a=0.7929220172256349, b=2.4259067768264777)

# Small r and large time make a tail of many orders, which the sums below would have to follow.
params = st.builds(
    BetaGeometricParams,
    r=st.floats(0.05, 3.0),
    alpha=st.floats(5.0, 50.0),
    a=st.floats(0.05, 5.0),
    b=st.floats(0.05, 5.0),
)


def test_counts_of_a_new_customer_agree_with_the_tests_of_lifetimes():
    printed = [
        0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638,
        0.0005517902, 0.0004361913, 0.0003467171, 0.0002769613, 0.0002222260,
    ]  # fmt: skip
    assert_allclose(
        purchase_probability_new(PRINTED, end=30, counts=np.arange(11, 21)), printed, atol=5.01e-11
    )  # ten decimals
    assert_allclose(purchase_probability_new(PRINTED, end=39, counts=0), 0.5737863520960094, rtol=1e-12)
    assert_allclose(purchase_probability_new(PRINTED, end=2, counts=10), 1.0786896403691478e-07, rtol=1e-11)


def test_counts_of_a_new_customer_agree_with_thirty_digit_arithmetic():
    recomputed = [
        0.6071103173120918, 0.1937119543800327, 0.08007902852887369, 0.0416660786380812,
        0.02440763218330687, 0.015395321314375434, 0.010217670095261311, 0.007038594161230667,
        0.004988531839049005, 0.003615790514599393, 0.0026687859892808915,
    ]  # fmt: skip
    # Sixteen digits less four, for the Beta functions.
    assert_allclose(purchase_probability_new(PRINTED, end=30, counts=np.arange(11)), recomputed, rtol=1e-12)


def test_two_hundred_orders_have_a_probability():
    recomputed = [1.1250202945461301e-05, 6.613300420431793e-06, 5.996469787665066e-06, 3.316207775206326e-06]
    # log Gamma of 200 is 860: its last bit is 1e-13 of the result, and there are several.
    assert_allclose(purchase_probability_new(PRINTED, end=300, counts=[150, 171, 175, 200]), recomputed, rtol=1e-11)


def test_counts_between_two_ages_agree_with_a_simulation():
    # Two million simulated customers at the fitted parameters, +-0.0004.
    found = purchase_probability_new(FITTED, start=39, end=78, counts=[0, 1, 3])
    assert_allclose(found, [0.7544, 0.1216, 0.0249], atol=4e-4)


def test_counts_between_two_ages_have_the_mean_of_the_orders_between_them():
    n = np.arange(4000)
    mean = (n * purchase_probability_new(PRINTED, start=39, end=78, counts=n)).sum()
    assert_allclose(mean, 0.66379586, rtol=5e-8)  # E[X(78)] - E[X(39)], recomputed, eight digits
    assert_allclose(mean, np.diff(expected_purchases_new(PRINTED, [39, 78]))[0], rtol=1e-11)


@given(params, st.floats(0.0, 40.0))
def test_probabilities_of_a_new_customer_sum_to_one(params, time):
    # At 40 / (5 + 40) the chance of an order falls by 8/9 each: after 600 orders 1e-30 is left.
    assert_allclose(purchase_probability_new(params, end=time, counts=np.arange(600)).sum(), 1.0, rtol=1e-11)


@settings(max_examples=30)  # each is a sum of integrals
@given(params, st.floats(0.0, 100.0), st.floats(0.0, 10.0))
def test_probabilities_between_two_ages_sum_to_one(params, start, length):
    # At 10 / (5 + 10) the chance of an order falls by 2/3 each: after 120 orders 1e-21 is left.
    found = purchase_probability_new(params, start=start, end=start + length, counts=np.arange(120))
    assert_allclose(found.sum(), 1.0, rtol=1e-11)
    assert (found >= 0.0).all()


@given(params, st.floats(0.0, 100.0), st.integers(0, 300))
def test_counts_from_the_start_are_those_of_a_new_customer(params, end, n):
    new = purchase_probability_new(params, end=end, counts=n)
    assert_allclose(purchase_probability_new(params, start=0.0, end=end, counts=n), new, rtol=1e-9, atol=1e-300)


def test_an_interval_which_ends_before_it_starts_is_refused():
    with pytest.raises(DataError, match=r"start must not lie behind end; found 78\.0 and 39\.0"):
        purchase_probability_new(FITTED, start=78, end=39, counts=0)
