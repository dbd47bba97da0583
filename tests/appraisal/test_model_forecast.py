"""What a fitted model expects of the customers of a trial, with intervals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.terms import LEVELS, trial_of
from cxsim.clv.validation.contestants import SpendOutlook, _range, model_forecast, spend_outlook
from cxsim.clv.validation.scoring import share_inside
from cxsim.rng import stream


@pytest.mark.parametrize(
    ("draws", "low", "high"), [(39, 2.0, 38.0), (19, 1.0, 19.0), (5, 1.0, 5.0), (199, 10.0, 190.0)]
)
def test_the_90_percent_interval_of_a_total_leaves_a_twentieth_of_the_draws_on_each_side(draws, low, high):
    # Number floor((n + 1) / 20) from below, and as far from above; the outermost where there are too few draws.
    assert _range(pl.Series(np.arange(draws, 0.0, -1.0))) == (low, high)


def test_expected_spend_is_expected_orders_times_gamma_gamma(sample, trial):
    fitted, spend = fit(sample), fit_spend(sample)
    outlook = spend_outlook(trial.rfm, spend, draws=40, seed=0)
    found = model_forecast(fitted, trial, outlook, draws=40, seed=0)
    orders = fitted.expected_purchases(trial.rfm, trial.days)["expected_purchases"]
    assert_allclose(found.orders, orders)
    assert_allclose(found.spend, orders * spend.expected_spend(trial.rfm)["expected_spend"])
    assert [interval.level for interval in found.intervals] == list(LEVELS)
    assert found.spend_range[0] < found.spend.sum() < found.spend_range[1]


def test_without_draws_of_spend_orders_alone_have_intervals(sample, trial):
    outlook = SpendOutlook(per_order=np.full(trial.orders.size, 20.0), draws=None)
    found = model_forecast(fit(sample), trial, outlook, draws=40, seed=0)
    assert found.spend_range is None
    assert_allclose(found.spend, 20.0 * found.orders)


def test_intervals_hold_for_customers_who_are_what_the_model_says(sample):
    """Customers of the sample whose later orders are drawn from the fitted model itself."""
    fitted = fit(sample)
    rows = fitted.purchase_distribution(sample, days=273, most=150)["probability"].to_numpy().reshape(-1, 151)
    luck = stream(11, 0, "orders of a made-up holdout").random(sample.height)
    came = (rows.cumsum(axis=1) < luck[:, None]).sum(axis=1)
    later = sample.select("customer_id", holdout_orders=pl.Series(came), holdout_amount=pl.Series(20.0 * came))
    trial = trial_of(sample, later, days=273)
    outlook = SpendOutlook(per_order=np.full(sample.height, 20.0), draws=None)
    found = model_forecast(fitted, trial, outlook, draws=199, seed=1)
    assert isinstance(fitted.params, BetaGeometricParams)
    for interval in found.intervals:
        # At least the level, less 4 standard errors of a share of 2,357 customers.
        error = np.sqrt(interval.level * (1 - interval.level) / sample.height)
        assert share_inside(interval.low, interval.high, trial.orders) > interval.level - 4 * error
    assert found.intervals[1].total_low <= came.sum() <= found.intervals[1].total_high
