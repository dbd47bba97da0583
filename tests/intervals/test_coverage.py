"""How often each interval holds the truth: 2,000 samples each, and exactly where that can be added up.

Four standard errors of a share of 0.95 among 2,000 are 0.0195. Where an interval is known to keep its level only
nearly, the test says by how much, and why.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cxsim.metrics.intervals import (
    CrossSums,
    RatioSums,
    clustered_wilson,
    difference,
    garwood,
    median_of,
    net_promoter,
    ratio,
    ratio_correlation,
    wilson,
)
from cxsim.metrics.survival import median, still_waiting
from tests.by_unit import ratio_of, ratio_sums, survival

SAMPLES = 2000
LUCK = 4 * math.sqrt(0.95 * 0.05 / SAMPLES)


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def coverage(estimates, truth: float) -> float:
    """Share of intervals that hold the truth; an end that is not known is no limit."""
    held = [
        (estimate.low is None or estimate.low <= truth + 1e-12)
        and (estimate.high is None or truth - 1e-12 <= estimate.high)
        for estimate in estimates
    ]
    assert len(held) == SAMPLES
    return sum(held) / SAMPLES


def exact_coverage(method, units: int, share: float) -> float:
    """Add up the probabilities of all numbers of successes whose interval holds the share."""
    held = [
        stats.binom.pmf(successes, units, share)
        for successes in range(units + 1)
        if method(successes, units).low <= share <= method(successes, units).high
    ]
    return float(sum(held))


def customers_of(luck: np.random.Generator, customers: int = 100):
    """Orders and spend of customers, of whom some spend more on each of their orders; 50 an order on average."""
    orders = luck.geometric(0.5, customers)
    spend = orders * luck.gamma(4, 12.5, customers) * luck.gamma(20, 1 / 20, customers)
    return spend, orders


@pytest.mark.parametrize(("units", "share"), [(30, 0.1), (50, 0.3), (100, 0.5), (200, 0.02), (20, 0.5)])
def test_wilsons_interval_holds_the_share_about_as_often_as_it_says(units, share):
    # The number of successes is whole, so that the level is met only nearly: Brown, Cai and DasGupta (2001), figure 5.
    assert 0.92 < exact_coverage(wilson, units, share) < 0.98


def test_wilsons_interval_is_wrong_most_often_just_next_to_the_scales_end():
    # A known weakness: below the lower limit of one success, only samples without any hold the share. Of many units
    # that limit is 0.1765 / n, and exp(-0.1765) = 0.838.
    share = wilson(1, 50).low * (1 - 1e-6)
    assert exact_coverage(wilson, 50, share) == pytest.approx((1 - share) ** 50)
    assert 0.83 < exact_coverage(wilson, 50, share) < 0.84


def test_wilsons_interval_in_samples():
    drawn = generator(1).binomial(100, 0.3, SAMPLES)
    # Added up exactly: 0.9374 for this number and share.
    exact = exact_coverage(wilson, 100, 0.3)
    assert abs(coverage([wilson(int(k), 100) for k in drawn], 0.3) - exact) < LUCK
    assert abs(exact - 0.95) < LUCK


def test_newcombes_interval_of_a_difference():
    luck = generator(2)
    ones, others = luck.binomial(80, 0.3, SAMPLES), luck.binomial(60, 0.2, SAMPLES)
    found = [difference(wilson(int(one), 80), wilson(int(other), 60)) for one, other in zip(ones, others, strict=True)]
    assert abs(coverage(found, 0.1) - 0.95) < LUCK


def test_the_delta_interval_of_spend_per_order():
    luck = generator(3)
    assert abs(coverage([ratio_of(*customers_of(luck)) for _ in range(SAMPLES)], 50) - 0.95) < LUCK


def test_orders_taken_for_independent_hold_the_truth_far_too_seldom():
    luck = generator(4)
    found = []
    for _ in range(SAMPLES):
        spend, orders = customers_of(luck)
        found.append(ratio_of(np.repeat(spend / orders, orders), np.ones(orders.sum())))
    # The spread is between customers, and half of the orders come from those with three and more.
    assert coverage(found, 50) < 0.85


def test_the_change_of_spend_per_order_of_the_same_customers():
    luck = generator(6)
    found, blind = [], []
    for _ in range(SAMPLES):
        taste = luck.gamma(4, 12.5, 100)
        n1, n2 = luck.geometric(0.5, 100), luck.geometric(0.5, 100)
        x1, x2 = n1 * taste * luck.gamma(20, 1 / 20, 100), n2 * taste * luck.gamma(20, 1 / 20, 100)
        one, other = ratio_sums(x1, n1), ratio_sums(x2, n2)
        cross = CrossSums(xx=float(x1 @ x2), xn=float(x1 @ n2), nx=float(n1 @ x2), nn=float(n1 @ n2))
        together = ratio_correlation(one, other, cross)
        found.append(difference(ratio(one), ratio(other), correlation=together))
        blind.append(difference(ratio(one), ratio(other)))
    assert abs(coverage(found, 0) - 0.95) < LUCK
    # Without the correlation the interval is too wide.
    assert coverage(blind, 0) > 0.98


@pytest.mark.parametrize("content", [0.5, 0.95])
def test_a_share_of_answers_of_customers_who_answer_several_times(content):
    luck = generator(8)
    found = []
    for _ in range(SAMPLES):
        # Customers differ: their own shares follow a beta distribution, with a correlation of 1/4 within a customer.
        answers = luck.geometric(0.4, 80)
        x = luck.binomial(answers, luck.beta(3 * content, 3 * (1 - content), 80))
        found.append(clustered_wilson(ratio_sums(x, answers)))
    # The linearised error is 1 % small where numbers of answers are so unequal (0.0461 for 0.0465 in 20,000 samples):
    # 0.5 % seldom. Near the end of the scale the error is guessed from few failures besides: 1.5 %.
    known = 0.015 if content > 0.9 else 0.005
    assert -LUCK - known < coverage(found, content) - 0.95 < LUCK


def test_the_interval_of_a_mean_as_a_ratio_over_ones():
    draws = generator(9).normal(5, 2, (SAMPLES, 8))
    assert abs(coverage([ratio_of(row, np.ones(8)) for row in draws], 5) - 0.95) < LUCK


@pytest.mark.parametrize("units", [9, 50])
def test_the_interval_of_a_median_holds_it_as_often_as_it_says_whatever_the_distribution(units):
    draws = generator(10).lognormal(3, 2, (SAMPLES, units))
    found = [median_of(row) for row in draws]
    # 0.9609 of 9; 0.9511 of 50, of which the 18th and 33rd are the ends.
    exact = {9: 0.9609375, 50: stats.binom.cdf(32, 50, 0.5) - stats.binom.cdf(17, 50, 0.5)}[units]
    assert exact >= 0.95
    assert abs(coverage(found, math.exp(3)) - exact) < LUCK


@pytest.mark.parametrize("units", [30, 200])
def test_the_intervals_of_waiting_times_of_which_a_third_is_open(units):
    luck = generator(11)
    curves = []
    for _ in range(SAMPLES):
        ends, seen = luck.exponential(1, units), luck.exponential(2, units)
        curves.append(survival(np.minimum(ends, seen), ends <= seen))
    # Of 30 in sight, few are left: Greenwood's variance is a little small then, up to 1 % seldom.
    few = 0.01 * (units == 30)
    assert -LUCK - few < coverage([still_waiting(curve, 1.0) for curve in curves], math.exp(-1)) - 0.95 < LUCK
    assert -LUCK - few < coverage([median(curve) for curve in curves], math.log(2)) - 0.95 < LUCK


def test_the_adjusted_score_holds_the_truth_with_few_answers():
    answers = generator(13).multinomial(20, [0.85, 0.1, 0.05], SAMPLES)
    rows = [tuple(int(number) for number in row) for row in answers]
    # Whole numbers of so few answers: the level is met within 3 %, as in Rocks (2016).
    assert abs(coverage([net_promoter(*row) for row in rows], 80) - 0.95) < LUCK + 0.03


def test_the_interval_of_a_score_and_of_its_change():
    luck = generator(14)
    now, before = luck.multinomial(100, [0.5, 0.3, 0.2], SAMPLES), luck.multinomial(80, [0.4, 0.3, 0.3], SAMPLES)
    rows = [(tuple(map(int, one)), tuple(map(int, other))) for one, other in zip(now, before, strict=True)]
    assert abs(coverage([net_promoter(*one) for one, _ in rows], 30) - 0.95) < LUCK
    changes = [difference(net_promoter(*one), net_promoter(*other)) for one, other in rows]
    assert abs(coverage(changes, 20) - 0.95) < LUCK


@pytest.mark.parametrize("events", [0.5, 3.0, 18.0])
def test_garwoods_interval_holds_the_number_at_least_as_often_as_it_says(events):
    held = [
        stats.poisson.pmf(number, events)
        for number in range(200)
        if garwood(number, 1).low <= events <= garwood(number, 1).high
    ]
    assert sum(held) >= 0.95 - 1e-12


def test_a_sample_of_customers_is_not_one_of_their_answers():
    # 80 customers, each with ten answers that are all alike: Wilson over answers would hold the share too seldom.
    drawn = generator(17).binomial(80, 0.3, SAMPLES)
    sums = [RatioSums(units=80, x=10 * int(k), n=800, xx=100 * int(k), nn=8000, xn=100 * int(k)) for k in drawn]
    assert abs(coverage([clustered_wilson(one) for one in sums], 0.3) - 0.95) < LUCK
    assert coverage([wilson(10 * int(k), 800) for k in drawn], 0.3) < 0.6
