"""Spend per order under the Gamma-Gamma model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose

from cxsim.clv.models.gamma_gamma import GammaGammaParams, expected_spend, likelihood_sum, population_mean
from cxsim.errors import DataError, EstimationError, ParamError

PRINTED = GammaGammaParams(p=6.25, q=3.74, v=15.44)  # Hardie, note 025: repeat customers of CDNOW, US dollars
NONE = math.nan


def test_the_first_customers_of_cdnow():
    frequency = [2, 1, 0, 0, 0, 7, 1, 0, 2, 0]
    amounts = [22.35, 11.77, NONE, NONE, NONE, 73.74, 11.77, NONE, 25.55, NONE]
    found = expected_spend(PRINTED, frequency, amounts)
    # lifetimes' tests, to a tenth, as its fixture holds it.
    assert_allclose(found, [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17], atol=0.1)
    recomputed = [24.663714, 18.916852, 71.469671, 27.288386]  # to six decimals
    assert_allclose(found[[0, 1, 5, 8]], recomputed, atol=5.01e-7)
    assert_allclose(expected_spend(PRINTED, [2, 3], [40, 35]), [39.14042, 35.02792], atol=5.01e-6)  # five decimals


def test_who_has_no_repeat_order_is_expected_to_spend_as_the_population():
    assert_allclose(population_mean(PRINTED), 35.218978, atol=5.01e-7)  # recomputed, six decimals
    assert expected_spend(PRINTED, 0, NONE) == population_mean(PRINTED)
    assert expected_spend(PRINTED, 3, NONE) == population_mean(PRINTED)


@settings(max_examples=25)  # each is an integral of 7,000 likelihoods
@given(
    st.builds(GammaGammaParams, p=st.floats(0.5, 20.0), q=st.floats(1.5, 8.0), v=st.floats(1.0, 100.0)),
    st.integers(1, 30),
)
def test_the_likelihood_of_all_mean_amounts_is_one(params, frequency):
    log_amount = np.arange(-80.0, 60.0, 0.02)  # trapezoid rule in the logarithm of the amount
    place, orders, one = np.log([params.p, params.q, params.v]), np.array([float(frequency)]), np.ones(1)
    density = [math.exp(likelihood_sum(place, orders, np.array([math.exp(log)]), one) + log) for log in log_amount]
    # The tails fall like amount^0.5 and amount^-1.5 or faster: less than 1e-15 lies outside.
    assert_allclose(0.02 * math.fsum(density), 1.0, rtol=1e-11)


@given(st.integers(1, 200), st.floats(0.5, 500.0))
def test_expected_spend_lies_between_the_customer_and_the_population(frequency, amount):
    low, high = sorted([amount, population_mean(PRINTED)])
    assert low * (1 - 1e-14) <= expected_spend(PRINTED, frequency, amount) <= high * (1 + 1e-14)


def test_without_a_mean_there_is_no_expected_spend():
    wild = GammaGammaParams(p=6.0, q=0.9, v=15.0)
    with pytest.raises(EstimationError, match=r"with q = 0.9 mean spend is infinite; it needs q > 1"):
        expected_spend(wild, 2, 30.0)


def test_negative_spend_is_refused():
    with pytest.raises(DataError, match=r"monetary_value must be finite and not negative; found -3.0 \(1 of 2\)"):
        expected_spend(PRINTED, [1, 1], [5.0, -3.0])


def test_a_parameter_must_be_positive():
    with pytest.raises(ParamError, match=r"Gamma-Gamma: v is 0.0; it must be a positive finite number"):
        GammaGammaParams(p=1.0, q=2.0, v=0.0)
