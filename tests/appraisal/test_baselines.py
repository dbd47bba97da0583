"""What naive rules expect, and the chances that they give when they are read as Poisson."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.validation.contestants import mean_spend, own_rate, recent_past, shop_rate
from cxsim.clv.validation.scoring import (
    log_score,
    mean_absolute_error,
    root_mean_squared_error,
    share_inside,
    total_bias,
)


def test_the_own_rate_goes_on_and_one_time_buyers_stay_away(small_trial):
    assert_allclose(own_rate(small_trial).orders, [2 / 20 * 10, 0.0, 1 / 10 * 10, 0.0])


def test_everyone_alike_orders_at_the_rate_of_the_shop(small_trial):
    assert_allclose(shop_rate(small_trial).orders, [3 / 50 * 10] * 4)


def test_the_recent_past_repeats_the_repeat_orders_since(small_trial):
    before = pl.DataFrame({"customer_id": ["a", "b"], "frequency": [1, 0]})
    assert recent_past(small_trial, before).orders.tolist() == [1.0, 0.0, 1.0, 0.0]


def test_orders_are_worth_the_own_mean_or_else_the_mean_of_the_shop(small):
    assert_allclose(mean_spend(small), [30.0, 40.0, 60.0, 40.0])


def test_a_shop_without_repeat_orders_has_nothing_to_say_of_their_worth(small):
    assert mean_spend(small.filter(pl.col("frequency") == 0)).tolist() == [0.0, 0.0]


def test_chances_are_those_of_poisson_reckoned_by_hand(small_trial):
    found = shop_rate(small_trial)
    mean = 0.6
    assert_allclose(np.exp(found.log_probs), math.exp(-mean) * np.array([mean**3 / 6, mean, 1.0, 1.0]))
    assert_allclose(found.below, [math.exp(-mean) * (1 + mean + mean**2 / 2), math.exp(-mean), 0.0, 0.0])


def test_the_ends_of_intervals_are_quantiles_of_poisson(small_trial):
    narrow = shop_rate(small_trial).intervals[0]
    # Mean 0.6: 0.549, 0.878 and 0.977 for up to 0, 1 and 2 orders; the total has mean 2.4, with 0.0907 for none and
    # 0.779 and 0.904 for up to 3 and 4.
    assert (narrow.level, narrow.low[0], narrow.high[0]) == (0.8, 0.0, 2.0)
    assert (narrow.total_low, narrow.total_high) == (1.0, 4.0)


def test_a_rule_that_holds_an_order_impossible_has_an_infinite_log_score(small_trial):
    assert log_score(own_rate(small_trial).log_probs) == math.inf


def test_the_own_rate_expects_56_percent_too_many_orders_of_the_cdnow_sample(trial):
    # Recomputed from the data, two decimals, four digits of the total and five of the errors.
    found = own_rate(trial)
    assert found.orders.sum() == pytest.approx(2930.10, abs=0.01)
    assert total_bias(found.orders, trial.orders) == pytest.approx(0.557, abs=5e-4)
    assert mean_absolute_error(found.orders, trial.orders) == pytest.approx(1.02367, abs=1e-5)
    assert root_mean_squared_error(found.orders, trial.orders) == pytest.approx(2.21192, abs=1e-5)


def test_poisson_intervals_hold_as_often_as_they_say_where_orders_are_poisson(small_trial):
    generator = np.random.default_rng(3)
    interval = shop_rate(small_trial).intervals[1]
    came = generator.poisson(0.6, 20_000)
    inside = share_inside(np.full(came.size, interval.low[0]), np.full(came.size, interval.high[0]), came)
    # At most the 5 % that are promised, less 4 standard errors.
    assert inside > 0.95 - 4 * math.sqrt(0.95 * 0.05 / came.size)
