"""Expected orders and P(alive) of BG/NBD, and of MBG/NBD, against published and recomputed numbers; times in weeks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.purchases import (
    discounted_expected_purchases,
    expected_purchases,
    expected_purchases_new,
    log_likelihood,
    prob_alive,
    purchase_probability_new,
)
from cxsim.errors import DataError, ParamError

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

positive = st.floats(0.05, 20.0)
params = st.builds(BetaGeometricParams, r=positive, alpha=positive, a=positive, b=positive)


@st.composite
def pasts(draw):
    age = draw(st.floats(1.0, 500.0))
    frequency = draw(st.integers(0, 60))
    return frequency, (age * draw(st.floats(0.0, 1.0)) if frequency else 0.0), age


def test_a_new_customers_orders_agree_with_the_spreadsheet():
    weeks = [0.1429, 1, 3, 31.8571, 32, 78]
    # Hardie's BG/NBD spreadsheet, four decimals; its parameters are held to three, which moves the last column by 3e-4.
    assert_allclose(expected_purchases_new(FITTED, weeks), [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], atol=5e-4)
    recomputed = [0.0078160, 0.0531843, 0.1506308, 1.0404891, 1.0437320, 1.8579583]
    assert_allclose(expected_purchases_new(FITTED, weeks), recomputed, atol=5.01e-8)  # seven decimals


def test_a_new_customers_orders_agree_with_thirty_digit_arithmetic():
    weeks = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    recomputed = [
        0.053267891, 0.10338974, 0.15086523, 0.19606817, 0.2392882,
        0.28075589, 0.32065882, 0.35915229, 0.3963668, 0.43241336,
    ]  # fmt: skip
    assert_allclose(expected_purchases_new(PRINTED, weeks), recomputed, rtol=EIGHT)
    full = [0.05326789117165828, 0.4324133622344256, 1.0452433283744438, 1.8605190579427686]
    # Sixteen digits; the rule of quadrature and the Beta function lose no more than four of them.
    assert_allclose(expected_purchases_new(PRINTED, [1, 10, 32, 78]), full, rtol=1e-12)
    assert_allclose(np.diff(expected_purchases_new(PRINTED, [39, 78])), 0.66379586, rtol=EIGHT)


def test_the_papers_customer_is_expected_to_order_1_226_times():
    found = expected_purchases(PRINTED, 2, 30.43, 38.86, time=39)
    assert_allclose(found, 1.226, atol=5e-4)  # Fader, Hardie & Lee (2005), three decimals
    assert_allclose(found, 1.2260281747671444, rtol=1e-12)  # recomputed, sixteen digits less four
    assert_allclose(prob_alive(FITTED, 2, 30.43, 38.86), 0.72660917, rtol=EIGHT)


def test_customer_1516_of_cdnow():
    past = (26, 216 / 7, 31)
    # The BTYD walkthrough prints seven digits at its own estimates.
    btyd = BetaGeometricParams(r=0.2425967, alpha=4.413659, a=0.7929869, b=2.426164)
    assert_allclose(expected_purchases(btyd, *past, time=52), 25.75659, rtol=4e-7)
    assert_allclose(prob_alive(btyd, *past), 0.9688523, rtol=4e-7)
    assert_allclose(expected_purchases_new(btyd, 52), 1.444004, rtol=4e-7)
    # Recomputed at the maximum; sixteen digits less four.
    assert_allclose(expected_purchases(FITTED, *past, time=52), 25.75733697026883, rtol=1e-12)
    assert_allclose(prob_alive(FITTED, *past), 0.9688544413976647, rtol=1e-12)
    assert_allclose(expected_purchases_new(FITTED, 52), 1.4440123973398682, rtol=1e-12)


def test_the_increasing_frequency_paradox():
    btyd = BetaGeometricParams(r=0.2425967, alpha=4.413659, a=0.7929869, b=2.426164)
    printed = [0.3474606, 0.04283391, 0.004158973, 0.0003583685]  # BTYD walkthrough, seven digits of the result
    found = expected_purchases(btyd, [10, 15, 20, 25], 20, 39, time=52)
    # Its parameters are held to seven digits as well, and enter with powers up to 25.
    assert_allclose(found, printed, rtol=2e-6)


def test_the_examples_of_the_btyd_manual():
    recomputed = [
        0.122172, 0.128104, 0.127537, 0.12137, 0.110985, 0.0979785, 0.0838801, 0.0699372,
        0.0570176, 0.0456156, 0.0359225, 0.0279193, 0.0214618, 0.016346, 0.0123525, 0.00927243,
    ]  # fmt: skip
    assert_allclose(expected_purchases(PRINTED, 10, 35, 39, time=2), 0.39156921, rtol=EIGHT)
    assert_allclose(expected_purchases(PRINTED, np.arange(5, 21), 25, 39, time=2), recomputed, rtol=5e-6)  # six digits
    assert_allclose(prob_alive(PRINTED, 23, 39, 39), 0.9685554542210238, rtol=1e-12)
    alive = [
        0.7056268471578602, 0.6870911325324592, 0.6638661809544252, 0.636545641920792,
        0.6056144892787603, 0.5715517342425384, 0.5348847516172164, 0.4962124843868694,
        0.4562050527491577, 0.4155845331165919, 0.3750918928900537, 0.33544621617791126,
        0.29730313455944496, 0.26121904312669464, 0.22762608773508225, 0.19682044446703875,
    ]  # fmt: skip
    assert_allclose(prob_alive(PRINTED, np.arange(5, 21), 30, 39), alive, rtol=1e-12)


def test_a_of_one_is_a_number_like_any_other():
    at_one = BetaGeometricParams(r=0.243, alpha=4.414, a=1.0, b=2.426)
    # Recomputed as a limit, which leaves twelve digits.
    assert_allclose(expected_purchases_new(at_one, 52), 1.2899882524834163, rtol=1e-11)
    assert_allclose(expected_purchases(at_one, 2, 30, 39, time=52), 1.3685134659609466, rtol=1e-11)


def test_shapes_which_sum_to_less_than_one_are_no_obstacle():
    small = BetaGeometricParams(r=0.11, alpha=2.24, a=0.31, b=0.5)
    found = expected_purchases(small, [0, 1], [0.0, 0.5], 1, time=30)
    assert_allclose(found, [0.5645886155327847, 3.510360616404172], rtol=1e-12)  # recomputed, sixteen digits less four


def test_thousands_of_orders_are_no_obstacle():
    found = expected_purchases(PRINTED, [1000, 3000], [360, 1000], [365, 1001], time=365)
    # Recomputed; log Gamma of 3000 is 21,000, so its last bit is 4e-12 of the result.
    assert_allclose(found, [1.1208735220198898, 954.7258453979689], rtol=1e-10)


def test_two_hundred_orders_have_a_log_likelihood():
    other = BetaGeometricParams(r=0.25, alpha=4.0, a=0.8, b=2.5)
    assert_allclose(log_likelihood(other, 200, 38, 40), 100.7957, atol=5e-5)  # btyd's tests, four decimals
    assert_allclose(log_likelihood(other, 0, 0, 40), -0.59947382, rtol=EIGHT)  # Hardie, note 027


def test_orders_for_ever_discounted_to_today():
    rate = math.log(1.15) / 52  # 15 % a year
    found = discounted_expected_purchases(
        FITTED, [0, 2, 10, 26], [0, 30.43, 35, 216 / 7], [38.86, 38.86, 39, 31], rate=rate
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
    dense = (weights * expected_purchases(FITTED, *past, time=times)).sum(axis=0)
    dense += math.exp(-rate * weeks) * expected_purchases(FITTED, *past, time=weeks)
    # The bound that the source states.
    assert_allclose(discounted_expected_purchases(FITTED, *past, rate=rate, horizon=weeks), dense, rtol=1e-9)


def test_without_a_rate_discounted_orders_are_orders():
    plain = expected_purchases(FITTED, 2, 30, 39, time=52)
    assert discounted_expected_purchases(FITTED, 2, 30, 39, rate=0.0, horizon=52.0) == pytest.approx(plain, rel=1e-14)


def test_a_horizon_without_end_needs_a_rate():
    with pytest.raises(DataError, match="rate must be positive for an infinite horizon; found rate 0"):
        discounted_expected_purchases(FITTED, 2, 30, 39, rate=0.0)


def test_mbg_nbd_agrees_with_thirty_digit_arithmetic_at_its_maximum_for_cdnow():
    orders = [0.053060323433573774, 0.15079221908169868, 1.036605711290121, 1.4188848767712308, 1.8036304174578044]
    # Sixteen digits, and Beta functions lose four of them.
    assert_allclose(expected_purchases_new(MODIFIED, [1, 3, 32, 52, 78]), orders, rtol=1e-12)
    assert_allclose(expected_purchases(MODIFIED, 2, 30.43, 38.86, time=39), 1.2626692309444434, rtol=1e-12)
    assert_allclose(expected_purchases(MODIFIED, 0, 0, 38.86, time=39), 0.15395429, rtol=EIGHT)
    alive = [0.706125687505001, 0.38971505834435693]
    assert_allclose(prob_alive(MODIFIED, [2, 0], [30.43, 0], 38.86), alive, rtol=1e-12)
    counts = [
        0.6106522841278608, 0.18171162790754186, 0.08301773535770263, 0.044702835083532386,
        0.026414131016505433, 0.016579109405854008, 0.010857769390827552, 0.007338557190596614,
        0.0050819802560816115, 0.0035878104171496185, 0.0025729263004433687, 0.0018691931246268476,
        0.001372818922587775, 0.0010176625596685074, 0.0007604453810128993, 0.0005722094043264461,
    ]  # fmt: skip
    assert_allclose(purchase_probability_new(MODIFIED, end=30, counts=np.arange(16)), counts, rtol=1e-12)
    assert_allclose(purchase_probability_new(MODIFIED, end=39, counts=0), 0.5826050392212062, rtol=1e-12)
    assert_allclose(purchase_probability_new(MODIFIED, end=2, counts=10), 2.207452e-8, rtol=3e-7)  # seven digits


def test_mbg_nbd_agrees_with_thirty_digit_arithmetic_at_parameters_of_seven_decimals_too():
    short = BetaGeometricParams(r=0.5248432, alpha=6.1830853, a=0.8913594, b=1.6140022, leaves_after_first=True)
    orders = [0.053060327, 0.15079223, 1.0366058, 1.4188849, 1.8036305]
    assert_allclose(expected_purchases_new(short, [1, 3, 32, 52, 78]), orders, rtol=EIGHT)
    assert_allclose(prob_alive(short, [2, 0], [30.43, 0], 38.86), [0.70612568, 0.38971503], rtol=EIGHT)
    assert_allclose(purchase_probability_new(short, end=39, counts=0), 0.58260503, rtol=EIGHT)
    counts = [0.61065227, 0.18171163, 0.083017738, 0.044702837, 0.026414132, 0.01657911, 0.01085777, 0.0073385576]
    assert_allclose(purchase_probability_new(short, end=30, counts=np.arange(8)), counts, rtol=EIGHT)


@given(params, st.floats(1e-3, 1e4), pasts())
def test_quadrature_agrees_with_a_dense_rule(params, time, past):
    x, last, age = past
    u = np.arange(-45 / params.a - 60, 45 / (params.b + x) + 60, 0.02)
    p = 1 / (1 + np.exp(-np.clip(u, -700, None)))
    log_q, log_p = -np.logaddexp(0, u), -np.logaddexp(0, -u)
    log_beta = math.lgamma(params.a) + math.lgamma(params.b + x) - math.lgamma(params.a + params.b + x)
    density = np.exp(params.a * log_p + (params.b + x) * log_q - log_beta)
    orders = -np.expm1(-(params.r + x) * np.log1p(p * time / (params.alpha + age))) / p
    dense = 0.02 * (density * orders).sum() * prob_alive(params, x, last, age)
    # log Gamma of 80 shapes is about 270, whose last bit is 1e-13; the dense rule makes the same error again.
    assert_allclose(expected_purchases(params, x, last, age, time=time), dense, rtol=1e-10)


@given(params, pasts())
def test_prob_alive_is_a_probability(params, past):
    assert 0.0 <= prob_alive(params, *past) <= 1.0


@given(params, st.floats(0.0, 500.0))
def test_without_a_repeat_order_everyone_is_alive(params, age):
    assert prob_alive(params, 0, 0, age) == 1.0


@given(params, pasts(), st.floats(0.0, 500.0))
def test_idling_can_only_lower_prob_alive(params, past, more):
    x, last, age = past
    assert prob_alive(params, x, last, age + more) <= prob_alive(params, x, last, age)


@given(params, pasts(), st.floats(0.1, 100.0))
def test_the_unit_of_time_plays_no_part(params, past, unit):
    x, last, age = past
    scaled = BetaGeometricParams(r=params.r, alpha=unit * params.alpha, a=params.a, b=params.b)
    # Times scaled and rounded anew, then raised to powers up to 80.
    assert_allclose(prob_alive(scaled, x, unit * last, unit * age), prob_alive(params, *past), rtol=1e-11)
    orders = expected_purchases(params, *past, time=52.0)
    assert_allclose(expected_purchases(scaled, x, unit * last, unit * age, time=unit * 52.0), orders, rtol=1e-11)
    # A density of x orders has the unit 1 / time ** x.
    density = log_likelihood(params, *past) - x * math.log(unit)
    assert_allclose(log_likelihood(scaled, x, unit * last, unit * age), density, rtol=1e-10, atol=1e-10)


@given(params, pasts(), st.floats(0.01, 500.0), st.floats(0.01, 500.0))
def test_a_longer_horizon_holds_more_orders(params, past, time, more):
    none, short, long = expected_purchases(params, *past, time=[0.0, time, time + more])
    assert none == 0.0
    # Equal where the chance of being alive underflows, and where after `time` nobody is left to order.
    assert long >= short * (1.0 - 1e-12) >= 0.0


def test_many_customers_are_answered_as_one_by_one():
    x, age = np.array([0, 1, 5, 50, 500, 3000]), np.array([1.0, 200, 30, 365, 365, 1000])
    last = np.where(x > 0, 0.9 * age, 0.0)
    single = [float(expected_purchases(FITTED, *past, time=52)) for past in zip(x, last, age, strict=True)]
    # Other nodes, the same integral.
    assert_allclose(expected_purchases(FITTED, x, last, age, time=52), single, rtol=1e-11)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_parameter_must_be_a_positive_finite_number(value):
    with pytest.raises(ParamError, match=r"BG/NBD: alpha is .*; it must be a positive finite number"):
        BetaGeometricParams(r=1.0, alpha=value, a=1.0, b=1.0)


@pytest.mark.parametrize(
    ("past", "message"),
    [
        ((1, 50, 40), "last_order must not exceed age; found last_order 50.0 with age 40.0"),
        ((-1, 5, 40), "frequency must be finite and not negative; found -1.0"),
        ((1.5, 5, 40), "frequency must be whole numbers; found 1.5"),
        ((1, math.nan, 40), "last_order must be finite and not negative; found nan"),
    ],
)
def test_an_impossible_past_is_refused(past, message):
    with pytest.raises(DataError, match=message):
        prob_alive(FITTED, *past)
