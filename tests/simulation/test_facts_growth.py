"""Whom discounts and friends bring, and what they are worth later: facts F14 and F20 of the field."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.counts import CountKind
from cxsim.simulation.engine import customer_values, events
from cxsim.simulation.state import ARRIVED, LEFT, ORDER
from cxsim.simulation.world import Calendar, Population, empty_base
from cxsim.strategies.mechanisms import Acquisition, Referral
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY
from tests.simulation.worlds import CDNOW, MODELS, START, existing, inputs, past_customers, programme

NEWCOMERS = 150_000


@pytest.mark.parametrize("model", MODELS)
def test_customers_won_with_a_third_off_are_worth_half_as_much_later_f14(model):
    # Lewis (2006): a discount of 35 % halves the later value; exp(-1.98 * 0.35) = 0.50. Counted in repeat orders.
    population = Population(
        base=empty_base(),
        arrivals=(NEWCOMERS,),
        most_arrivals=(2 * NEWCOMERS,),
        calendar=Calendar(starts_on=START, months=24),
    )
    offer = programme(made(Acquisition, ratio=2.0, charge=1.0, depth=0.35, loss_per_depth=1.98))
    ready = inputs(population, [], [offer], latents=MODELS[model], worth={CountKind.ORDERS: 1})
    later = customer_values(population, ready, seed=20240501, arm=1) - 1
    usual, won = later[:NEWCOMERS], later[NEWCOMERS:]
    ratio = won.mean() / usual.mean()
    error = ratio * np.hypot(*(group.std() / group.mean() / np.sqrt(NEWCOMERS) for group in (usual, won)))
    assert 4 * error < 0.035, "precise enough to be put to the test"
    assert abs(ratio - np.exp(-1.98 * 0.35)) < 4 * error
    assert ratio == pytest.approx(0.50, abs=0.03)


# Nobody's chance of leaving differs from another's, so that groups can be compared without sorting: half leave in a
# year. Orders come every month.
EVEN = CDNOW._replace(r=50.0, alpha=50.0 * 30.0, a=0.0, b=1.0, s=1e6, beta=1e6 * 365.0 / np.log(2.0))
YEARS = 3


@pytest.fixture(scope="module")
def referred():
    """Who was referred, and their journals: as they are if they are like others, and as Schmitt et al. found them."""
    base = past_customers([(10, 290, 300, 30.0)], 8_000)
    population = existing(base, months=12 * YEARS + 2)
    logs = []
    for dropout, premium in ((1.0, 1.0), (0.82, 1.25)):
        friends = made(
            Referral, per_year=12.0, success=1.0, dropout=dropout, premium=premium, premium_half_life_days=270.0
        )
        # Referrals of two months, by customers who were there before; those who are referred refer nobody.
        brought = programme(friends, who="origin = 'existing'", months=(0, 2))
        log = events(population, inputs(population, [brought], latents=EVEN), seed=20240501)
        came = log.filter((pl.col("kind") == ARRIVED) & (pl.col("a") >= 0)).select("customer", came="second")
        aged = log.join(came, on="customer").with_columns(age=(pl.col("second") - pl.col("came")) / DAY)
        logs.append((came["customer"], aged.filter(pl.col("age") < YEARS * 365.0)))
    return logs


def test_referred_customers_are_worth_at_least_a_sixth_more_than_matched_ones_f20(referred):
    # Schmitt, Skiera & Van den Bulte (2011): 16 % more; their chance of leaving is 18 % lower, and never recovers.
    assert referred[0][0].equals(referred[1][0]), "the same customers"
    spend = []
    for who, log in referred:
        by_customer = log.filter(pl.col("kind") == ORDER).group_by("customer").agg(pl.col("a").sum())
        spend.append(who.to_frame().join(by_customer, on="customer", how="left")["a"].fill_null(0).to_numpy())
    matched, friends = spend
    gain = friends - 1.16 * matched
    assert gain.mean() > 4 * gain.std() / np.sqrt(len(gain))


def test_the_margin_of_referred_customers_falls_to_that_of_others_f20(referred):
    means = []
    for _, log in referred:
        orders = log.filter(pl.col("kind") == ORDER).with_columns(year=(pl.col("age") // 365.0).cast(int))
        means.append(orders.group_by("year").agg(pl.col("a").mean()).sort("year")["a"].to_numpy())
    gap = means[1] / means[0] - 1
    # 25 % at first with a half-life of nine months: 1.25 ** (2 ** -t) over the years is 16 %, 6 % and 2 %.
    assert gap[0] > gap[1] > gap[2] > 0
    halved = 0.5 ** (365.0 / 270.0)
    assert gap[2] / gap[0] == pytest.approx(halved**2, rel=0.2)


def test_the_retention_of_referred_customers_stays_better_f20(referred):
    hazards = []
    for who, log in referred:
        ages = log.filter(pl.col("kind") == LEFT)["age"].to_numpy()
        alive = len(who) - np.array([(ages < 365.0 * year).sum() for year in range(YEARS + 1)])
        hazards.append((-np.log(alive[1:] / alive[:-1]), alive))
    (matched, alive), (friends, _) = hazards
    ratio = friends / matched
    # The log of a hazard has about the error 1 / sqrt(events).
    error = ratio * np.sqrt(1 / (matched * alive[:-1]) + 1 / (friends * alive[:-1]))
    assert (np.abs(ratio - 0.82) < 4 * error).all(), ratio
    assert (error < 0.03).all()
