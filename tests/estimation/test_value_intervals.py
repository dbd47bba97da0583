"""Intervals of value and of the days to the next order hold the estimates, and are made of the draws they say."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.errors import EstimationError
from cxsim.estimation import (
    clv_interval,
    days_to_next_purchase_interval,
    expected_purchases_new_interval,
    fit,
    posterior,
)
from cxsim.models import gamma_gamma
from cxsim.models import purchases as formulas

RATE = 0.1


@pytest.fixture(scope="module")
def believed(sample):
    return posterior(fit(sample, model="paretonbd"), sample, draws=60)


@pytest.fixture(scope="module")
def money(sample, spend):
    return posterior(spend, sample, draws=60)


def test_the_interval_of_value_is_that_of_the_draws(sample, believed, money):
    some = sample.sample(5, seed=1)
    found = clv_interval(some, believed, money, annual_discount_rate=RATE, horizon_days=365, margin=0.3)
    past = [some[name].to_numpy() for name in ("frequency", "recency_days", "age_days")]
    value = some["monetary_value"].fill_null(float("nan")).to_numpy()
    rate = np.log(1.1) / 365.25
    each = [
        0.3
        * formulas.discounted_expected_purchases(believed.params(i), *past, rate=rate, horizon=365.0)
        * gamma_gamma.expected_spend(money.params(i), past[0], value)
        for i in range(60)
    ]
    # The same numbers, added up in another order.
    assert_allclose(found["contribution"], np.mean(each, axis=0), rtol=1e-12)
    assert_allclose(found["low"], np.quantile(each, 0.05, axis=0), rtol=1e-12)
    assert_allclose(found["high"], np.quantile(each, 0.95, axis=0), rtol=1e-12)
    assert found["customer_id"].equals(some["customer_id"])


def test_the_interval_of_value_holds_the_estimate(sample, believed, money, spend):
    found = clv_interval(sample, believed, money, annual_discount_rate=RATE)
    point = fit(sample, model="paretonbd").clv(sample, spend, annual_discount_rate=RATE)["contribution"]
    inside = ((found["low"] <= point) & (point <= found["high"])).mean()
    # The estimate is a posterior's top, close to its middle; at the ends are customers whom few draws tell apart.
    assert inside > 0.9
    assert clv_interval(sample.head(0), believed, money, annual_discount_rate=RATE).height == 0


def test_the_days_to_the_next_order_have_an_interval(sample, believed):
    found = days_to_next_purchase_interval(sample, believed, draws=30)
    point = fit(sample, model="paretonbd").days_to_next_purchase(sample, (0.5,))["days_p50"]
    assert found.columns == ["customer_id", "days", "low", "high"]
    assert ((found["low"] <= point) & (point <= found["high"])).mean() > 0.9
    assert (found["low"] > 0.0).all()


def test_new_customers_expect_orders_within_an_interval(sample, believed):
    found = expected_purchases_new_interval(believed, [0, 30, 365])
    point = fit(sample, model="paretonbd").expected_purchases_new([0, 30, 365])["expected_purchases"]
    assert found.row(0) == (0.0, 0.0, 0.0, 0.0)
    assert ((found["low"] <= point) & (point <= found["high"])).all()
    assert found.select(pl.col("high") - pl.col("low")).to_series().is_sorted()


@pytest.mark.parametrize(("changed", "message"), [({"margin": 2.0}, "margin must be"), ({"draws": 0}, "draws must be")])
def test_numbers_out_of_range_are_refused(sample, believed, money, changed, message):
    with pytest.raises(EstimationError, match=message):
        clv_interval(sample, believed, money, annual_discount_rate=RATE, **changed)
