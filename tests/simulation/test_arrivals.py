"""Customers whom programmes bring: attracted, referred and brought back, against closed forms."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.errors import SimulationError
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import customer_values, events
from cxsim.simulation.state import ARRIVED, LEFT, ORDER, REVIVED
from cxsim.simulation.world import Calendar, Population, empty_base
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, regulars
from tests.simulation.shops import experience, shop
from tests.simulation.worlds import (
    CDNOW,
    LOYAL,
    MODELS,
    START,
    existing,
    inputs,
    past_customers,
    play,
    programme,
    total,
)


def friends(per_year=2.0, success=0.5, anyway=0.25, **reach):
    return programme(made("referral", per_year=per_year, success=success, anyway=anyway), **reach)


def test_referrals_branch_as_in_the_closed_form():
    # Everyone who is there brings new ones at a rate g, and these in turn: exp(g t) for each, a Yule process.
    size, months = 20_000, 24
    population = regulars(size, months=months)
    counts = play(population, [friends()], latents=LOYAL)
    growth = 2.0 * 0.5 * 0.75 * population.calendar.days / 365.25
    expected = size * (np.exp(growth) - 1.0)
    error = np.sqrt(size * np.exp(growth) * (np.exp(growth) - 1.0))
    referred = total(counts, 0, place(CountKind.REFERRED))
    assert abs(referred - expected) < 4 * error
    # Those who would have come anyway are rewarded as well.
    referrals = total(counts, 0, place(ReachCountKind.REFERRALS))
    assert abs(referred - 0.75 * referrals) < 4 * np.sqrt(0.75 * 0.25 * referrals)


def test_only_those_who_are_at_least_as_satisfied_as_the_mean_recommend():
    behaviour = shop(experience=experience(memory=0.0))
    size = 20_000
    counts = play(
        existing(past_customers([(0, 0, 0, None)], size)),
        [friends(who="origin = 'existing'", anyway=0.0)],
        latents=LOYAL,
        behaviour=behaviour,
    )
    expected = 0.5 * size * 1.0 * 365 / 365.25
    # Half of them, give or take, and each a Poisson number with mean 1.
    assert abs(total(counts, 0, place(CountKind.REFERRED)) - expected) < 4 * np.sqrt(expected + 0.25 * size)


def test_who_has_left_recommends_nobody():
    population = existing(past_customers([(0, 0, 0, None)], 1_000))
    counts = play(population, [friends(per_year=50.0)], latents=LOYAL, prob_alive=np.zeros(1_000))
    assert total(counts, 0, place(ReachCountKind.REFERRALS)) == 0


def test_referrals_that_explode_are_refused_with_advice():
    with pytest.raises(
        SimulationError, match=r"one customer brought 1024 new ones and more.*explode\. Lower the number"
    ):
        play(regulars(10, months=24), [friends(per_year=50.0, success=1.0, anyway=0.0)], latents=LOYAL)


def arriving(*arrivals, most=2):
    return Population(
        base=empty_base(),
        arrivals=arrivals,
        most_arrivals=tuple(most * number for number in arrivals),
        calendar=Calendar(starts_on=START, months=12),
    )


def test_a_better_conversion_adds_its_share_of_customers_in_its_months():
    population = arriving(1_000, 1_000, 1_000, 500)
    wider = programme(made("acquisition", ratio=1.5), months=(1, 3))
    counts = play(population, [], [wider])
    attracted = counts.by_arm[1][:, :, place(ReachCountKind.ATTRACTED)]
    assert attracted.sum(axis=0).tolist() == [0, 500, 500, 0] + [0] * 8
    usual = [arm[:, :, place(CountKind.ARRIVALS)].sum(axis=0).tolist() for arm in counts.by_arm]
    assert usual[0] == usual[1]


def test_those_who_are_attracted_and_not_loyal_never_order_again():
    population = arriving(20_000)
    wider = programme(made("acquisition", ratio=2.0, loyal=0.3))
    log = events(population, inputs(population, [], [wider], latents=LOYAL), seed=2, arm=1)
    brought = log.filter((pl.col("kind") == ARRIVED) & (pl.col("b") >= 0))["customer"]
    orders = log.filter(pl.col("customer").is_in(brought.implode()) & (pl.col("kind") == 0)).group_by("customer").len()
    staying = (orders["len"] > 1).sum()
    assert abs(staying - 0.3 * 20_000) < 4 * np.sqrt(0.3 * 0.7 * 20_000)


def test_two_programmes_share_those_whom_they_attract_by_their_size():
    population = arriving(20_000, most=3)
    arm = [programme(made("acquisition", ratio=ratio), name=name) for ratio, name in ((1.6, "wide"), (1.2, "narrow"))]
    counts = play(population, [], arm)
    found = [total(counts, 1, place(ReachCountKind.ATTRACTED, reach)) for reach in (0, 1)]
    assert sum(found) == round(20_000 * 1.6 * 1.2) - 20_000
    assert abs(found[0] - 0.75 * sum(found)) < 4 * np.sqrt(0.75 * 0.25 * sum(found))


GONE = 20_000


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_of_those_who_had_left_the_share_comes_back_on_the_day_of_the_answer(share):
    population = existing(past_customers([(3, 100, 190, 20.0)], GONE))
    back = programme(made("reactivation", share=share), idle=(120.0, 30.0))
    ready = inputs(population, [back], latents=LOYAL, prob_alive=np.zeros(GONE))
    log = events(population, ready, seed=2)
    revived = log.filter(pl.col("kind") == REVIVED)
    assert abs(revived.height - share * GONE) <= 4 * np.sqrt(share * (1 - share) * GONE)
    assert set(revived["second"].to_list()) <= {30 * DAY}  # idle for 90 days at the start


def test_a_second_life_is_shorter_by_its_ratio():
    # Kumar, Bhagwat & Zhang (2015). A hazard of one in 200 days for all, twice as high in the second life.
    leaving = LOYAL._replace(s=1e9, beta=1e9 * 200.0)
    population = existing(past_customers([(3, 100, 190, 20.0)], GONE), months=12)
    back = programme(made("reactivation", share=1.0, second_life=2.0), idle=(120.0, 30.0))
    ready = inputs(population, [back], latents=leaving, prob_alive=np.zeros(GONE))
    log = events(population, ready, seed=2)
    again = (
        log.filter((pl.col("kind") == LEFT) & (pl.col("second") > 30 * DAY))
        .group_by("customer")
        .agg(pl.col("second").first())
    )
    within = again.filter(pl.col("second") <= 130 * DAY).height
    # The hazard after an age of 190 days is that of the posterior: 1e9 / (1e9 * 200 + 190), the same.
    chance = 1.0 - np.exp(-2.0 / 200.0 * 100.0)
    assert abs(within - chance * GONE) < 4 * np.sqrt(chance * (1 - chance) * GONE)


# Whom discounts and friends bring, and what they are worth later: facts F14 and F20 of the field.

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
    offer = programme(made("acquisition", ratio=2.0, charge=1.0, depth=0.35, loss_per_depth=1.98))
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
            "referral", per_year=12.0, success=1.0, dropout=dropout, premium=premium, premium_half_life_days=270.0
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
