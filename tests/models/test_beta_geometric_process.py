"""Beta-geometric models against the process that they describe, simulated, and against other ways to compute them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import betaln, gammaln

from cxsim import rng
from cxsim.clv.models.bgnbd import (
    BetaGeometricParams,
    count_probs_ahead,
    discounted_orders_ahead,
    log_likelihood,
    next_order_ahead,
    orders_ahead,
    phase_probs,
    phase_probs_new,
    survival_ahead,
)
from cxsim.clv.models.bgnbd_integrals import (
    later_count_prob,
    sums_survival_and_orders,
    survival_and_orders,
    terms_needed,
)
from cxsim.errors import DataError

MODELS = {
    "BG/NBD": BetaGeometricParams(r=0.6, alpha=8.0, a=0.8, b=2.5),
    "MBG/NBD": BetaGeometricParams(r=0.6, alpha=8.0, a=0.8, b=2.5, leaves_after_first=True),
    "BG/CNBD-3": BetaGeometricParams(r=1.4, alpha=6.0, a=0.5, b=2.0, k=3),
    "MBG/CNBD-2": BetaGeometricParams(r=1.1, alpha=7.0, a=0.9, b=1.8, k=2, leaves_after_first=True),
}
X, LAST, AGE = 3, 21.0, 30.0
DRAWS = 100_000

params = st.builds(
    BetaGeometricParams,
    r=st.floats(0.05, 20.0),
    alpha=st.floats(0.5, 20.0),
    a=st.floats(0.05, 20.0),
    b=st.floats(0.05, 20.0),
    k=st.integers(1, 5),
    leaves_after_first=st.booleans(),
)


def futures(model, name):
    """Return order times (infinite where there is none) and the time of leaving, of customers with the past above.

    What is known of the past is drawn exactly: alive in which stage or gone, purchase rate and chance of leaving.
    """
    luck = rng.stream(20240501, 0, name)
    now = phase_probs(model, X, LAST, AGE)
    stage = luck.choice(model.k + 1, size=DRAWS, p=[*now, 1.0 - now.sum()])
    alive = stage < model.k
    rate = luck.gamma(model.r + model.k * X + stage, 1.0 / (model.alpha + AGE))
    leaves = luck.beta(model.a, model.b + X + model.leaves_after_first, size=DRAWS)
    orders, left = np.full((DRAWS, 40), np.inf), np.where(alive, np.inf, 0.0)
    clock = np.zeros(DRAWS)
    for order in range(orders.shape[1]):
        stages = model.k - stage * (order == 0)
        clock += luck.gamma(np.where(alive, stages, 1), 1.0 / rate)
        still = np.isinf(left)
        orders[still, order] = clock[still]
        goes = still & (luck.random(DRAWS) < leaves)
        left[goes] = clock[goes]
    return orders, left


def assert_mean(sample, expected):
    """Assert that a sample has the expected mean, within 4 standard errors."""
    error = sample.std() / math.sqrt(sample.size)
    assert abs(sample.mean() - expected) < 4.0 * error + 1e-12


@pytest.mark.parametrize("name", MODELS)
def test_what_comes_agrees_with_a_simulation_given_the_past(name):
    model = MODELS[name]
    orders, left = futures(model, name)
    now = phase_probs(model, X, LAST, AGE)

    def mean(ahead):
        return (now * ahead).sum()

    for time in (4.0, 25.0):
        assert_mean(left > time, mean(survival_ahead(model, X, AGE, time=time)))
        assert_mean((orders <= time).sum(axis=1), mean(orders_ahead(model, X, AGE, time=time)))
        assert_mean(orders[:, 0] <= time, mean(next_order_ahead(model, X, AGE, time=time)))
        worth = np.where(orders <= time, np.exp(-0.05 * orders), 0.0).sum(axis=1)
        assert_mean(worth, mean(discounted_orders_ahead(model, X, AGE, rate=0.05, horizon=time)))
    assert_mean(np.exp(-0.3 * orders).sum(axis=1), mean(discounted_orders_ahead(model, X, AGE, rate=0.3)))
    for start, end in ((0.0, 12.0), (9.0, 25.0)):
        found = ((orders > start) & (orders <= end)).sum(axis=1)
        for n in (0, 1, 2, 5):
            gone = (1.0 - now.sum()) * (n == 0)
            assert_mean(found == n, mean(count_probs_ahead(model, X, AGE, start=start, end=end, counts=n)) + gone)


@pytest.mark.parametrize("name", MODELS)
def test_the_past_has_the_share_that_a_simulation_from_the_start_gives_it(name):
    model = MODELS[name]
    luck = rng.stream(7, 0, name)
    rate, leaves = luck.gamma(model.r, 1.0 / model.alpha, DRAWS), luck.beta(model.a, model.b, DRAWS)
    first = luck.gamma(model.k, 1.0, DRAWS) / rate
    second = first + luck.gamma(model.k, 1.0, DRAWS) / rate
    there = luck.random(DRAWS) >= leaves * model.leaves_after_first
    stays = luck.random(DRAWS) >= leaves
    once = there & (first < 4.0) & ~(stays & (second < 10.0))
    x, w = np.polynomial.legendre.leggauss(60)
    gap = 2.0 * (x + 1.0)
    log_density = log_likelihood(model, 1, gap, 10.0) + (model.k - 1) * np.log(gap)
    assert_mean(once, (2.0 * w * np.exp(log_density)).sum())
    alive = phase_probs(model, 1, gap, 10.0).sum(axis=-1)
    assert_mean(once & stays, (2.0 * w * alive * np.exp(log_density)).sum())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("past", [(0, 0.0, 12.0), (2, 7.0, 12.0), (4, 12.0, 12.0)])
def test_the_log_likelihood_is_that_of_an_integration_over_rates_and_chances_of_leaving(name, past):
    model = MODELS[name]
    x, last, age = past
    k, chances = model.k, x + model.leaves_after_first

    # Trapezoid rules in logit(p) and log(rate), whose integrands fall to 1e-20 before the grid ends.
    odds, log_rate = np.meshgrid(np.arange(-90.0, 60.0, 0.1), np.arange(-80.0, 8.0, 0.1), sparse=True)
    log_p, log_q, rate = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds), np.exp(log_rate)
    log_prior = model.r * math.log(model.alpha) - gammaln(model.r) + model.r * log_rate - model.alpha * rate
    log_prior = log_prior + model.a * log_p + model.b * log_q - betaln(model.a, model.b)
    idle = rate * (age - last)
    waits = sum(idle**j / math.factorial(j) for j in range(k)) * np.exp(-idle)
    left = np.exp(log_p + (chances - 1) * log_q) if chances else 0.0
    order_gaps = (rate**k / math.factorial(k - 1)) ** x * np.exp(-rate * last)
    found = 0.01 * (np.exp(log_prior) * order_gaps * (np.exp(chances * log_q) * waits + left)).sum()
    # exp(-80 * 0.6) = 1e-21 of the rates and exp(-90 * 0.5) = 3e-20 of the chances lie beyond.
    assert_allclose(log_likelihood(model, *past), math.log(found), atol=1e-11)


@given(
    st.floats(-3.0, 3.0), st.floats(-1.0, 1.5), st.floats(-2.0, 3.0), st.floats(-2.0, 3.0), st.integers(1, 8), st.data()
)
def test_the_sum_and_the_integral_agree(log_shape, log_reach, log_a, log_b, k, data):
    stage = data.draw(st.integers(0, k - 1))
    case = k, stage, 10.0**log_shape + stage, 10.0**log_reach, 10.0**log_a, 10.0**log_b
    if not terms_needed(case[2], case[3]) < 3e4:
        return
    added, integrated = sums_survival_and_orders(*case), survival_and_orders(*case)
    # The integral takes 1 - E[(1 - p)^M] as a difference for k > 1, and is used for many orders alone.
    assert_allclose(integrated, added, rtol=1e-10, atol=1e-10)


@given(st.floats(0.1, 30.0), st.floats(0.0, 20.0), st.floats(0.0, 3.0), st.floats(0.1, 5.0), st.integers(0, 30))
def test_counts_in_a_far_interval_agree_as_sum_and_as_integral(shape, before, within, a, n):
    model = BetaGeometricParams(r=shape, alpha=1.0, a=a, b=2.0)
    end = before + within * (1.0 + before)
    added = count_probs_ahead(model, 0, 0, start=before, end=end, counts=n)[0]
    length = (end - before) / (1.0 + before)
    assert_allclose(later_count_prob(float(n), shape, before, length, a=a, b=2.0), added, rtol=1e-9, atol=1e-14)


@settings(max_examples=40)
@given(params, st.integers(0, 20), st.floats(0.0, 50.0), st.floats(0.0, 30.0), st.floats(0.0, 5.0))
def test_counts_have_the_orders_and_the_survivors_of_their_interval(model, x, age, start, length):
    n = np.arange(500)[:, None]
    model = BetaGeometricParams(
        r=model.r, alpha=model.alpha + 10.0, a=model.a, b=model.b, k=model.k, leaves_after_first=True
    )
    probs = count_probs_ahead(model, x, age, start=start, end=start + length, counts=n)[:, 0]
    assert (probs >= 0.0).all()
    assert_allclose(probs.sum(axis=0), 1.0, rtol=1e-11)
    orders = orders_ahead(model, x, age, time=[start, start + length])
    assert_allclose((n * probs).sum(axis=0), orders[1] - orders[0], rtol=1e-9, atol=1e-11)


@given(params, st.integers(0, 30), st.floats(0.0, 200.0), st.floats(1e-3, 500.0))
def test_what_comes_is_in_bounds_and_nothing_comes_in_no_time(model, x, age, time):
    survival = survival_ahead(model, x, age, time=[0.0, time, 2.0 * time])
    orders = orders_ahead(model, x, age, time=[0.0, time, 2.0 * time])
    soon = next_order_ahead(model, x, age, time=[0.0, time, math.inf])
    assert (survival[0] == 1.0).all()
    assert (orders[0] == 0.0).all()
    assert (soon[0] == 0.0).all()
    assert (soon[2] == 1.0).all()
    assert ((survival >= 0.0) & (survival <= 1.0)).all()
    assert (np.diff(survival, axis=0) <= 1e-12).all()
    assert (np.diff(orders, axis=0) >= -1e-11 * orders[1:]).all()
    # One order at the least where one comes.
    assert (orders[1] >= soon[1] * (1.0 - 1e-11)).all()


@settings(max_examples=30)
@given(params, st.integers(0, 30), st.floats(0.0, 200.0), st.floats(1e-3, 0.2))
def test_a_higher_rate_is_worth_less_and_a_far_horizon_is_worth_all(model, x, age, rate):
    endless, dearer = (discounted_orders_ahead(model, x, age, rate=some) for some in (rate, 2.0 * rate))
    assert (dearer < endless).all()
    far = discounted_orders_ahead(model, x, age, rate=rate, horizon=42.0 / rate)
    # Orders later than that are worth exp(-42) = 6e-19 of those which come at once.
    assert_allclose(far, endless, rtol=1e-8)
    near = discounted_orders_ahead(model, x, age, rate=rate, horizon=1.0 / rate)
    assert (near <= orders_ahead(model, x, age, time=1.0 / rate)).all()


@given(params, st.integers(0, 30), st.floats(1.0, 200.0), st.floats(0.0, 1.0))
def test_ten_times_the_unit_is_the_same_customer(model, x, age, share):
    last = age * share if x else 0.0
    tenth = BetaGeometricParams(
        r=model.r,
        alpha=10.0 * model.alpha,
        a=model.a,
        b=model.b,
        k=model.k,
        leaves_after_first=model.leaves_after_first,
    )
    # Times scaled and rounded anew, then raised to powers up to 170.
    now = phase_probs(model, x, last, age)
    assert_allclose(phase_probs(tenth, x, 10.0 * last, 10.0 * age), now, rtol=1e-10)
    orders = orders_ahead(model, x, age, time=26.0)
    assert_allclose(orders_ahead(tenth, x, 10.0 * age, time=260.0), orders, rtol=1e-10)
    worth = discounted_orders_ahead(model, x, age, rate=0.03)
    assert_allclose(discounted_orders_ahead(tenth, x, 10.0 * age, rate=0.003), worth, rtol=1e-10)
    density = log_likelihood(model, x, last, age) - model.k * x * math.log(10.0)
    assert_allclose(log_likelihood(tenth, x, 10.0 * last, 10.0 * age), density, rtol=1e-10, atol=1e-9)


@given(params, st.integers(0, 30), st.floats(0.0, 200.0), st.floats(0.0, 100.0), st.floats(0.0, 50.0))
def test_idling_lowers_the_chance_of_being_alive(model, x, last, idle, more):
    last = last if x else 0.0
    sooner, later = phase_probs(model, x, last, [last + idle, last + idle + more]).sum(axis=-1)
    assert 0.0 <= later <= sooner * (1.0 + 1e-12) <= 1.0 + 1e-9


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_no_corner_is_without_a_number(k, size):
    x, last, age = np.array([0, 1, 3000, 1e6]), np.array([0.0, 0.0, 1001.0, 364.0]), np.array([0.0, 0.0, 1001.0, 365.0])
    for corner in ({"r": size}, {"alpha": size}, {"a": size}, {"b": size}, {"a": size, "b": size}, {"a": 1.0}):
        for after_first in (False, True):
            model = BetaGeometricParams(
                **{"r": 0.4, "alpha": 9.0, "a": 0.3, "b": 0.5} | corner, k=k, leaves_after_first=after_first
            )
            found = [
                log_likelihood(model, x, last, age),
                phase_probs(model, x, last, age),
                phase_probs_new(model),
                orders_ahead(model, x, age, time=[[0.0], [1e-9], [30.0], [1e6]]),
                survival_ahead(model, x, age, time=[[0.0], [1e-9], [30.0], [1e6]]),
                discounted_orders_ahead(model, x, age, rate=3e-4, horizon=365.0),
                discounted_orders_ahead(model, x, age, rate=3e-4),
                count_probs_ahead(model, x, age, start=0.0, end=30.0, counts=[[0], [3], [3000]]),
                next_order_ahead(model, x, age, time=30.0),
            ]
            for numbers in found:
                assert np.isfinite(numbers).all()
            for probs in (found[1], found[4], found[7], found[8]):
                assert ((probs >= 0.0) & (probs <= 1.0)).all()


def test_a_million_orders_come_at_the_rate_of_the_past():
    model = BetaGeometricParams(r=0.4, alpha=9.0, a=1e-3, b=5.0)
    # Hardly anybody leaves, a/(b + x) = 1e-9 an order: (0.4 + 1e6) / (9 + 365) orders a day, less 1e-6 of them.
    found = orders_ahead(model, 1e6, 365.0, time=365.0)
    assert_allclose(found, (0.4 + 1e6) * 365.0 / 374.0, rtol=1e-3)
    assert_allclose(next_order_ahead(model, 1e6, 365.0, time=math.inf), 1.0, rtol=0.0)


def test_a_customers_number_does_not_depend_on_who_else_is_asked_for():
    model = MODELS["BG/CNBD-3"]
    x, age = np.arange(5000) % 40, 30.0 + np.arange(5000) % 700
    together = orders_ahead(model, x, age, time=90.0)
    alone = orders_ahead(model, x[4321], age[4321], time=90.0)
    assert (together[4321] == alone).all()


@pytest.mark.parametrize("time", [-1.0, math.nan])
def test_a_time_that_is_none_is_refused(time):
    model = MODELS["BG/NBD"]
    with pytest.raises(DataError, match="time must not be negative"):
        next_order_ahead(model, 1, 30.0, time=time)
    with pytest.raises(DataError, match="time must be finite and not negative"):
        orders_ahead(model, 1, 30.0, time=time)


def test_more_stages_before_an_interval_than_can_be_summed_are_refused():
    model = BetaGeometricParams(r=1.0, alpha=1e-3, a=1.0, b=1.0, k=2)
    with pytest.raises(DataError, match="more than 1e\\+07 stages may pass before start"):
        count_probs_ahead(model, 0, 0, start=1e6, end=2e6, counts=1)
