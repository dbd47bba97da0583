"""The simulator's means against the formulas of the models; four standard errors, fixed seeds, nothing is run again."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import partial

import numpy as np
import polars as pl
import pytest
from scipy.special import hyp2f1

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams, expected_spend, population_mean
from cxsim.clv.models.purchases import Outlook
from cxsim.data.rfm import summarise
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import customer_values, events
from cxsim.simulation.state import ARRIVED, LEFT, Latents
from cxsim.simulation.world import Calendar, Population, empty_base
from cxsim.strategies.behaviour import PLAIN
from tests.simulated import orders
from tests.simulation.mechanisms import made
from tests.simulation.shops import drift, returns, season, shop
from tests.simulation.worlds import (
    CDNOW,
    MBG,
    MODELS,
    PARETO,
    SPEND,
    START,
    WEEK,
    buying,
    existing,
    inputs,
    leaving,
    newcomers,
    orders_of_each,
    past_customers,
    play,
    programme,
    total,
)

CUSTOMERS = 200_000
FITTED = BetaGeometricParams(r=CDNOW.r, alpha=CDNOW.alpha, a=CDNOW.a, b=CDNOW.b)
AMOUNTS = GammaGammaParams(**SPEND)
# Customers enter evenly over July's 31 days, 15.5 days after its start on average.
MONTH, HALF = 31.0, 15.5


def bgnbd_repeats(time):
    return Outlook(FITTED).expected_purchases(time)


def bgnbd_repeats_as_printed(time):
    """As `bgnbd_repeats`, at another run's maximum: as good a fit, and what fact F2 of the field was computed at."""
    printed = BetaGeometricParams(r=0.2426, alpha=4.413 * WEEK, a=0.789, b=2.411)
    return Outlook(printed).expected_purchases(time)


def pareto_repeats(time):
    """Schmittlein, Morrison & Colombo (1987), equation (17)."""
    r, alpha, s, beta = PARETO.r, PARETO.alpha, PARETO.s, PARETO.beta
    return r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + time)) ** (s - 1))


def mbg_repeats(time):
    """Batislam, Denizel & Filiztekin (2007), the expectation of the modified BG/NBD."""
    r, alpha, a, b = MBG.r, MBG.alpha, MBG.a, MBG.b
    reached = time / (alpha + time)
    return b / (a - 1) * (1 - (alpha / (alpha + time)) ** r * hyp2f1(r, b + 1, a + b, reached))


