"""Shops too small, too poor in orders or too alike to tell much: fits to them are refused or finite, never NaN."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxsim.clv.diagnose import diagnose
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.posterior import posterior
from cxsim.errors import EstimationError
from tests.estimation.asking import answers, assert_right
from tests.estimation.shops import simulated
from tests.estimation.worlds import SHOPS, SPEND


def small(number, share, rate, seed):
    """Return a small shop drawn at random, with pasts and amounts that can be, all of them or hardly any sensible."""
    luck = np.random.default_rng(seed)
    age = luck.integers(0, int(10 ** luck.uniform(0.0, 5.0)) + 1, number)
    last = (age * luck.random(number) ** luck.choice([0.2, 1.0, 5.0])).astype(int)
    frequency = np.where(luck.random(number) < share, luck.poisson(rate, number), 0)
    frequency = np.where(last == 0, 0, np.minimum(frequency, last))
    spent = np.exp(luck.normal(luck.uniform(-5.0, 10.0), luck.uniform(0.0, 3.0), number))
    gap = np.where(frequency > 0, last / np.maximum(frequency, 1), 1.0)
    return pl.DataFrame(
        {
            "customer_id": np.arange(number),
            "frequency": frequency,
            "recency_days": np.where(frequency == 0, 0, last),
            "age_days": age,
            "monetary_value": pl.Series(np.where(frequency > 0, spent, np.nan)).fill_nan(None),
            "log_gaps": frequency * np.log(gap),
        }
    )


@settings(max_examples=40)
@given(
    st.sampled_from(list(SHOPS)),
    st.integers(15, 60),
    st.floats(0.05, 1.0),
    st.floats(0.1, 300.0),
    st.integers(0, 1 << 32),
)
def test_a_fit_to_any_small_shop_is_refused_or_answers_with_finite_numbers(model, number, share, rate, seed):
    rfm = small(number, share, rate, seed)
    if number < 20 or rfm.filter(pl.col("frequency") > 0).height < 4:
        with pytest.raises(EstimationError, match="a model of orders needs at least 20 and 4"):
            fit(rfm, model=model)
        return
    purchases = fit(rfm, model=model, k=3 if "c" in model else None)
    assert math.isfinite(purchases.log_likelihood)
    assert purchases.max_abs_gradient < 1e-5
    spend = spend_of(rfm)
    assert_right(answers(rfm, purchases, spend))
    assert_right({"findings": diagnose(rfm, purchases).table.select(pl.col("figure").abs())})
    with_prior = posterior(purchases, rfm, draws=30)
    assert_right({"believed": with_prior.interval()})


def spend_of(rfm):
    """Return the fit to a shop's own spend, or one to a healthy shop where that cannot be or has no mean."""
    try:
        own = fit_spend(rfm)
    except EstimationError:
        own = None
    return (
        own if own is not None and own.params.q > 1.0 else fit_spend(simulated(SHOPS["bgnbd"], 60, seed=1, spend=SPEND))
    )


def test_twenty_customers_are_enough_and_nineteen_are_not(shop):
    assert fit(shop.head(20)).n_customers == 20
    with pytest.raises(EstimationError, match="found 19 customers, 9 of them with a repeat order; a model of orders"):
        fit(shop.head(19))
    with pytest.raises(EstimationError, match="found 1 customers, 0 of them with a repeat order"):
        fit(shop.head(1))
    with pytest.raises(EstimationError, match="found 0 customers"):
        fit(shop.clear())
    with pytest.raises(EstimationError, match="found 0 customers with a repeat order and a positive monetary value"):
        fit_spend(shop.clear())


def test_all_one_time_buyers_and_constant_spend_are_refused_with_what_to_do(shop):
    once = shop.with_columns(pl.col("frequency", "recency_days") * 0, monetary_value=pl.lit(None, pl.Float64))
    with pytest.raises(EstimationError, match=r"40 customers, 0 of them with a repeat order.* use a longer period"):
        fit(once)
    with pytest.raises(EstimationError, match=r"it needs at least 20\. Use a longer period or more customers"):
        fit_spend(once)
    flat = shop.with_columns(pl.when(pl.col("frequency") > 0).then(9.99).alias("monetary_value"))
    with pytest.raises(EstimationError, match=r"same monetary value, 9\.99, so there is no spread to fit\. Check the"):
        fit_spend(flat)


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd"])
def test_a_large_shop_in_which_nobody_leaves_has_an_answer(model):
    # 20,000 customers with 35 orders each: a and b are held by the prior alone, which is so much flatter than the
    # rounding of 2.5 million points of log-likelihood that steps never become as short as elsewhere.
    endless = simulated(BetaGeometricParams(r=2.0, alpha=30.0, a=1e-7, b=1.0), 20_000, seed=3)
    purchases = fit(endless, model=model)
    assert purchases.basis == "prior"
    assert purchases.params.a / purchases.params.b < 1e-5
    assert purchases.max_abs_gradient < 1e-6


def test_a_posterior_is_found_as_far_out_as_its_prior_reaches():
    # Sixty stages to a gap and 600 orders in months or in a century: alpha is twelve e-folds from the mean age, five
    # standard deviations of the prior.
    luck = np.random.default_rng(0)
    age = luck.integers(99, 36_400, 54)
    frequency = np.minimum(luck.poisson(600, 54), age - 1)
    rfm = pl.DataFrame(
        {
            "customer_id": np.arange(54),
            "frequency": frequency,
            "recency_days": age - 1,
            "age_days": age,
            "monetary_value": np.full(54, 20.0),
        }
    )
    purchases = fit(rfm, model="bgcnbd", k=60)
    assert purchases.basis == "prior"
    assert math.log(rfm["age_days"].mean() / purchases.params.alpha) > 12.0
    assert posterior(purchases, rfm, draws=30).reliable
