"""Pareto/NBD against published and recomputed numbers; times in weeks.

"Recomputed" below: formulas evaluated with 30-digit arithmetic, at parameters held to sixteen digits. "Integrated"
below: the integral over the time of dropout in 50-digit arithmetic, 40 panels of 24 nodes.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import nbinom

from cxsim import rng
from cxsim.clv.models import pareto_nbd
from cxsim.clv.models.pareto_integrals import likelihood_sum
from cxsim.clv.models.pareto_nbd import ParetoNbdParams, likelihood_sum_by_day, phase_probs_new
from tests.clv.shops import ahead

IN_ROWS = ahead(pareto_nbd)
count_probs_ahead, discounted_orders_ahead = IN_ROWS.count_probs_ahead, IN_ROWS.discounted_orders_ahead
next_order_ahead, orders_ahead, survival_ahead = IN_ROWS.next_order_ahead, IN_ROWS.orders_ahead, IN_ROWS.survival_ahead
phase_probs, log_likelihood = IN_ROWS.phase_probs, IN_ROWS.log_likelihood

# CDNOW: as printed by Fader, Hardie & Lee (2005), and at the maximum (recomputed by Newton's method).
PRINTED = ParetoNbdParams(r=0.55, alpha=10.56, s=0.61, beta=11.64)
FITTED = ParetoNbdParams(r=0.5532770468531542, alpha=10.577683463302117, s=0.6062399891279875, beta=11.668735288860791)

# EIGHT: the number is held to eight digits, and half a unit of the eighth is at most 5e-8 of it.
EIGHT = 5e-8
# FULL: sixteen digits, of which the quadrature and the powers lose no more than four.
FULL = 1e-12
# Of numbers with cancelling 2F1 behind them the 30 digits leave but eight.
STEEP = 5e-8


def _alive(params, *past):
    return phase_probs(params, *past)[..., 0]


def _expected(params, x, last, age, time):
    return _alive(params, x, last, age) * orders_ahead(params, x, age, time=time)[..., 0]


def test_a_new_customers_orders_at_the_papers_parameters():
    recomputed = [
        0.05077820616616711, 0.09916088423013378, 0.145425065200215, 0.1897992992460652, 0.23247465820528665,
        0.2736127368306057, 0.31335159372867155, 0.3518102436414883, 0.38909210946475525, 0.42528771320018827,
    ]  # fmt: skip
    assert_allclose(orders_ahead(PRINTED, 0, 0, time=np.arange(1, 11))[:, 0], recomputed, rtol=FULL)


def test_a_new_customers_orders_at_the_maximum():
    recomputed = [
        0.051006371, 0.099626244, 0.14613443, 0.19075781, 0.23368616, 0.27508008, 0.31507685, 0.35379487, 0.39133705,
    ]  # fmt: skip
    # Eight digits, at a maximum that was found to seven.
    assert_allclose(orders_ahead(FITTED, 0, 0, time=np.arange(1, 10))[:, 0], recomputed, rtol=1.5e-7)
    year = orders_ahead(FITTED, 0, 0, time=52).item()
    assert_allclose(year, 1.473434, rtol=4e-7)  # the BTYD walkthrough, seven digits
    assert_allclose(year, 1.4734342882532836, rtol=FULL)  # recomputed


def test_customer_1516_of_cdnow():
    past = (26, 216 / 7, 31)
    # The BTYD walkthrough prints 25.45647 and 0.997874 at estimates that are off by one in the fourth digit.
    assert_allclose(_expected(FITTED, *past, 52), 25.45647, rtol=1e-4)
    assert_allclose(_alive(FITTED, *past), 0.997874, rtol=1e-6)
    assert_allclose(_expected(FITTED, *past, 52), 25.455183503522004, rtol=FULL)
    assert_allclose(_alive(FITTED, *past), 0.9978734047149959, rtol=FULL)
    rounded = ParetoNbdParams(r=0.5534, alpha=10.5802, s=0.6061, beta=11.6562)
    assert_allclose(_alive(rounded, 26, 30.86, 31), 0.99791777, rtol=EIGHT)


def test_the_increasing_frequency_paradox():
    found = _expected(FITTED, [10, 15, 20, 25], 20, 39, 52)
    # The BTYD walkthrough, at estimates off by 1e-3; they enter with powers up to 25.
    assert_allclose(found, [0.7062289, 0.1442396, 0.02250658, 0.00309267], rtol=1e-3)
    recomputed = [0.7058884451236933, 0.14415075622488813, 0.022490148022342372, 0.003090067159792573]
    assert_allclose(found, recomputed, rtol=STEEP)
    integrated = [0.7058884451236933, 0.1441507562248881, 0.022490148666076938, 0.003090067272746847]
    assert_allclose(found, integrated, rtol=FULL)


def test_the_probability_of_being_alive():
    assert_allclose(_alive(FITTED, 0, 0, 39), 0.2941633, rtol=5e-4)  # the BTYD walkthrough, at its own estimates
    assert_allclose(_alive(FITTED, 0, 0, 39), 0.294276309047876, rtol=FULL)
    assert _alive(FITTED, 23, 39, 39) == 1.0
    recomputed = [
        0.810759, 0.791381, 0.770045, 0.746668, 0.721199, 0.693634, 0.664019, 0.632464,
        0.599145, 0.564309, 0.52827, 0.491403, 0.454128, 0.416893, 0.380151, 0.344343,
    ]  # fmt: skip
    assert_allclose(_alive(FITTED, np.arange(5, 21), 30, 39), recomputed, atol=5.1e-7, rtol=0)  # six decimals
    assert phase_probs_new(FITTED).tolist() == [1.0]


def test_the_pair_that_underflows_in_the_closed_form():
    rounded = ParetoNbdParams(r=0.55, alpha=10.58, s=0.61, beta=11.67)
    # lifetimes keeps these two, seventeen digits, because its first version lost the second.
    assert_allclose(_expected(rounded, [132, 133], 200, 200, 10), [6.2060517889632418, 6.2528722475748113], rtol=FULL)


@pytest.mark.parametrize(
    ("past", "alive", "orders", "log_likelihood_"),
    [
        ((221, 103.42857, 103.57143), 0.9995960523179381, 20.556042642205032, -61.58464856172922),
        ((254, 97.14286, 97.28571), 0.9995582261230108, 25.08330433860272, -19.62329221751176),
        ((161, 94.71429, 98.0), 0.7494877522581055, 11.851886264148687, -87.42925486330853),
        ((204, 98.57143, 99.42857), 0.9942550796378959, 19.633253398035208, -65.19834218926039),
        ((1000, 360, 365), 0.004057527266660822, 0.10993920302345944, 2.5328652597445895),
        ((2000, 360, 365), 9.285808383889658e-09, 5.030709213652572e-07, 1401.8110049828604),
    ],
)
def test_hundreds_of_orders_keep_their_digits(past, alive, orders, log_likelihood_):
    # CLVTools asks for finite numbers here; these are integrated. Terms of some thousands leave twelve digits.
    params = ParetoNbdParams(r=0.5143, alpha=2.8845, s=0.2856, beta=14.1087)
    assert_allclose(_alive(params, *past), alive, rtol=FULL)
    assert_allclose(_expected(params, *past, 10), orders, rtol=FULL)
    assert_allclose(log_likelihood(params, *past), log_likelihood_, rtol=FULL)


def test_the_number_of_orders_of_a_new_customer():
    recomputed = [
        0.0018899414730869067, 0.001332276543506844, 0.0009432439749014126, 0.0006702499122143137,
        0.0004777460972085577, 0.00034144253434046024, 0.0002445943922271125, 0.000175573704786774,
        0.00012625643104206545, 9.09373479895329e-05,
    ]  # fmt: skip
    assert_allclose(_counts(PRINTED, 30, np.arange(11, 21)), recomputed, rtol=FULL)
    assert_allclose(_counts(PRINTED, 39, 0), 0.5959380695979202, rtol=FULL)
    assert_allclose(_counts(PRINTED, 2, 10), 1.8937075966825137e-09, rtol=FULL)


def _counts(params, end, counts):
    return count_probs_ahead(params, 0, 0, start=0, end=end, counts=counts)[..., 0]


def test_discounted_orders_at_the_btyd_manuals_parameters():
    params = ParetoNbdParams(r=0.5629966, alpha=12.5590370, s=0.4081095, beta=10.5148048)
    recomputed = [
        2.1991554497049606, 2.8435344060657326, 2.8671283912061645, 2.4454100786073587, 1.8405019244774936,
        1.2624164717438557, 0.8096181194538383, 0.4948036193754493, 0.29202470156979854, 0.16792750856605335,
    ]  # fmt: skip
    found = _alive(params, np.arange(1, 11), 30, 77.86) * _discounted(params, np.arange(1, 11), 77.86, 0.0027)
    assert_allclose(found, recomputed, rtol=STEEP)
    found = _alive(params, 7, 35, 77.86) * _discounted(params, 7, 77.86, 0.0027)
    assert_allclose(found, 1.8641833280713296, rtol=STEEP)


def _discounted(params, x, age, rate):
    return discounted_orders_ahead(params, x, age, rate=rate)[..., 0]


def test_discounted_orders_at_fifteen_and_ten_percent_a_year():
    x, last, age = np.array([0, 2, 26]), [0, 30.43, 216 / 7], np.array([38.86, 38.86, 31])
    found = _alive(FITTED, x, last, age) * _discounted(FITTED, x, age, math.log(1.15) / 52)
    assert_allclose(found, [0.47823603012098, 6.499981526550488, 86.25762364242142], rtol=1e-11)  # recomputed
    found = _alive(FITTED, x, last, age) * _discounted(FITTED, x, age, math.log(1.10) / 52)
    assert_allclose(found, [0.6000658, 8.1558405, 107.73839], rtol=2e-7)  # recomputed, seven digits or eight


PARAMS = ParetoNbdParams(r=0.55, alpha=10.56, s=0.61, beta=11.64)
DRAWS = 100_000

positive = st.floats(0.05, 20.0)
params = st.builds(ParetoNbdParams, r=positive, alpha=positive, s=positive, beta=positive)
spans = st.floats(0.0, 300.0)
frequencies = st.integers(0, 60)


def _simulated(x, age, end):
    """Return end of life and order times, one row per customer alive at `age`; infinity past `end` or the life."""
    draw = rng.stream(20240501, x, "pareto_nbd ahead")
    rate = draw.gamma(PARAMS.r + x, 1.0 / (PARAMS.alpha + age), DRAWS)
    life = draw.exponential(1.0 / draw.gamma(PARAMS.s, 1.0 / (PARAMS.beta + age), DRAWS))
    times, last = [], np.zeros(DRAWS)
    while True:
        last = last + draw.exponential(1.0 / rate)
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
    value = np.exp(-0.02 * times).sum(axis=1)
    _is_mean(value, discounted_orders_ahead(PARAMS, x, age, rate=0.02, horizon=52.0).item())
    for start, end in ((0.0, 13.0), (13.0, 52.0), (26.0, 26.5)):
        found = ((times > start) & (times <= end)).sum(axis=1)
        for n in (0, 1, 2, 5, 20):
            chance = count_probs_ahead(PARAMS, x, age, start=start, end=end, counts=n).item()
            # By the standard error of the chance that is claimed, and one draw for chances of one in millions.
            allowed = 4.0 * math.sqrt(chance * (1.0 - chance) / DRAWS) + 1.0 / DRAWS
            assert abs((found == n).mean() - chance) < allowed


def test_simulated_pasts_are_alive_as_often_as_their_own_probabilities_say():
    draw = rng.stream(20240501, 0, "pareto_nbd pasts")
    rate, life = draw.gamma(0.55, 1.0 / 10.56, DRAWS), draw.exponential(1.0 / draw.gamma(0.61, 1.0 / 11.64, DRAWS))
    seen = np.minimum(life, 39.0)
    x = draw.poisson(rate * seen)
    # The last of x orders that fall anywhere.
    last = np.where(x > 0, seen * draw.random(DRAWS) ** (1.0 / np.maximum(x, 1)), 0.0)
    sentence = phase_probs(PARAMS, x, last, 39.0)[:, 0]
    for group in (x == 0, x == 1, x >= 2, sentence < 0.3, sentence > 0.8):
        alive = life[group] > 39.0
        assert abs(alive.mean() - sentence[group].mean()) < 4.0 * alive.std() / math.sqrt(alive.size)


@pytest.mark.parametrize("case", range(8))
def test_integrals_agree_with_adaptive_quadrature(case):
    draw = rng.stream(1, case, "pareto_nbd cases")
    r, alpha, s, beta = np.exp(draw.uniform(np.log(0.05), np.log(30.0), 4))
    p, x, age = ParetoNbdParams(r=r, alpha=alpha, s=s, beta=beta), int(draw.integers(0, 20)), 30.0 * draw.random()
    shape, a, b = r + x, alpha + age, beta + age

    def survived(t):
        return (1.0 + t / b) ** -s

    def integral(function, until):
        return quad(function, 0.0, until, epsabs=1e-14, epsrel=1e-12, limit=500)[0]

    def left_at(t):
        return s / b * (1.0 + t / b) ** (-s - 1.0)

    # Adaptive quadrature is asked for twelve digits and says it has ten.
    value = shape / a * integral(lambda t: math.exp(-0.003 * t) * survived(t), 500.0)
    assert_allclose(discounted_orders_ahead(p, x, age, rate=0.003, horizon=500.0), value, rtol=1e-10)
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


@given(params, frequencies, spans, st.floats(1e-4, 1.0), st.floats(0.1, 500.0))
def test_a_discount_takes_value_away_and_none_takes_none(p, x, age, rate, horizon):
    plain = orders_ahead(p, x, age, time=horizon).item()
    assert_allclose(discounted_orders_ahead(p, x, age, rate=0.0, horizon=horizon), plain, rtol=1e-11)
    value = discounted_orders_ahead(p, x, age, rate=rate, horizon=horizon).item()
    assert math.exp(-rate * horizon) * plain * (1.0 - 1e-11) <= value <= plain * (1.0 + 1e-11)
    assert value <= discounted_orders_ahead(p, x, age, rate=rate).item() * (1.0 + 1e-11)


@given(params, frequencies, st.floats(0.1, 300.0), st.floats(0.0, 1.0), st.floats(0.0, 100.0))
def test_idling_can_only_lower_the_probability_of_being_alive(p, x, age, share, more):
    last = share * age if x else 0.0
    now, later = phase_probs(p, x, last, [age, age + more])[:, 0]
    assert 0.0 <= later <= now * (1.0 + 1e-12) <= 1.0 + 1e-12


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


PLACES = {
    "CDNOW": (0.55, 74.0, 0.61, 82.0),
    "short scales": (0.3, 3.1, 0.2, 3.1),
    "scales below three days": (0.3, 0.5, 0.2, 90.0),
    "all the same": (200.0, 9000.0, 50.0, 40000.0),
    "few leave": (1.2, 30.0, 0.01, 5000.0),
    "equal scales": (0.8, 60.0, 1.0, 60.0),
}


def pasts():
    """Return pasts of every frequency up to an order a day, with idle times from none to nearly all."""
    draw = np.random.default_rng(4)
    rows = {(0, 0, age) for age in (0, 1, 7, 200, 365)}
    for frequency in (1, 2, 3, 8, 30, 120, 300):
        for _ in range(40):
            age = int(draw.integers(frequency, 366))
            rows.add((frequency, int(draw.integers(frequency, age + 1)), age))
    rows |= {(365, 365, 365), (364, 364, 365), (1, 365, 365), (1, 1, 365)}
    table = np.array(sorted(rows), dtype=np.float64)
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy()


@pytest.mark.parametrize("place", PLACES)
def test_every_past_has_its_log_likelihood_to_a_millionth(place):
    here, (frequency, last, age) = np.log(PLACES[place]), pasts()
    # Alone, a past is not value a table: all are asked, and one counts.
    for row, one in enumerate(np.eye(frequency.size)):
        alone = likelihood_sum(here, *(column[row : row + 1] for column in (frequency, last, age, np.ones_like(age))))
        # Three nodes a day where the integrand falls by no more than a factor of e a day: 1e-6 at worst.
        assert likelihood_sum_by_day(here, frequency, last, age, one) == pytest.approx(alone, abs=1.01e-6)


@pytest.mark.parametrize("place", PLACES)
def test_customers_together_have_the_sum(place):
    here, (frequency, last, age) = np.log(PLACES[place]), pasts()
    weight = 1.0 + np.arange(frequency.size) % 7
    found = likelihood_sum_by_day(here, frequency, last, age, weight)
    assert found == pytest.approx(likelihood_sum(here, frequency, last, age, weight), abs=1.01e-6 * weight.sum())
