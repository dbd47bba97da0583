"""Pareto/NBD against published and recomputed numbers; times in weeks.

"Recomputed" below: formulas evaluated with 30-digit arithmetic, at parameters held to sixteen digits. "Integrated"
below: the integral over the time of leaving in 50-digit arithmetic, 40 panels of 24 nodes.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.models.pareto_nbd import (
    ParetoNbdParams,
    count_probs_ahead,
    discounted_orders_ahead,
    log_likelihood,
    orders_ahead,
    phase_probs,
    phase_probs_new,
)

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


def test_the_maximum_to_seven_decimals_gives_the_numbers_that_were_recomputed_there():
    short = ParetoNbdParams(r=0.5532770, alpha=10.5776835, s=0.6062400, beta=11.6687353)
    assert_allclose(orders_ahead(short, 0, 0, time=52).item(), 1.4734341, rtol=EIGHT)
    x, last, age = np.array([0, 2, 26]), [0, 30.43, 216 / 7], np.array([38.86, 38.86, 31])
    found = _alive(short, x, last, age) * _discounted(short, x, age, math.log(1.15) / 52)
    assert_allclose(found, [0.47823599, 6.4999813, 86.257622], rtol=EIGHT)


def test_discounted_orders_at_fifteen_and_ten_percent_a_year():
    x, last, age = np.array([0, 2, 26]), [0, 30.43, 216 / 7], np.array([38.86, 38.86, 31])
    found = _alive(FITTED, x, last, age) * _discounted(FITTED, x, age, math.log(1.15) / 52)
    assert_allclose(found, [0.47823603012098, 6.499981526550488, 86.25762364242142], rtol=1e-11)  # recomputed
    found = _alive(FITTED, x, last, age) * _discounted(FITTED, x, age, math.log(1.10) / 52)
    assert_allclose(found, [0.6000658, 8.1558405, 107.73839], rtol=2e-7)  # recomputed, seven digits or eight
