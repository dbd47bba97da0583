"""The bootstrap of a ratio: against all resamples there are, and against resampling the wrong thing."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from cxsim.errors import DataError
from cxsim.intervals import bootstrap_ratio, ratio_of, resampled_ratios

# Three customers: orders, revenue.
ORDERS, REVENUE = [1, 2, 1], [30, 100, 90]
# 27 resamples, worked by hand: ratio and how many of them have it.
EXACT = {30: 1, 40: 3, 46: 3, 50: 4, 55: 6, 58: 3, 70: 6, 90: 1}


def test_all_resamples_there_are_have_the_ratios_worked_by_hand():
    found = Counter(
        sum(REVENUE[unit] for unit in units) / sum(ORDERS[unit] for unit in units)
        for units in itertools.product(range(3), repeat=3)
    )
    assert found == EXACT


def test_the_bootstrap_agrees_with_all_resamples_within_its_luck():
    draws = 100_000
    ratios = resampled_ratios(REVENUE, ORDERS, draws=draws, seed=20)
    mean = sum(ratio * times for ratio, times in EXACT.items()) / 27
    spread = math.sqrt(sum((ratio - mean) ** 2 * times for ratio, times in EXACT.items()) / 27)
    assert mean == pytest.approx(1502 / 27)
    assert spread == pytest.approx(12.523010, abs=5e-7)
    # Four standard errors: of the mean; of each frequency; of the variance, by the fourth moment.
    assert abs(ratios.mean() - mean) < 4 * spread / math.sqrt(draws)
    for ratio, times in EXACT.items():
        share = times / 27
        assert abs((ratios == ratio).mean() - share) < 4 * math.sqrt(share * (1 - share) / draws)
    fourth = sum((ratio - mean) ** 4 * times for ratio, times in EXACT.items()) / 27
    assert abs(ratios.var() - spread**2) < 4 * math.sqrt((fourth - spread**4) / draws)


def test_resampling_orders_would_look_more_certain():
    # Orders of 30, 50, 50, 90: mean 55, variance (625 + 25 + 25 + 1225) / 4 = 475, over 4 orders: SD 10.897.
    orders = resampled_ratios([30, 50, 50, 90], [1] * 4, draws=100_000, seed=20)
    assert orders.std() == pytest.approx(math.sqrt(475 / 4), rel=0.01)
    assert resampled_ratios(REVENUE, ORDERS, draws=100_000, seed=20).std() > 12.4


def test_the_ends_are_quantiles_of_the_resamples():
    estimate = bootstrap_ratio(REVENUE, ORDERS, draws=5000, seed=3, level=0.8)
    ratios = resampled_ratios(REVENUE, ORDERS, draws=5000, seed=3)
    assert (estimate.low, estimate.high) == tuple(np.quantile(ratios, [0.1, 0.9]))
    assert (estimate.value, estimate.units, estimate.level) == (55, 3, 0.8)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    spend = np.random.Generator(np.random.PCG64(1)).lognormal(3, 1, 50)
    one = bootstrap_ratio(spend, np.ones(50), draws=500, seed=7)
    assert one == bootstrap_ratio(spend, np.ones(50), draws=500, seed=7)
    assert one != bootstrap_ratio(spend, np.ones(50), draws=500, seed=8)


def test_with_many_customers_all_intervals_agree():
    generator = np.random.Generator(np.random.PCG64(5))
    orders = generator.integers(1, 4, 2000)
    spend = generator.normal(50, 10, 2000) * orders
    delta = ratio_of(spend, orders)
    width = delta.high - delta.low
    for kind in ("percentile", "BCa"):
        estimate = bootstrap_ratio(spend, orders, draws=4000, seed=5, kind=kind)
        # An end of 4000 draws has a standard error of about 2.7 % of the standard error, 0.7 % of the width.
        assert estimate.low == pytest.approx(delta.low, abs=0.04 * width)
        assert estimate.high == pytest.approx(delta.high, abs=0.04 * width)


def test_the_corrected_interval_is_that_of_scipy():
    from scipy.stats import bootstrap  # noqa: PLC0415 - slow to import, and used here alone

    spend = np.random.Generator(np.random.PCG64(9)).lognormal(3, 1, 40)
    orders = np.random.Generator(np.random.PCG64(10)).integers(1, 5, 40).astype(float)
    ours = bootstrap_ratio(spend, orders, draws=20_000, seed=9, kind="BCa")
    theirs = bootstrap(
        (spend, orders),
        lambda x, n, axis: x.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.Generator(np.random.PCG64(11)),
    )
    width = ours.high - ours.low
    limits = theirs.confidence_interval
    # Two sets of 20,000 draws: each end to about 2 % of the standard error, 0.5 % of the width, each; four times both.
    assert (ours.low, ours.high) == pytest.approx((limits.low, limits.high), abs=0.03 * width)


def test_more_units_than_fit_in_a_block_are_drawn_in_pieces(monkeypatch):
    monkeypatch.setattr("cxsim.intervals.bootstraps._BLOCK", 7)
    spend = np.arange(20.0)
    ratios = resampled_ratios(spend, np.ones(20), draws=4000, seed=1)
    # Mean 9.5, variance (20**2 - 1) / 12 / 20.
    assert abs(ratios.mean() - 9.5) < 4 * math.sqrt(399 / 240 / 4000)
    assert ratios.std() == pytest.approx(math.sqrt(399 / 240), rel=0.06)


def test_resamples_with_nothing_to_divide_by_leave_no_interval():
    estimate = bootstrap_ratio([1, 0], [1, 0], draws=100, seed=1)
    assert (estimate.value, estimate.low) == (1, None)
    assert estimate.caution == "indicative: 2 units; some resamples have nothing to divide by"


def test_what_cannot_be_divided_has_no_value():
    assert bootstrap_ratio([], [], draws=10, seed=1).caution == "nobody"
    assert bootstrap_ratio([0] * 30, [0] * 30, draws=10, seed=1).caution == "nothing to divide by"
    assert bootstrap_ratio([3], [1], draws=10, seed=1).low is None


def test_an_unknown_kind_and_no_draws_are_refused():
    with pytest.raises(DataError, match="no bootstrap 'basic'; possible: percentile, BCa"):
        bootstrap_ratio([1, 2], [1, 1], draws=10, seed=1, kind="basic")
    with pytest.raises(DataError, match="at least one draw of at least one unit; found 0 of 2"):
        bootstrap_ratio([1, 2], [1, 1], draws=0, seed=1)
