"""What comes ahead under Pareto/NBD against simulated customers, finer quadrature and the laws it must keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import nbinom

from cxsim import rng
from cxsim.clv.models import pareto_nbd
from cxsim.clv.models.pareto_nbd import (
    ParetoNbdParams,
    count_probs_ahead,
    discounted_orders_ahead,
    next_order_ahead,
    orders_ahead,
    phase_probs,
    survival_ahead,
)
from cxsim.clv.models.purchases import PurchaseModel
from cxsim.errors import DataError

PARAMS = ParetoNbdParams(r=0.55, alpha=10.56, s=0.61, beta=11.64)
DRAWS = 100_000

positive = st.floats(0.05, 20.0)
params = st.builds(ParetoNbdParams, r=positive, alpha=positive, s=positive, beta=positive)
spans = st.floats(0.0, 300.0)
frequencies = st.integers(0, 60)


def _simulated(x, age, end):
    """Return end of life and order times, one row per customer alive at `age`; infinity past `end` or the life."""
    luck = rng.stream(20240501, x, "pareto_nbd ahead")
    rate = luck.gamma(PARAMS.r + x, 1.0 / (PARAMS.alpha + age), DRAWS)
    life = luck.exponential(1.0 / luck.gamma(PARAMS.s, 1.0 / (PARAMS.beta + age), DRAWS))
    times, last = [], np.zeros(DRAWS)
    while True:
        last = last + luck.exponential(1.0 / rate)
        last[(last > end) | (last > life)] = np.inf
        if np.isinf(last).all():
            return life, np.array(times).T
        times.append(last)


def _is_mean(draws, expected):
    assert abs(draws.mean() - expected) < 4.0 * draws.std() / math.sqrt(draws.size)


@pytest.mark.parametrize(("x", "age"), [(0, 0.0), (2, 38.86), (26, 31.0)])
def test_simulated_customers_who_are_alive_do_what_is_expected_of_them(x, age):
    life, times = _simulated(x, age, 52.0)
    for time in (4.0, 52.0):
        _is_mean(life > time, survival_ahead(PARAMS, x, age, time=time).item())
        _is_mean((times <= time).sum(axis=1), orders_ahead(PARAMS, x, age, time=time).item())
        _is_mean(times[:, 0] <= time, next_order_ahead(PARAMS, x, age, time=time).item())
    worth = np.exp(-0.02 * times).sum(axis=1)
    _is_mean(worth, discounted_orders_ahead(PARAMS, x, age, rate=0.02, horizon=52.0).item())
    for start, end in ((0.0, 13.0), (13.0, 52.0), (26.0, 26.5)):
        found = ((times > start) & (times <= end)).sum(axis=1)
        for n in (0, 1, 2, 5, 20):
            chance = count_probs_ahead(PARAMS, x, age, start=start, end=end, counts=n).item()
            # By the standard error of the chance that is claimed, and one draw for chances of one in millions.
            allowed = 4.0 * math.sqrt(chance * (1.0 - chance) / DRAWS) + 1.0 / DRAWS
            assert abs((found == n).mean() - chance) < allowed


def test_simulated_pasts_are_alive_as_often_as_their_own_probabilities_say():
    luck = rng.stream(20240501, 0, "pareto_nbd pasts")
    rate, life = luck.gamma(0.55, 1.0 / 10.56, DRAWS), luck.exponential(1.0 / luck.gamma(0.61, 1.0 / 11.64, DRAWS))
    seen = np.minimum(life, 39.0)
    x = luck.poisson(rate * seen)
    # The last of x orders that fall anywhere.
    last = np.where(x > 0, seen * luck.random(DRAWS) ** (1.0 / np.maximum(x, 1)), 0.0)
    sentence = phase_probs(PARAMS, x, last, 39.0)[:, 0]
    for group in (x == 0, x == 1, x >= 2, sentence < 0.3, sentence > 0.8):
        alive = life[group] > 39.0
        assert abs(alive.mean() - sentence[group].mean()) < 4.0 * alive.std() / math.sqrt(alive.size)


@pytest.mark.parametrize("case", range(8))
def test_integrals_agree_with_adaptive_quadrature(case):
    luck = rng.stream(1, case, "pareto_nbd cases")
    r, alpha, s, beta = np.exp(luck.uniform(np.log(0.05), np.log(30.0), 4))
    p, x, age = ParetoNbdParams(r=r, alpha=alpha, s=s, beta=beta), int(luck.integers(0, 20)), 30.0 * luck.random()
    shape, a, b = r + x, alpha + age, beta + age

    def survived(t):
        return (1.0 + t / b) ** -s

    def integral(function, until):
        return quad(function, 0.0, until, epsabs=1e-14, epsrel=1e-12, limit=500)[0]

    def left_at(t):
        return s / b * (1.0 + t / b) ** (-s - 1.0)

    # Adaptive quadrature is asked for twelve digits and says it has ten.
    worth = shape / a * integral(lambda t: math.exp(-0.003 * t) * survived(t), 500.0)
    assert_allclose(discounted_orders_ahead(p, x, age, rate=0.003, horizon=500.0), worth, rtol=1e-10)
    coming = integral(lambda t: shape / a * (1.0 + t / a) ** (-shape - 1.0) * survived(t), 77.0)
    assert_allclose(next_order_ahead(p, x, age, time=77.0), coming, rtol=1e-10)
    # By the probability v of no order until then, which is uniform.
    ever = integral(lambda v: survived(a * (v ** (-1.0 / shape) - 1.0)) if v > 0.0 else 0.0, 1.0)
    assert_allclose(next_order_ahead(p, x, age, time=math.inf), ever, rtol=1e-8)
    for n in (1, 3, 30):
        within = integral(lambda t, n=n: nbinom.pmf(n, shape, a / (a + t)) * left_at(9.0 + t), 40.0)
        stayed = nbinom.pmf(n, shape, a / (a + 40.0)) * survived(49.0)
        assert_allclose(count_probs_ahead(p, x, age, start=9, end=49, counts=n), stayed + within, rtol=1e-10)


@given(params, frequencies, spans, spans, st.floats(0.01, 60.0))
def test_counts_sum_to_one_and_average_to_the_expected_orders(p, x, age, start, time):
    counts = np.arange(400)
    found = count_probs_ahead(p, x, age, start=start, end=start + time, counts=counts)[:, 0]
    assert np.all((found >= 0.0) & (found <= 1.0))
    assert found.sum() <= 1.0 + 1e-12
    # A tail below 1e-17 at 400 orders holds no more than that per count beyond.
    if found[-1] < 1e-17:
        mean = np.diff(orders_ahead(p, x, age, time=[start, start + time])[:, 0]).item()
        assert_allclose(found.sum(), 1.0, rtol=1e-12)
        assert_allclose((counts * found).sum(), mean, rtol=1e-9, atol=1e-11)


@given(params, frequencies, spans, spans, spans)
def test_more_time_leaves_fewer_and_brings_more(p, x, age, time, more):
    times = [0.0, time, time + more]
    stays, orders, coming = (
        ahead(p, x, age, time=times)[:, 0] for ahead in (survival_ahead, orders_ahead, next_order_ahead)
    )
    assert stays[0] == 1.0
    assert orders[0] == coming[0] == 0.0
    assert stays[0] >= stays[1] >= stays[2] >= 0.0
    for rising in (orders, coming):
        assert rising[2] >= rising[1] * (1.0 - 1e-12) >= 0.0
    ever = next_order_ahead(p, x, age, time=math.inf).item()
    assert coming[2] <= ever * (1.0 + 1e-12) <= 1.0 + 1e-12


@given(params, frequencies, spans, st.floats(1e-4, 1.0), st.floats(0.1, 500.0))
def test_a_discount_takes_value_away_and_none_takes_none(p, x, age, rate, horizon):
    plain = orders_ahead(p, x, age, time=horizon).item()
    assert_allclose(discounted_orders_ahead(p, x, age, rate=0.0, horizon=horizon), plain, rtol=1e-11)
    worth = discounted_orders_ahead(p, x, age, rate=rate, horizon=horizon).item()
    assert math.exp(-rate * horizon) * plain * (1.0 - 1e-11) <= worth <= plain * (1.0 + 1e-11)
    assert worth <= discounted_orders_ahead(p, x, age, rate=rate).item() * (1.0 + 1e-11)


@given(params, frequencies, st.floats(0.1, 300.0), st.floats(0.0, 1.0), st.floats(0.0, 100.0))
def test_idling_can_only_lower_the_probability_of_being_alive(p, x, age, share, more):
    last = share * age if x else 0.0
    now, later = phase_probs(p, x, last, [age, age + more])[:, 0]
    assert 0.0 <= later <= now * (1.0 + 1e-12) <= 1.0 + 1e-12


@given(params, frequencies, st.floats(0.1, 300.0), st.floats(0.0, 1.0))
def test_the_unit_of_time_does_not_matter(p, x, age, share):
    days = ParetoNbdParams(r=p.r, alpha=7.0 * p.alpha, s=p.s, beta=7.0 * p.beta)
    last = share * age if x else 0.0
    assert_allclose(phase_probs(days, x, 7 * last, 7 * age), phase_probs(p, x, last, age), rtol=1e-10)
    assert_allclose(orders_ahead(days, x, 7 * age, time=364), orders_ahead(p, x, age, time=52), rtol=1e-12)


def test_expectations_pass_smoothly_through_s_equal_to_one():
    around = [ParetoNbdParams(r=0.5, alpha=10.0, s=s, beta=12.0) for s in (1.0 - 1e-9, 1.0, 1.0 + 1e-9)]
    low, middle, high = (orders_ahead(p, 3, 40, time=52).item() for p in around)
    assert_allclose(middle, 3.5 / 50.0 * 52.0 * math.log(2.0), rtol=1e-14)  # log(1 + 52 / 52) lifetimes of 52
    assert_allclose([low, high], middle, rtol=1e-9)


def test_ends_of_the_parameters_still_give_probabilities():
    for r, alpha, s, beta in np.exp(rng.stream(2, 0, "ends").uniform(np.log(1e-4), np.log(1e6), (300, 4))):
        p = ParetoNbdParams(r=r, alpha=alpha, s=s, beta=beta)
        for x in (0, 1000):
            coming = next_order_ahead(p, x, 40, time=[1e-3, 10.0, math.inf])[:, 0]
            counts = count_probs_ahead(p, x, 40, start=3, end=50, counts=[0, 1, 100, 10_000])[:, 0]
            for found in (coming, counts):
                assert np.all((found >= 0.0) & (found <= 1.0)), (p, x, found)
            assert np.isfinite(discounted_orders_ahead(p, x, 40, rate=1e-3)).all()


def test_many_customers_are_answered_as_one_by_one():
    x, last, age = np.array([0, 1, 26, 0] * 700), np.array([0.0, 3.0, 30.0, 0.0] * 700), np.array([9.0, 8, 31, 9] * 700)
    assert phase_probs(PARAMS, x, last, age)[2].item() == phase_probs(PARAMS, 26, 30.0, 31).item()
    many = discounted_orders_ahead(PARAMS, x.reshape(2, -1), age.reshape(2, -1), rate=0.01)
    assert many.shape == (2, 1400, 1)
    assert many[0, 2].item() == discounted_orders_ahead(PARAMS, 26, 31, rate=0.01).item()
    assert count_probs_ahead(PARAMS, x[:3, None], age[:3, None], start=0, end=4, counts=np.arange(5)).shape == (3, 5, 1)


def test_the_module_keeps_the_protocol_of_purchase_models():
    asked = [name for name in vars(PurchaseModel) if not name.startswith("_")]
    assert asked
    assert all(callable(getattr(pareto_nbd, name)) for name in asked)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: phase_probs(PARAMS, 1, 50, 40), "last_order must not exceed age; found last_order 50.0"),
        (lambda: orders_ahead(PARAMS, 1, 40, time=-1), "time must be finite and not negative; found -1.0"),
        (lambda: survival_ahead(PARAMS, 0.5, 40, time=1), r"frequency must be whole numbers; found 0\.5"),
        (lambda: next_order_ahead(PARAMS, 1, 40, time=math.nan), "time must not be negative; found nan"),
        (lambda: discounted_orders_ahead(PARAMS, 1, 40, rate=0.0), "rate must be positive for an infinite horizon"),
        (lambda: discounted_orders_ahead(PARAMS, 1, 40, rate=math.nan), "found rate nan and horizon inf"),
        (
            lambda: count_probs_ahead(PARAMS, 1, 40, start=5, end=4, counts=0),
            "start must not exceed end; found start 5",
        ),
        (lambda: count_probs_ahead(PARAMS, 1, 40, start=0, end=4, counts=-1), "counts must be finite and not negative"),
    ],
)
def test_the_impossible_is_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
