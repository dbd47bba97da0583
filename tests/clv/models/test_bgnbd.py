"""Beta-geometric models against the process that they describe, simulated, and against other ways to compute them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose
from scipy.special import betaln, gammaln

from cxsim import rng
from cxsim.clv.models.bgnbd import BetaGeometricParams, phase_probs_new
from cxsim.clv.models.bgnbd_integrals import survival_and_orders_by_integrals, survival_and_orders_by_sums, terms_needed
from cxsim.clv.models.purchases import Outlook, bgnbd, log_likelihood
from cxsim.errors import DataError, ParamError
from tests.clv.shops import ahead

IN_ROWS = ahead(bgnbd)
count_probs_ahead, discounted_orders_ahead = IN_ROWS.count_probs_ahead, IN_ROWS.discounted_orders_ahead
next_order_ahead, orders_ahead, survival_ahead = IN_ROWS.next_order_ahead, IN_ROWS.orders_ahead, IN_ROWS.survival_ahead
phase_probs = IN_ROWS.phase_probs

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
    """Return order times (infinite where there is none) and the time of dropout, of customers with the past above.

    What is known of the past is drawn exactly: alive in which stage or gone, purchase rate and chance of dropout.
    """
    draw = rng.stream(20240501, 0, name)
    now = phase_probs(model, X, LAST, AGE)
    stage = draw.choice(model.k + 1, size=DRAWS, p=[*now, 1.0 - now.sum()])
    alive = stage < model.k
    rate = draw.gamma(model.r + model.k * X + stage, 1.0 / (model.alpha + AGE))
    leaves = draw.beta(model.a, model.b + X + model.leaves_after_first, size=DRAWS)
    orders, left = np.full((DRAWS, 40), np.inf), np.where(alive, np.inf, 0.0)
    clock = np.zeros(DRAWS)
    for order in range(orders.shape[1]):
        stages = model.k - stage * (order == 0)
        clock += draw.gamma(np.where(alive, stages, 1), 1.0 / rate)
        still = np.isinf(left)
        orders[still, order] = clock[still]
        goes = still & (draw.random(DRAWS) < leaves)
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
        value = np.where(orders <= time, np.exp(-0.05 * orders), 0.0).sum(axis=1)
        assert_mean(value, mean(discounted_orders_ahead(model, X, AGE, rate=0.05, horizon=time)))
    assert_mean(np.exp(-0.3 * orders).sum(axis=1), mean(discounted_orders_ahead(model, X, AGE, rate=0.3)))
    for start, end in ((0.0, 12.0), (9.0, 25.0)):
        found = ((orders > start) & (orders <= end)).sum(axis=1)
        for n in (0, 1, 2, 5):
            gone = (1.0 - now.sum()) * (n == 0)
            assert_mean(found == n, mean(count_probs_ahead(model, X, AGE, start=start, end=end, counts=n)) + gone)


@pytest.mark.parametrize("name", MODELS)
def test_the_past_has_the_share_that_a_simulation_from_the_start_gives_it(name):
    model = MODELS[name]
    draw = rng.stream(7, 0, name)
    rate, leaves = draw.gamma(model.r, 1.0 / model.alpha, DRAWS), draw.beta(model.a, model.b, DRAWS)
    first = draw.gamma(model.k, 1.0, DRAWS) / rate
    second = first + draw.gamma(model.k, 1.0, DRAWS) / rate
    there = draw.random(DRAWS) >= leaves * model.leaves_after_first
    stays = draw.random(DRAWS) >= leaves
    once = there & (first < 4.0) & ~(stays & (second < 10.0))
    x, w = np.polynomial.legendre.leggauss(60)
    gap = 2.0 * (x + 1.0)
    log_density = log_likelihood(model, 1, gap, 10.0) + (model.k - 1) * np.log(gap)
    assert_mean(once, (2.0 * w * np.exp(log_density)).sum())
    alive = phase_probs(model, 1, gap, 10.0).sum(axis=-1)
    assert_mean(once & stays, (2.0 * w * alive * np.exp(log_density)).sum())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("past", [(0, 0.0, 12.0), (2, 7.0, 12.0), (4, 12.0, 12.0)])
def test_the_log_likelihood_is_that_of_an_integration_over_rates_and_chances_of_dropout(name, past):
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
    added, integrated = survival_and_orders_by_sums(*case), survival_and_orders_by_integrals(*case)
    # The integral takes 1 - E[(1 - p)^M] as a difference for k > 1, and is used for many orders alone.
    assert_allclose(integrated, added, rtol=1e-10, atol=1e-10)


@settings(max_examples=25)
@given(params, st.integers(0, 20), st.floats(0.0, 50.0), st.floats(0.0, 30.0), st.floats(0.0, 5.0))
def test_counts_have_the_orders_and_the_survivors_of_their_interval(model, x, age, start, length):
    n = np.arange(500)[:, None]
    model = replace(model, alpha=model.alpha + 10.0, leaves_after_first=True)
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
def test_a_higher_rate_leaves_less_and_a_far_horizon_leaves_all(model, x, age, rate):
    endless, steeper = (discounted_orders_ahead(model, x, age, rate=some) for some in (rate, 2.0 * rate))
    assert (steeper < endless).all()
    far = discounted_orders_ahead(model, x, age, rate=rate, horizon=42.0 / rate)
    # Orders later than that count exp(-42) = 6e-19 of those which come at once.
    assert_allclose(far, endless, rtol=1e-8)
    near = discounted_orders_ahead(model, x, age, rate=rate, horizon=1.0 / rate)
    assert (near <= orders_ahead(model, x, age, time=1.0 / rate)).all()


@given(params, st.integers(0, 30), st.floats(1.0, 200.0), st.floats(0.0, 1.0))
def test_ten_times_the_unit_is_the_same_customer(model, x, age, share):
    last = age * share if x else 0.0
    tenth = replace(model, alpha=10.0 * model.alpha)
    # Times scaled and rounded anew, then raised to powers up to 170.
    now = phase_probs(model, x, last, age)
    assert_allclose(phase_probs(tenth, x, 10.0 * last, 10.0 * age), now, rtol=1e-10)
    orders = orders_ahead(model, x, age, time=26.0)
    assert_allclose(orders_ahead(tenth, x, 10.0 * age, time=260.0), orders, rtol=1e-10)
    value = discounted_orders_ahead(model, x, age, rate=0.03)
    assert_allclose(discounted_orders_ahead(tenth, x, 10.0 * age, rate=0.003), value, rtol=1e-10)
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


def test_more_stages_before_an_interval_than_can_be_summed_are_refused():
    model = BetaGeometricParams(r=1.0, alpha=1e-3, a=1.0, b=1.0, k=2)
    with pytest.raises(DataError, match="more than 1e\\+07 stages may pass before start"):
        count_probs_ahead(model, 0, 0, start=1e6, end=2e6, counts=1)


# Fader, Hardie & Lee (2005), table 2: CDNOW, as printed, and at the maximum (recomputed by Newton's method).
PRINTED = BetaGeometricParams(r=0.243, alpha=4.414, a=0.793, b=2.426)
FITTED = BetaGeometricParams(r=0.2425945224301569, alpha=4.4136020190135, a=0.7929220172256349, b=2.4259067768264777)

# The maximum for MBG/NBD on the same data (recomputed by Newton's method).
MODIFIED = BetaGeometricParams(
    r=0.5248431591063236, alpha=6.183085279576174, a=0.8913593907321627, b=1.6140022401701428, leaves_after_first=True
)

# "Recomputed" below: formulas evaluated with 30-digit arithmetic. EIGHT: the number is held to eight digits, and half
# a unit of the eighth is at most 5e-8 of it.
EIGHT = 5e-8


def test_a_new_customers_orders_agree_with_the_spreadsheet():
    weeks = [0.1429, 1, 3, 31.8571, 32, 78]
    # Hardie's BG/NBD spreadsheet, four decimals; its parameters are held to three, which moves the last column by 3e-4.
    assert_allclose(
        Outlook(FITTED).expected_purchases(weeks), [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], atol=5e-4
    )
    recomputed = [0.0078160, 0.0531843, 0.1506308, 1.0404891, 1.0437320, 1.8579583]
    assert_allclose(Outlook(FITTED).expected_purchases(weeks), recomputed, atol=5.01e-8)  # seven decimals


def test_a_new_customers_orders_agree_with_thirty_digit_arithmetic():
    weeks = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    recomputed = [
        0.053267891, 0.10338974, 0.15086523, 0.19606817, 0.2392882,
        0.28075589, 0.32065882, 0.35915229, 0.3963668, 0.43241336,
    ]  # fmt: skip
    assert_allclose(Outlook(PRINTED).expected_purchases(weeks), recomputed, rtol=EIGHT)
    full = [0.05326789117165828, 0.4324133622344256, 1.0452433283744438, 1.8605190579427686]
    # Sixteen digits; the rule of quadrature and the Beta function lose no more than four of them.
    assert_allclose(Outlook(PRINTED).expected_purchases([1, 10, 32, 78]), full, rtol=1e-12)
    assert_allclose(np.diff(Outlook(PRINTED).expected_purchases([39, 78])), 0.66379586, rtol=EIGHT)


def test_the_papers_customer_is_expected_to_order_1_226_times():
    found = Outlook(PRINTED, 2, 30.43, 38.86).expected_purchases(39)
    assert_allclose(found, 1.226, atol=5e-4)  # Fader, Hardie & Lee (2005), three decimals
    assert_allclose(found, 1.2260281747671444, rtol=1e-12)  # recomputed, sixteen digits less four
    assert_allclose(Outlook(FITTED, 2, 30.43, 38.86).prob_alive(), 0.72660917, rtol=EIGHT)


def test_customer_1516_of_cdnow():
    past = (26, 216 / 7, 31)
    # The BTYD walkthrough prints seven digits at its own estimates.
    btyd = BetaGeometricParams(r=0.2425967, alpha=4.413659, a=0.7929869, b=2.426164)
    assert_allclose(Outlook(btyd, *past).expected_purchases(52), 25.75659, rtol=4e-7)
    assert_allclose(Outlook(btyd, *past).prob_alive(), 0.9688523, rtol=4e-7)
    assert_allclose(Outlook(btyd).expected_purchases(52), 1.444004, rtol=4e-7)
    # Recomputed at the maximum; sixteen digits less four.
    assert_allclose(Outlook(FITTED, *past).expected_purchases(52), 25.75733697026883, rtol=1e-12)
    assert_allclose(Outlook(FITTED, *past).prob_alive(), 0.9688544413976647, rtol=1e-12)
    assert_allclose(Outlook(FITTED).expected_purchases(52), 1.4440123973398682, rtol=1e-12)


def test_the_increasing_frequency_paradox():
    btyd = BetaGeometricParams(r=0.2425967, alpha=4.413659, a=0.7929869, b=2.426164)
    printed = [0.3474606, 0.04283391, 0.004158973, 0.0003583685]  # BTYD walkthrough, seven digits of the result
    found = Outlook(btyd, [10, 15, 20, 25], 20, 39).expected_purchases(52)
    # Its parameters are held to seven digits as well, and enter with powers up to 25.
    assert_allclose(found, printed, rtol=2e-6)


def test_the_examples_of_the_btyd_manual():
    recomputed = [
        0.122172, 0.128104, 0.127537, 0.12137, 0.110985, 0.0979785, 0.0838801, 0.0699372,
        0.0570176, 0.0456156, 0.0359225, 0.0279193, 0.0214618, 0.016346, 0.0123525, 0.00927243,
    ]  # fmt: skip
    assert_allclose(Outlook(PRINTED, 10, 35, 39).expected_purchases(2), 0.39156921, rtol=EIGHT)
    assert_allclose(
        Outlook(PRINTED, np.arange(5, 21), 25, 39).expected_purchases(2), recomputed, rtol=5e-6
    )  # six digits
    assert_allclose(Outlook(PRINTED, 23, 39, 39).prob_alive(), 0.9685554542210238, rtol=1e-12)
    alive = [
        0.7056268471578602, 0.6870911325324592, 0.6638661809544252, 0.636545641920792,
        0.6056144892787603, 0.5715517342425384, 0.5348847516172164, 0.4962124843868694,
        0.4562050527491577, 0.4155845331165919, 0.3750918928900537, 0.33544621617791126,
        0.29730313455944496, 0.26121904312669464, 0.22762608773508225, 0.19682044446703875,
    ]  # fmt: skip
    assert_allclose(Outlook(PRINTED, np.arange(5, 21), 30, 39).prob_alive(), alive, rtol=1e-12)


def test_a_of_one_is_a_number_like_any_other():
    at_one = BetaGeometricParams(r=0.243, alpha=4.414, a=1.0, b=2.426)
    # Recomputed as a limit, which leaves twelve digits.
    assert_allclose(Outlook(at_one).expected_purchases(52), 1.2899882524834163, rtol=1e-11)
    assert_allclose(Outlook(at_one, 2, 30, 39).expected_purchases(52), 1.3685134659609466, rtol=1e-11)


def test_shapes_which_sum_to_less_than_one_are_no_obstacle():
    small = BetaGeometricParams(r=0.11, alpha=2.24, a=0.31, b=0.5)
    found = Outlook(small, [0, 1], [0.0, 0.5], 1).expected_purchases(30)
    assert_allclose(found, [0.5645886155327847, 3.510360616404172], rtol=1e-12)  # recomputed, sixteen digits less four


def test_thousands_of_orders_are_no_obstacle():
    found = Outlook(PRINTED, [1000, 3000], [360, 1000], [365, 1001]).expected_purchases(365)
    # Recomputed; log Gamma of 3000 is 21,000, so its last bit is 4e-12 of the result.
    assert_allclose(found, [1.1208735220198898, 954.7258453979689], rtol=1e-10)


def test_two_hundred_orders_have_a_log_likelihood():
    other = BetaGeometricParams(r=0.25, alpha=4.0, a=0.8, b=2.5)
    assert_allclose(log_likelihood(other, 200, 38, 40), 100.7957, atol=5e-5)  # btyd's tests, four decimals
    assert_allclose(log_likelihood(other, 0, 0, 40), -0.59947382, rtol=EIGHT)  # Hardie, note 027


def test_orders_for_ever_discounted_to_today():
    rate = math.log(1.15) / 52  # 15 % a year
    found = Outlook(FITTED, [0, 2, 10, 26], [0, 30.43, 35, 216 / 7], [38.86, 38.86, 39, 31]).discounted_purchases(
        rate=rate
    )
    assert_allclose(found, [1.0172533, 5.169537, 22.87745, 71.06738], rtol=1.5e-7)  # recomputed, seven digits


@pytest.mark.parametrize("years", [1, 3, 10, 30])
def test_sixteen_nodes_are_enough_for_a_finite_horizon(years):
    weeks, rate = 52.18 * years, math.log(1.1) / 52.18
    past = np.array([0, 3, 10]), np.array([0.0, 4.0, 35.0]), np.array([0.2, 6.0, 39.0])
    x, w = np.polynomial.legendre.leggauss(200)
    length = math.log1p(weeks / FITTED.alpha)
    times = FITTED.alpha * np.expm1(length * (x + 1) / 2)[:, None]
    weights = (w[:, None] * length / 2) * (times + FITTED.alpha) * rate * np.exp(-rate * times)
    dense = (weights * Outlook(FITTED, *past).expected_purchases(times)).sum(axis=0)
    dense += math.exp(-rate * weeks) * Outlook(FITTED, *past).expected_purchases(weeks)
    # The bound that the source states.
    assert_allclose(Outlook(FITTED, *past).discounted_purchases(rate=rate, horizon=weeks), dense, rtol=1e-9)


def test_mbg_nbd_agrees_with_thirty_digit_arithmetic_at_its_maximum_for_cdnow():
    orders = [0.053060323433573774, 0.15079221908169868, 1.036605711290121, 1.4188848767712308, 1.8036304174578044]
    # Sixteen digits, and Beta functions lose four of them.
    assert_allclose(Outlook(MODIFIED).expected_purchases([1, 3, 32, 52, 78]), orders, rtol=1e-12)
    assert_allclose(Outlook(MODIFIED, 2, 30.43, 38.86).expected_purchases(39), 1.2626692309444434, rtol=1e-12)
    assert_allclose(Outlook(MODIFIED, 0, 0, 38.86).expected_purchases(39), 0.15395429, rtol=EIGHT)
    alive = [0.706125687505001, 0.38971505834435693]
    assert_allclose(Outlook(MODIFIED, [2, 0], [30.43, 0], 38.86).prob_alive(), alive, rtol=1e-12)
    counts = [
        0.6106522841278608, 0.18171162790754186, 0.08301773535770263, 0.044702835083532386,
        0.026414131016505433, 0.016579109405854008, 0.010857769390827552, 0.007338557190596614,
        0.0050819802560816115, 0.0035878104171496185, 0.0025729263004433687, 0.0018691931246268476,
        0.001372818922587775, 0.0010176625596685074, 0.0007604453810128993, 0.0005722094043264461,
    ]  # fmt: skip
    assert_allclose(Outlook(MODIFIED).purchase_probability(end=30, counts=np.arange(16)), counts, rtol=1e-12)
    assert_allclose(Outlook(MODIFIED).purchase_probability(end=39, counts=0), 0.5826050392212062, rtol=1e-12)
    assert_allclose(Outlook(MODIFIED).purchase_probability(end=2, counts=10), 2.207452e-8, rtol=3e-7)  # seven digits


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_parameter_must_be_a_positive_finite_number(value):
    with pytest.raises(ParamError, match=r"BG/NBD: alpha is .*; it must be a positive finite number"):
        BetaGeometricParams(r=1.0, alpha=value, a=1.0, b=1.0)


def test_counts_of_a_new_customer_agree_with_the_tests_of_lifetimes():
    printed = [
        0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638,
        0.0005517902, 0.0004361913, 0.0003467171, 0.0002769613, 0.0002222260,
    ]  # fmt: skip
    found = Outlook(PRINTED).purchase_probability(end=30, counts=np.arange(11, 21))
    assert_allclose(found, printed, atol=5.01e-11)  # ten decimals
    assert_allclose(Outlook(PRINTED).purchase_probability(end=39, counts=0), 0.5737863520960094, rtol=1e-12)
    assert_allclose(Outlook(PRINTED).purchase_probability(end=2, counts=10), 1.0786896403691478e-07, rtol=1e-11)


def test_counts_of_a_new_customer_agree_with_thirty_digit_arithmetic():
    recomputed = [
        0.6071103173120918, 0.1937119543800327, 0.08007902852887369, 0.0416660786380812,
        0.02440763218330687, 0.015395321314375434, 0.010217670095261311, 0.007038594161230667,
        0.004988531839049005, 0.003615790514599393, 0.0026687859892808915,
    ]  # fmt: skip
    # Sixteen digits less four, for the Beta functions.
    assert_allclose(Outlook(PRINTED).purchase_probability(end=30, counts=np.arange(11)), recomputed, rtol=1e-12)


def test_two_hundred_orders_have_a_probability():
    recomputed = [1.1250202945461301e-05, 6.613300420431793e-06, 5.996469787665066e-06, 3.316207775206326e-06]
    # log Gamma of 200 is 860: its last bit is 1e-13 of the result, and there are several.
    found = Outlook(PRINTED).purchase_probability(end=300, counts=[150, 171, 175, 200])
    assert_allclose(found, recomputed, rtol=1e-11)
