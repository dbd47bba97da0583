"""What the models' formulas promise for any parameters, and numbers of other authorities at seven decimals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose

from cxsim.clv.models import bgnbd, pareto_nbd
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import Outlook, log_likelihood
from tests.clv.shops import ahead

BETA, PARETO = ahead(bgnbd), ahead(pareto_nbd)
PRINTED = BetaGeometricParams(r=0.243, alpha=4.414, a=0.793, b=2.426)  # Fader, Hardie & Lee (2005), table 2
FITTED = BetaGeometricParams(r=0.2425945224301569, alpha=4.4136020190135, a=0.7929220172256349, b=2.4259067768264777)
REGULAR = BetaGeometricParams(r=1.4, alpha=6.0, a=0.5, b=2.0, k=3)
LEAVING = ParetoNbdParams(r=0.55, alpha=10.56, s=0.61, beta=11.64)
# "Recomputed" below: formulas evaluated with 30-digit arithmetic. EIGHT: the number is held to eight digits, and half
# a unit of the eighth is at most 5e-8 of it.
EIGHT = 5e-8
positive = st.floats(0.05, 20.0)
params = st.builds(BetaGeometricParams, r=positive, alpha=positive, a=positive, b=positive)
# Small r and large time make a tail of many orders, which the sums below would have to follow.
short_tails = st.builds(
    BetaGeometricParams,
    r=st.floats(0.05, 3.0),
    alpha=st.floats(5.0, 50.0),
    a=st.floats(0.05, 5.0),
    b=st.floats(0.05, 5.0),
)
leaving_params = st.builds(ParetoNbdParams, r=positive, alpha=positive, s=positive, beta=positive)
spans = st.floats(0.0, 300.0)
frequencies = st.integers(0, 60)


@st.composite
def pasts(draw):
    age = draw(st.floats(1.0, 500.0))
    frequency = draw(st.integers(0, 60))
    return frequency, (age * draw(st.floats(0.0, 1.0)) if frequency else 0.0), age


def test_counts_between_two_ages_agree_with_a_simulation():
    # Two million simulated customers at the fitted parameters, +-0.0004.
    found = Outlook(FITTED).purchase_probability(start=39, end=78, counts=[0, 1, 3])
    assert_allclose(found, [0.7544, 0.1216, 0.0249], atol=4e-4)


@given(short_tails, st.floats(0.0, 40.0))
def test_probabilities_of_a_new_customer_sum_to_one(params, time):
    # At 40 / (5 + 40) the chance of an order falls by 8/9 each: after 600 orders 1e-30 is left.
    assert_allclose(Outlook(params).purchase_probability(end=time, counts=np.arange(600)).sum(), 1.0, rtol=1e-11)


@settings(max_examples=30)  # each is a sum of integrals
@given(short_tails, st.floats(0.0, 100.0), st.floats(0.0, 10.0))
def test_probabilities_between_two_ages_sum_to_one(params, start, length):
    # At 10 / (5 + 10) the chance of an order falls by 2/3 each: after 120 orders 1e-21 is left.
    found = Outlook(params).purchase_probability(start=start, end=start + length, counts=np.arange(120))
    assert_allclose(found.sum(), 1.0, rtol=1e-11)
    assert (found >= 0.0).all()


@given(short_tails, st.floats(0.0, 100.0), st.integers(0, 300))
def test_counts_from_the_start_are_those_of_a_new_customer(params, end, n):
    new = Outlook(params).purchase_probability(end=end, counts=n)
    again = Outlook(params).purchase_probability(start=0.0, end=end, counts=n)
    assert_allclose(again, new, rtol=1e-9, atol=1e-300)


def test_counts_between_two_ages_have_the_mean_of_the_orders_between_them():
    n = np.arange(4000)
    mean = (n * Outlook(PRINTED).purchase_probability(start=39, end=78, counts=n)).sum()
    assert_allclose(mean, 0.66379586, rtol=5e-8)  # E[X(78)] - E[X(39)], recomputed, eight digits
    assert_allclose(mean, np.diff(Outlook(PRINTED).expected_purchases([39, 78]))[0], rtol=1e-11)


def test_a_customers_number_does_not_depend_on_who_else_is_asked_for():
    model = REGULAR
    x, age = np.arange(5000) % 40, 30.0 + np.arange(5000) % 700
    together = BETA.orders_ahead(model, x, age, time=90.0)
    alone = BETA.orders_ahead(model, x[4321], age[4321], time=90.0)
    assert (together[4321] == alone).all()


def test_without_a_rate_discounted_orders_are_orders():
    plain = Outlook(FITTED, 2, 30, 39).expected_purchases(52)
    assert Outlook(FITTED, 2, 30, 39).discounted_purchases(rate=0.0, horizon=52.0) == pytest.approx(plain, rel=1e-14)


def test_mbg_nbd_agrees_with_thirty_digit_arithmetic_at_parameters_of_seven_decimals_too():
    short = BetaGeometricParams(r=0.5248432, alpha=6.1830853, a=0.8913594, b=1.6140022, leaves_after_first=True)
    orders = [0.053060327, 0.15079223, 1.0366058, 1.4188849, 1.8036305]
    assert_allclose(Outlook(short).expected_purchases([1, 3, 32, 52, 78]), orders, rtol=EIGHT)
    assert_allclose(Outlook(short, [2, 0], [30.43, 0], 38.86).prob_alive(), [0.70612568, 0.38971503], rtol=EIGHT)
    assert_allclose(Outlook(short).purchase_probability(end=39, counts=0), 0.58260503, rtol=EIGHT)
    counts = [0.61065227, 0.18171163, 0.083017738, 0.044702837, 0.026414132, 0.01657911, 0.01085777, 0.0073385576]
    assert_allclose(Outlook(short).purchase_probability(end=30, counts=np.arange(8)), counts, rtol=EIGHT)


@given(params, st.floats(1e-3, 1e4), pasts())
def test_quadrature_agrees_with_a_dense_rule(params, time, past):
    x, last, age = past
    u = np.arange(-45 / params.a - 60, 45 / (params.b + x) + 60, 0.02)
    p = 1 / (1 + np.exp(-np.clip(u, -700, None)))
    log_q, log_p = -np.logaddexp(0, u), -np.logaddexp(0, -u)
    log_beta = math.lgamma(params.a) + math.lgamma(params.b + x) - math.lgamma(params.a + params.b + x)
    density = np.exp(params.a * log_p + (params.b + x) * log_q - log_beta)
    orders = -np.expm1(-(params.r + x) * np.log1p(p * time / (params.alpha + age))) / p
    dense = 0.02 * (density * orders).sum() * Outlook(params, x, last, age).prob_alive()
    # log Gamma of 80 shapes is about 270, whose last bit is 1e-13; the dense rule makes the same error again.
    assert_allclose(Outlook(params, x, last, age).expected_purchases(time), dense, rtol=1e-10)


@given(params, st.floats(0.0, 500.0))
def test_without_a_repeat_order_everyone_is_alive(params, age):
    assert Outlook(params, 0, 0, age).prob_alive() == 1.0


@given(params, pasts(), st.floats(0.0, 500.0))
def test_idling_can_only_lower_the_chance_of_being_alive(params, past, more):
    x, last, age = past
    alive = Outlook(params, *past).prob_alive()
    assert 0.0 <= Outlook(params, x, last, age + more).prob_alive() <= alive <= 1.0


@given(params, pasts(), st.floats(0.1, 100.0))
def test_the_unit_of_time_changes_nothing(params, past, unit):
    x, last, age = past
    scaled = BetaGeometricParams(r=params.r, alpha=unit * params.alpha, a=params.a, b=params.b)
    longer = (x, unit * last, unit * age)
    # Times scaled and rounded anew, then raised to powers up to 80.
    assert_allclose(Outlook(scaled, *longer).prob_alive(), Outlook(params, *past).prob_alive(), rtol=1e-11)
    orders = Outlook(params, *past).expected_purchases(52.0)
    assert_allclose(Outlook(scaled, *longer).expected_purchases(unit * 52.0), orders, rtol=1e-11)
    # A density of x orders has the unit 1 / time ** x.
    density = log_likelihood(params, *past) - x * math.log(unit)
    assert_allclose(log_likelihood(scaled, *longer), density, rtol=1e-10, atol=1e-10)


@given(params, pasts(), st.floats(0.01, 500.0), st.floats(0.01, 500.0))
def test_a_longer_horizon_holds_more_orders(params, past, time, more):
    none, short, long = Outlook(params, *past).expected_purchases([0.0, time, time + more])
    assert none == 0.0
    # Equal where the chance of being alive underflows, and where after `time` nobody is left to order.
    assert long >= short * (1.0 - 1e-12) >= 0.0


@given(leaving_params, frequencies, spans, spans, spans)
def test_more_time_leaves_fewer_and_brings_more(p, x, age, time, more):
    times = [0.0, time, time + more]
    stays, orders, coming = (
        ahead(p, x, age, time=times)[:, 0]
        for ahead in (PARETO.survival_ahead, PARETO.orders_ahead, PARETO.next_order_ahead)
    )
    assert stays[0] == 1.0
    assert orders[0] == coming[0] == 0.0
    assert stays[0] >= stays[1] >= stays[2] >= 0.0
    for rising in (orders, coming):
        assert rising[2] >= rising[1] * (1.0 - 1e-12) >= 0.0
    ever = PARETO.next_order_ahead(p, x, age, time=math.inf).item()
    assert coming[2] <= ever * (1.0 + 1e-12) <= 1.0 + 1e-12


@given(leaving_params, frequencies, st.floats(0.1, 300.0), st.floats(0.0, 1.0))
def test_the_unit_of_time_does_not_matter(p, x, age, share):
    days = ParetoNbdParams(r=p.r, alpha=7.0 * p.alpha, s=p.s, beta=7.0 * p.beta)
    last = share * age if x else 0.0
    assert_allclose(PARETO.phase_probs(days, x, 7 * last, 7 * age), PARETO.phase_probs(p, x, last, age), rtol=1e-10)
    assert_allclose(
        PARETO.orders_ahead(days, x, 7 * age, time=364), PARETO.orders_ahead(p, x, age, time=52), rtol=1e-12
    )


def test_many_customers_are_answered_as_one_by_one():
    x, last, age = np.array([0, 1, 26, 0] * 700), np.array([0.0, 3.0, 30.0, 0.0] * 700), np.array([9.0, 8, 31, 9] * 700)
    assert PARETO.phase_probs(LEAVING, x, last, age)[2].item() == PARETO.phase_probs(LEAVING, 26, 30.0, 31).item()
    many = PARETO.discounted_orders_ahead(LEAVING, x.reshape(2, -1), age.reshape(2, -1), rate=0.01)
    assert many.shape == (2, 1400, 1)
    assert many[0, 2].item() == PARETO.discounted_orders_ahead(LEAVING, 26, 31, rate=0.01).item()
    assert PARETO.count_probs_ahead(LEAVING, x[:3, None], age[:3, None], start=0, end=4, counts=np.arange(5)).shape == (
        3,
        5,
        1,
    )


def test_the_maximum_to_seven_decimals_gives_the_numbers_that_were_recomputed_there():
    short = ParetoNbdParams(r=0.5532770, alpha=10.5776835, s=0.6062400, beta=11.6687353)
    assert_allclose(PARETO.orders_ahead(short, 0, 0, time=52).item(), 1.4734341, rtol=EIGHT)
    x, last, age = np.array([0, 2, 26]), [0, 30.43, 216 / 7], np.array([38.86, 38.86, 31])
    found = (
        PARETO.phase_probs(short, x, last, age)[..., 0]
        * PARETO.discounted_orders_ahead(short, x, age, rate=math.log(1.15) / 52)[..., 0]
    )
    assert_allclose(found, [0.47823599, 6.4999813, 86.257622], rtol=EIGHT)
