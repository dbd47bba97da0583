"""The simulator's means against the formulas of the models; four standard errors, fixed seeds, nothing is run again."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import hyp2f1

from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams, expected_spend, population_mean
from cxsim.clv.models.purchases import expected_purchases, expected_purchases_new, prob_alive
from tests.simulated import orders
from tests.simulation.worlds import (
    CDNOW,
    MBG,
    PARETO,
    SPEND,
    WEEK,
    existing,
    inputs,
    newcomers,
    orders_of_each,
    past_customers,
)

CUSTOMERS = 200_000
FITTED = BetaGeometricParams(r=CDNOW.r, alpha=CDNOW.alpha, a=CDNOW.a, b=CDNOW.b)
AMOUNTS = GammaGammaParams(**SPEND)
# Customers enter evenly over July's 31 days, 15.5 days after its start on average.
MONTH, HALF = 31.0, 15.5


def bgnbd_repeats(time):
    return expected_purchases_new(FITTED, time)


def bgnbd_repeats_as_printed(time):
    """As `bgnbd_repeats`, at another run's maximum: as good a fit, and what fact F2 of the field was computed at."""
    printed = BetaGeometricParams(r=0.2426, alpha=4.413 * WEEK, a=0.789, b=2.411)
    return expected_purchases_new(printed, time)


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
    ready = inputs(population, [], prob_alive=prob_alive(FITTED, x, t_x, age))
    log = orders(population, ready, seed=3)
    return log.with_columns(past=pl.col("customer") // COPIES), population.calendar.days


@pytest.mark.parametrize("past", range(len(PASTS)))
def test_existing_customers_order_as_often_as_the_model_says(future, past):
    log, horizon = future
    ordered = np.bincount(log.filter(pl.col("past") == past)["customer"].to_numpy() - past * COPIES, minlength=COPIES)
    frequency, recency_days, age_days, _ = PASTS[past]
    expected = expected_purchases(FITTED, frequency, recency_days, age_days, time=horizon)
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
