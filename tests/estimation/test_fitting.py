"""Fits to CDNOW against published and recomputed estimates, and what cannot be fitted."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.fit import fit, fit_spend
from cxsim.errors import EstimationError, TableError

# The literature counts weeks: alpha and its errors are a seventh of ours, and the density of each repeat order is
# seven times ours.
WEEK = np.array([1.0, 7.0, 1.0, 1.0])

# Below: maxima recomputed by Newton's method to a gradient of 1e-9, of which ten digits of the estimates and eight of
# the covariance are kept here.
ESTIMATES, COVARIANCE = 1e-9, 1e-7
# Half a unit of the sixth decimal.
LIKELIHOOD = 5.01e-7


def _bgnbd(found):
    return np.array([found.params.r, found.params.alpha, found.params.a, found.params.b])


def _gamma_gamma(found):
    return np.array([found.params.p, found.params.q, found.params.v])


def test_bgnbd_on_the_sample_agrees_with_the_paper(purchases):
    printed = [0.243, 4.414, 0.793, 2.426]  # Fader, Hardie & Lee (2005), three decimals
    assert_allclose(_bgnbd(purchases) / WEEK, printed, atol=5.01e-4)


def test_bgnbd_on_the_sample_agrees_with_the_recomputed_maximum(sample, purchases):
    exact = [0.2425945224301569, 4.4136020190135, 0.7929220172256349, 2.4259067768264777]
    assert_allclose(_bgnbd(purchases) / WEEK, exact, rtol=ESTIMATES)
    weekly = purchases.log_likelihood + sample["frequency"].sum() * math.log(7)
    assert_allclose(weekly, -9582.429207, atol=LIKELIHOOD)
    assert (purchases.n_customers, purchases.n_patterns) == (2357, 1016)
    # Of a sum of 2,357 terms of about 10, each known to 1e-16.
    assert purchases.max_abs_gradient < 1e-8


def test_the_covariance_of_bgnbd_is_right_off_its_diagonal_too(purchases):
    exact = [
        [0.0001576877439394787, 0.003706420065746228, -8.784702780187517e-05, 6.563703779614842e-05],
        [0.0037064200657462272, 0.14305343945229526, -0.0028656789375836014, 0.01052328086843647],
        [-8.78470278018761e-05, -0.0028656789375836353, 0.03449705240151309, 0.12321776664356622],
        [6.563703779614436e-05, 0.010523280868436326, 0.12321776664356625, 0.49760927792189497],
    ]
    assert_allclose(purchases.covariance / np.outer(WEEK, WEEK), exact, rtol=COVARIANCE)
    errors = np.array(list(purchases.std_errors.values())) / WEEK
    assert_allclose(errors, [0.012557378, 0.378224060, 0.185733821, 0.705414260], rtol=COVARIANCE)


def test_gamma_gamma_on_the_sample_agrees_with_hardie_and_the_recomputed_maximum(spend):
    assert_allclose(_gamma_gamma(spend), [6.25, 3.74, 15.44], atol=5.01e-3)  # Hardie, note 025, two decimals
    exact = [6.249572271320288, 3.744224667132608, 15.443520962601069]
    assert_allclose(_gamma_gamma(spend), exact, rtol=ESTIMATES)
    assert_allclose(spend.log_likelihood, -4055.917695, atol=LIKELIHOOD)
    covariance = [
        [1.4162317026526345, -0.23196188819627428, -4.80294725256507],
        [-0.23196188819627578, 0.08417719556657245, 0.991970890175274],
        [-4.802947252565076, 0.9919708901752702, 17.30079762959559],
    ]
    assert_allclose(spend.covariance, covariance, rtol=COVARIANCE)
    assert list(spend.std_errors.values()) == pytest.approx([1.190055336, 0.290133065, 4.159422752], rel=COVARIANCE)
    assert (spend.n_customers, spend.n_left_out) == (946, 1411)


def test_bgnbd_on_all_customers_agrees_with_the_recomputed_maximum(master):
    found = fit(master)
    exact = [0.2516239588521225, 4.788942961859943, 0.7234335767575274, 2.1610883589414507]
    assert_allclose(_bgnbd(found) / WEEK, exact, rtol=ESTIMATES)
    errors = np.array(list(found.std_errors.values())) / WEEK
    assert_allclose(errors, [0.004201973892, 0.131254906049, 0.053929243934, 0.198589295753], rtol=COVARIANCE)
    weekly = found.log_likelihood + master["frequency"].sum() * math.log(7)
    assert_allclose(weekly, -95368.443933, atol=LIKELIHOOD)
    assert (found.n_customers, found.n_patterns) == (23570, 8685)


def test_gamma_gamma_on_all_customers_agrees_with_the_recomputed_maximum(master):
    found = fit_spend(master)
    exact = [6.275359067913651, 3.6244500228308874, 14.983687030943091]
    assert_allclose(_gamma_gamma(found), exact, rtol=ESTIMATES)
    assert_allclose(found.log_likelihood, -40763.476261, atol=LIKELIHOOD)
    assert found.n_customers == 9450


def test_neither_the_order_of_customers_nor_their_names_change_a_digit(sample, purchases, spend):
    shuffled = sample.sample(fraction=1.0, shuffle=True, seed=1)
    renamed = shuffled.with_columns(pl.format("customer {}", "customer_id").alias("customer_id"))
    assert fit(renamed, observed_until=purchases.observed_until) == purchases
    assert fit_spend(renamed, observed_until=spend.observed_until) == spend


def test_a_customer_counted_twice_weighs_twice(sample, purchases):
    twice = fit(pl.concat([sample, sample]))
    assert_allclose(_bgnbd(twice), _bgnbd(purchases), rtol=ESTIMATES)
    assert_allclose(2 * twice.covariance, purchases.covariance, rtol=COVARIANCE)


def test_spend_fits_as_well_in_another_currency(sample, spend):
    yen = fit_spend(sample.with_columns(pl.col("monetary_value") * 15_000.0))
    assert_allclose(_gamma_gamma(yen), _gamma_gamma(spend) * [1, 1, 15_000], rtol=ESTIMATES)


def test_an_unknown_model_is_refused(sample):
    with pytest.raises(EstimationError, match="no model 'bgnb'; did you mean 'bgnbd'"):
        fit(sample, model="bgnb")


def test_a_missing_column_is_named(sample):
    with pytest.raises(TableError, match="RFM: no column 'recency_days'"):
        fit(sample.drop("recency_days"))


def test_without_repeat_customers_nothing_can_be_fitted(sample):
    once = sample.filter(pl.col("frequency") == 0)
    with pytest.raises(EstimationError, match="found 1411 customers, 0 of them with a repeat order; a model of orders"):
        fit(once)
    with pytest.raises(EstimationError, match="found 0 customers with a repeat order and a positive monetary value"):
        fit_spend(once)


def test_a_handful_of_customers_is_refused(shop):
    with pytest.raises(EstimationError, match="found 10 customers, 5 of them with a repeat order"):
        fit(shop.head(10))


def test_amounts_all_the_same_are_refused(shop):
    flat = shop.with_columns(pl.col("monetary_value") * 0.0 + 9.99)
    with pytest.raises(EstimationError, match=r"all 20 repeat customers have the same monetary value, 9\.99"):
        fit_spend(flat)


def test_amounts_which_are_no_number_are_refused(shop):
    broken = shop.with_columns(pl.col("monetary_value").fill_null(math.nan))
    with pytest.raises(EstimationError, match="20 of 40 monetary values are NaN or infinite"):
        fit_spend(broken)


@pytest.mark.parametrize(
    "wrong",
    [
        pl.col("age_days") * 0,
        -pl.col("age_days"),
    ],
)
def test_an_impossible_past_is_refused(shop, wrong):
    with pytest.raises(EstimationError, match=r"of 40 customers have an impossible past; the first is"):
        fit(shop.with_columns(age_days=wrong))
