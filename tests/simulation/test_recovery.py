"""What goes into the simulator comes out of the fit: simulate a shop, summarise its orders, estimate."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.data.rfm import summarise
from cxsim.simulation.state import Latents
from cxsim.simulation.world import Calendar, Population, empty_base
from tests.simulated import orders
from tests.simulation.worlds import SPEND, START, inputs

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


@pytest.fixture(scope="module")
def purchases(rfm):
    return fit(rfm)


@pytest.fixture(scope="module")
def spend(rfm):
    return fit_spend(rfm)


def score(fitted, log_covariance, names, name):
    """Return how many standard errors an estimate is off, on the scale on which it is nearly normal."""
    error = math.sqrt(log_covariance[names.index(name)][names.index(name)])
    return (math.log(getattr(fitted, name)) - math.log(getattr(SHOP, name))) / error


@pytest.mark.parametrize("name", ["r", "alpha", "a", "b"])
def test_the_fit_finds_the_purchase_parameters_again(purchases, name):
    found = score(purchases.params, purchases.log_covariance, ["r", "alpha", "a", "b"], name)
    assert abs(found) < 4, f"{found:.2f} standard errors"


@pytest.mark.parametrize("name", ["p", "q", "v"])
def test_the_fit_finds_the_spend_parameters_again(spend, name):
    found = score(spend.params, spend.log_covariance, ["p", "q", "v"], name)
    assert abs(found) < 4, f"{found:.2f} standard errors"


def test_the_fit_is_precise_enough_to_be_put_to_the_test(purchases):
    # A wide error would let any simulator pass: each is below 6 %, those of r and alpha below 2 %.
    assert np.sqrt(np.diag(np.array(purchases.log_covariance))).max() < 0.06