def over_entries(repeats, until):
    """Return the mean of `repeats` over entries in the first month; eight nodes are exact enough by far."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    return float(weights @ repeats(until - HALF * (1 + nodes)) / 2)


@pytest.mark.parametrize(
    ("formula", "weeks", "known", "tolerance"),
    [
        # Computed apart from this code, from more digits of the parameters than the four that are held here.
        (bgnbd_repeats_as_printed, 52, 1.445, 7e-4),
        (bgnbd_repeats_as_printed, 156, 2.758, 1.3e-3),
        (pareto_repeats, 52, 1.473, 6e-4),
        (pareto_repeats, 156, 2.877, 1.1e-3),
        # Eight digits, from eight digits of the parameters.
        (mbg_repeats, 52, 1.4188849, 1e-7),
    ],
)
def test_the_formulas_of_this_file_give_the_known_numbers_f2(formula, weeks, known, tolerance):
    assert formula(weeks * WEEK) == pytest.approx(known, abs=tolerance)


@pytest.mark.parametrize("weeks", [52, 156])
@pytest.mark.parametrize(
    ("latents", "formula"),
    [(CDNOW, bgnbd_repeats), (PARETO, pareto_repeats), (MBG, mbg_repeats)],
    ids=["BG/NBD", "Pareto/NBD", "MBG/NBD"],
)
def test_new_customers_repeat_as_often_as_the_model_says_f2(latents, formula, weeks):
    population = newcomers(CUSTOMERS, months=37)
    until = round(weeks * WEEK + HALF)
    repeats = orders_of_each(population, inputs(population, [], latents=latents), before=until) - 1
    score = (repeats.mean() - over_entries(formula, until)) / (repeats.std() / np.sqrt(CUSTOMERS))
    assert abs(score) < 4, f"{score:.2f} standard errors"


# Frequency, recency, age in days. The first is customer 1516 of CDNOW (2 repeats, week 30.43, of 38.86), for whom
# Fader, Hardie & Lee (2005) print 1.226 in 39 weeks; then a one-time buyer, a good one, one who seems to have left, a
# new one.
PASTS = [(2, 213, 272, 22.0), (0, 0, 272, None), (12, 260, 272, 55.0), (8, 60, 272, 12.5), (1, 3, 4, 80.0)]
COPIES = 40_000


@pytest.fixture(scope="module")
def future():
    """All orders of the next nine months, with the place of the customer's past, and the horizon in days."""
    population = existing(past_customers(PASTS, COPIES), months=9)
    x, t_x, age = (np.repeat([past[place] for past in PASTS], COPIES).astype(float) for place in range(3))
    ready = inputs(population, [], prob_alive=Outlook(FITTED, x, t_x, age).prob_alive())
    log = orders(population, ready, seed=3)
    return log.with_columns(past=pl.col("customer") // COPIES), population.calendar.days


@pytest.mark.parametrize("past", range(len(PASTS)))
def test_existing_customers_order_as_often_as_the_model_says(future, past):
    log, horizon = future
    ordered = np.bincount(log.filter(pl.col("past") == past)["customer"].to_numpy() - past * COPIES, minlength=COPIES)
    frequency, recency_days, age_days, _ = PASTS[past]
    expected = Outlook(FITTED, frequency, recency_days, age_days).expected_purchases(horizon)
    score = (ordered.mean() - float(expected)) / (ordered.std() / np.sqrt(COPIES))
    assert abs(score) < 4, f"{score:.2f} standard errors"


@pytest.mark.parametrize("past", range(len(PASTS)))
def test_existing_customers_spend_what_the_model_says(future, past):
    log, _ = future
    # A customer's own mean is drawn once, so customers are what is counted, not orders.
    means = log.filter(pl.col("past") == past).group_by("customer").agg(pl.col("amount").mean())["amount"].to_numpy()
    frequency, _, _, value = PASTS[past]
    expected = expected_spend(AMOUNTS, frequency, np.nan if value is None else value)
    score = (means.mean() - float(expected)) / (means.std() / np.sqrt(len(means)))
    assert abs(score) < 4, f"{score:.2f} standard errors"


def test_new_customers_spend_what_the_model_says():
    population = newcomers(CUSTOMERS, months=2)
    log = orders(population, inputs(population, []), seed=4)
    means = log.group_by("customer").agg(pl.col("amount").mean())["amount"].to_numpy()
    score = (means.mean() - population_mean(AMOUNTS)) / (means.std() / np.sqrt(CUSTOMERS))
    assert abs(score) < 4, f"{score:.2f} standard errors"


# What goes into the simulator comes out of the fit: simulate a shop, summarise its orders, estimate.

# Orders of one day count as one, and days are all that is known of moments. With CDNOW's rates, 1.5 % of the repeat
# orders of this many customers would be lost so. This shop's customers order less often, and 0.7 % are lost: that moves
# no parameter by more than about one of its standard errors, so the four allowed below are not used up by it.
SHOP = Latents(r=0.9, alpha=150.0, a=0.8, b=2.5, s=0.0, beta=1.0, drop_after_first=0, **SPEND)
CUSTOMERS_PER_MONTH, MONTHS = 10_000, 18


@pytest.fixture(scope="module")
def rfm():
    calendar = Calendar(starts_on=START, months=MONTHS)
    population = Population(base=empty_base(), arrivals=(CUSTOMERS_PER_MONTH,) * 6, calendar=calendar)
    log = orders(population, inputs(population, [], latents=SHOP), seed=11)
    lines = log.select(customer_id="customer", ordered_at=pl.lit(START) + pl.duration(days="day"), amount="amount")
    return summarise(lines, until=START + timedelta(days=calendar.days - 1))


@pytest.fixture(scope="module", params=[(fit, ("r", "alpha", "a", "b")), (fit_spend, ("p", "q", "v"))])
def fitted(rfm, request):
    """A fitted model and the names of its parameters."""
    make, names = request.param
    return make(rfm), names


def test_the_fit_finds_the_parameters_again(fitted):
    found, names = fitted
    # On the scale on which an estimate is nearly normal.
    errors = np.sqrt(np.diag(found.log_covariance))
    for name, error in zip(names, errors, strict=True):
        score = math.log(getattr(found.params, name) / getattr(SHOP, name)) / error
        assert abs(score) < 4, f"{name}: {score:.2f} standard errors"


# What the models of buying and leaving say of a cohort: facts F5, F6 and F8 of the field.


def test_the_best_fifth_of_a_cohort_spends_two_thirds_of_the_money_f5():
    # CDNOW itself: 57 % of the orders and 67 % of the spend in 78 weeks; published elsewhere: 60 to 73 % of the spend.
    population = newcomers(50_000, months=18)
    ready = inputs(population, [])
    spend = np.sort(customer_values(population, ready, seed=5).astype(float))
    orders = np.sort(orders_of_each(population, ready, seed=5))
    shares = [held[-len(held) // 5 :].sum() / held.sum() for held in (spend, orders)]
    assert 0.60 <= shares[0] <= 0.73
    assert shares[1] < shares[0]


@pytest.mark.parametrize(
    ("effect", "latents", "percents"),
    [
        # From the closed forms at the maxima on CDNOW, in per cent of the repeat orders of 52, 156 and 520 weeks.
        pytest.param(buying(1.1), CDNOW, (6.3, 5.2, 4.3), id="BG/NBD, rate +10 %"),
        pytest.param(buying(1.1), PARETO, (10.0, 10.0, 10.0), id="Pareto/NBD, rate +10 %"),
        pytest.param(leaving(0.9), CDNOW, (3.8, 4.9, 5.9), id="BG/NBD, dropout -10 %"),
        pytest.param(leaving(0.9), PARETO, (3.6, 4.7, 5.4), id="Pareto/NBD, dropout -10 %"),
    ],
)
def test_what_a_lever_brings_depends_on_the_model_of_leaving_and_on_the_horizon_f6(effect, latents, percents):
    size = 100_000
    population, lever = newcomers(size, months=37), [programme(effect)]
    ready = inputs(population, [], lever, latents=latents)
    # Entries are 15.5 days after the start on average; the percentages hardly move with the horizon.
    placed = [
        [orders_of_each(population, ready, arm=arm, before=round(weeks * WEEK + HALF)).sum() for arm in (0, 1)]
        for weeks in (52, 156)
    ]
    counts = play(newcomers(size, months=120), [], lever, latents=latents)
    placed.append([total(counts, arm, place(CountKind.ORDERS)) for arm in (0, 1)])
    for (baseline, treated), percent in zip(placed, percents, strict=True):
        assert 100 * ((treated - size) / (baseline - size) - 1) == pytest.approx(percent, abs=0.3)


YEARS, YEAR = 8, 365


def survivors(population, ready, arm):
    """Return how many customers are still there so many years after they came: shape (years + 1,)."""
    log = events(population, ready, seed=8, arm=arm)
    came = log.filter(pl.col("kind") == ARRIVED).select("customer", came="second")
    went = log.filter(pl.col("kind") == LEFT).select("customer", "second").join(came, on="customer")
    ages = (went["second"] - went["came"]).to_numpy() / 86_400
    return np.array([came.height - (ages < year * YEAR).sum() for year in range(YEARS + 1)], dtype=float)


def test_a_cohorts_retention_rises_with_its_age_though_nobodys_hazard_falls_f8():
    # Fader & Hardie (2010): those at risk leave first, and who is left was loyal from the start.
    size = 50_000
    population = newcomers(size, months=12 * YEARS + 1)
    alive = survivors(population, inputs(population, [], latents=PARETO), arm=0)
    retention = alive[1:] / alive[:-1]
    errors = np.sqrt(retention * (1 - retention) / alive[:-1])
    assert (np.diff(retention) > 0).all()
    assert retention[1] - retention[0] > 4 * np.hypot(*errors[:2])
    assert retention[-1] - retention[1] > 4 * np.hypot(errors[-1], errors[1])
    # Against the closed form of the Pareto/NBD: the share alive at age t is (beta / (beta + t)) ** s.
    expected = (PARETO.beta / (PARETO.beta + YEAR * np.arange(YEARS + 1))) ** PARETO.s
    assert (np.abs(alive / size - expected) <= 4 * np.sqrt(expected * (1 - expected) / size)).all()


def test_who_reckons_with_one_retention_for_all_undervalues_a_better_one_f8():
    # Fader & Hardie (2010): the elasticity of value to retention is underestimated from the cohort's retention.
    population = newcomers(50_000, months=12 * YEARS + 1)
    ready = inputs(population, [], [programme(leaving(0.9))], latents=PARETO)
    usual, better = (survivors(population, ready, arm=arm) for arm in (0, 1))
    true = better.sum() / usual.sum() - 1
    rates = [alive[1] / alive[0] for alive in (usual, better)]
    reckoned = np.divide(*(sum(rate**year for year in range(YEARS + 1)) for rate in rates[::-1])) - 1
    assert true > reckoned > 0


# What is to be expected after the horizon, against ten more years.


def _each(months, *arm, count_kind, latents, behaviour):
    population = newcomers(40_000, months=months)
    ready = inputs(population, list(arm), latents=latents, behaviour=behaviour, worth={count_kind: 1})
    return customer_values(population, ready, seed=11).astype(float)


# A sale in the last half year, four fifths of whose extra orders are borrowed from later.
SALE = made("markdown", depth=0.3, redemption=1.0, elasticity=-4.0, forward_buying=0.8, dip_depth=0.5)
PROGRAMMES = {
    "baseline": [],
    "a programme": [programme(leaving(0.7), buying(1.3), months=(0, 36))],
    "orders borrowed from later": [programme(SALE, months=(30, 36))],
}


@pytest.mark.parametrize("behaviour", [PLAIN, shop(drift=drift(0.9, 1.2), returns=returns(), order_season=season())])
@pytest.mark.parametrize("arm", PROGRAMMES.values(), ids=PROGRAMMES)
@pytest.mark.parametrize("model", MODELS)
def test_what_is_expected_after_the_horizon_is_what_ten_more_years_bring(model, arm, behaviour):
    # Programmes run in the first three years, and are over in both.
    of = partial(_each, latents=MODELS[model], behaviour=behaviour)
    for later, count_kind, unit in [
        (CountKind.LATER_ORDERS, CountKind.ORDERS, 1e-3),
        (CountKind.LATER_LIST, CountKind.LIST, 1.0),
    ]:
        expected = unit * of(36, *arm, count_kind=later)
        came = of(156, *arm, count_kind=count_kind) - of(36, *arm, count_kind=count_kind)
        gap = came - expected
        assert expected.sum() > 0.0
        # Given where each customer stands, the mean gap is 0; four standard errors.
        assert abs(gap.mean()) < 4.0 * gap.std() / math.sqrt(len(gap)), (came.mean(), expected.mean())
