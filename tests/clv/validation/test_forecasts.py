"""What naive rules expect, and the chances that they give when they are read as Poisson."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import Outlook
from cxsim.clv.validation.forecasts import (
    LEVELS,
    SpendOutlook,
    _range,
    holdout_of,
    mean_spend,
    model_forecast,
    naive_forecasts,
    outcome_probs,
    spend_outlook,
)
from cxsim.clv.validation.scoring import scores_of
from cxsim.rng import stream


def scores(known, *forecasts):
    return scores_of(known._replace(forecasts=forecasts)).row(0, named=True)


def test_rules_go_on_at_the_own_rate_at_that_of_the_shop_or_repeat_the_recent_past(small_known):
    before = pl.DataFrame({"customer_id": ["a", "b"], "frequency": [1, 0]})
    own, shop, recent = naive_forecasts(small_known, before)
    assert_allclose(own.orders, [2 / 20 * 10, 0.0, 1 / 10 * 10, 0.0])
    assert_allclose(shop.orders, [3 / 50 * 10] * 4)
    assert recent.orders.tolist() == [1.0, 0.0, 1.0, 0.0]
    # A rule that holds an order impossible.
    assert scores(small_known, own)["log_score"] == math.inf


def test_an_order_brings_the_own_mean_or_else_the_mean_of_the_shop(small):
    assert_allclose(mean_spend(small), [30.0, 40.0, 60.0, 40.0])


def test_a_shop_without_repeat_orders_has_nothing_to_say_of_their_value(small):
    assert mean_spend(small.filter(pl.col("frequency") == 0)).tolist() == [0.0, 0.0]


def test_chances_and_intervals_are_those_of_poisson_worked_out_by_hand(small_known):
    found, mean = naive_forecasts(small_known)[1], 0.6
    assert_allclose(np.exp(found.log_probs), math.exp(-mean) * np.array([mean**3 / 6, mean, 1.0, 1.0]))
    # Mean 0.6: 0.549, 0.878 and 0.977 for up to 0, 1 and 2 orders; the total has mean 2.4, with 0.0907 for none and
    # 0.779 and 0.904 for up to 3 and 4.
    low, high = found.intervals[80]
    assert (low[0], high[0]) == (0.0, 2.0)
    assert found.total_intervals[80] == (1.0, 4.0)


def test_the_own_rate_expects_56_percent_too_many_orders_of_the_cdnow_sample(known):
    # Recomputed from the data, two decimals, four digits of the total and five of the errors.
    row = scores(known, naive_forecasts(known)[0])
    assert row["expected_orders"] == pytest.approx(2930.10, abs=0.01)
    assert row["orders_bias"] == pytest.approx(0.557, abs=5e-4)
    assert row["mae"] == pytest.approx(1.02367, abs=1e-5)
    assert row["rmse"] == pytest.approx(2.21192, abs=1e-5)


def test_poisson_intervals_hold_as_often_as_they_say_where_orders_are_poisson(small_known):
    generator = np.random.default_rng(3)
    low, high = naive_forecasts(small_known)[1].intervals[95]
    came = generator.poisson(0.6, 20_000)
    inside = ((low[0] <= came) & (came <= high[0])).mean()
    # At most the 5 % that are promised, less 4 standard errors.
    assert inside > 0.95 - 4 * math.sqrt(0.95 * 0.05 / came.size)


@pytest.mark.parametrize(("draws", "low", "high"), [(39, 2.0, 38.0), (19, 1.0, 19.0), (199, 10.0, 190.0)])
def test_the_90_percent_interval_of_a_total_leaves_a_twentieth_of_the_draws_on_each_side(draws, low, high):
    # Number floor((n + 1) / 20) from below, and as far from above.
    assert _range(pl.Series(np.arange(draws, 0.0, -1.0)), 0.9) == (low, high)


def test_expected_spend_is_expected_orders_times_gamma_gamma(fits, spend, known):
    fitted = fits["sample", "bgnbd"]
    outlook = spend_outlook(known.rfm, spend, draws=40, seed=0)
    found = model_forecast(fitted, known, outlook, draws=40, seed=0)
    orders = fitted.expected_purchases(known.rfm, known.days)["expected_purchases"]
    assert_allclose(found.orders, orders)
    assert_allclose(found.spend, orders * spend.expected_spend(known.rfm)["expected_spend"])
    assert list(found.intervals) == list(LEVELS)
    assert found.spend_range[0] < found.spend.sum() < found.spend_range[1]


def test_without_draws_of_spend_orders_alone_have_intervals(fits, known):
    outlook = SpendOutlook(per_order=np.full(known.orders.size, 20.0), draws=None)
    found = model_forecast(fits["sample", "bgnbd"], known, outlook, draws=40, seed=0)
    assert found.spend_range is None
    assert_allclose(found.spend, 20.0 * found.orders)


def test_intervals_hold_for_customers_who_are_what_the_model_says(fits, sample):
    """Customers of the sample whose later orders are drawn from the fitted model itself."""
    fitted = fits["sample", "bgnbd"]
    rows = fitted.purchase_distribution(sample, days=273, most=150)["probability"].to_numpy().reshape(-1, 151)
    generator = stream(11, 0, "orders of a made-up holdout").random(sample.height)
    came = (rows.cumsum(axis=1) < generator[:, None]).sum(axis=1)
    later = sample.select("customer_id", holdout_orders=pl.Series(came), holdout_amount=pl.Series(20.0 * came))
    known = holdout_of(sample, later, days=273)
    outlook = SpendOutlook(per_order=np.full(sample.height, 20.0), draws=None)
    found = model_forecast(fitted, known, outlook, draws=199, seed=1)
    assert isinstance(fitted.params, BetaGeometricParams)
    row = scores(known, found)
    for percent, level in LEVELS.items():
        # At least the level, less 4 standard errors of a share of 2,357 customers.
        assert row[f"coverage_{percent}"] > level - 4 * np.sqrt(level * (1 - level) / sample.height)
    low, high = found.total_intervals[95]
    assert low <= came.sum() <= high


MODELS = [
    BetaGeometricParams(r=0.24, alpha=30.9, a=0.79, b=2.43),
    BetaGeometricParams(r=0.52, alpha=43.3, a=0.89, b=1.61, leaves_after_first=True),
    ParetoNbdParams(r=0.55, alpha=74.0, s=0.61, beta=81.7),
    BetaGeometricParams(r=0.5, alpha=60.0, a=0.8, b=2.0, k=2, leaves_after_first=True),
]


@pytest.mark.parametrize("params", MODELS)
def test_they_are_those_of_each_customer_by_themselves(params, small):
    came = pl.DataFrame(
        {"customer_id": ["d", "c", "b", "a"], "holdout_orders": [0, 2, 1, 4], "holdout_amount": [0.0, 2.0, 1.0, 4.0]}
    )
    known = holdout_of(small, came, days=60)
    at = outcome_probs(params, known)
    past = [known.rfm[name].cast(pl.Float64).to_numpy()[:, None] for name in ("frequency", "recency_days", "age_days")]
    table = Outlook(params, *past).purchase_probability(end=60.0, counts=np.arange(5.0)[None, :])
    orders = known.orders.astype(int)
    # The same formula, once for all pairs of frequency and age, and once customer by customer.
    assert_allclose(at, table[range(4), orders], rtol=1e-9)


def test_a_count_beyond_all_that_can_be_computed_has_a_chance_above_nought(small):
    came = pl.DataFrame(
        {"customer_id": ["a", "b", "c", "d"], "holdout_orders": [0, 3000, 0, 0], "holdout_amount": [0.0, 1.0, 0.0, 0.0]}
    )
    at = outcome_probs(MODELS[0], holdout_of(small, came, days=1))
    assert np.isfinite(np.log(at)).all()


def test_the_log_score_of_bg_nbd_on_the_cdnow_sample_is_that_of_its_whole_distributions(fits, known):
    fitted = fits["sample", "bgnbd"]
    most = int(known.orders.max()) + 1
    rows = fitted.purchase_distribution(known.rfm, days=known.days, most=most)["probability"].to_numpy()
    table = rows.reshape(-1, most + 1)
    at = outcome_probs(fitted.params, known)
    assert_allclose(at, table[np.arange(len(at)), known.orders.astype(int)], rtol=1e-9)
