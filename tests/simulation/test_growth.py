"""Customers whom programmes bring: attracted, referred and brought back, against closed forms."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.errors import SimulationError
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import ARRIVED, LEFT, REVIVED
from cxsim.simulation.world import Calendar, Population, empty_base
from cxsim.strategies.mechanisms import Acquisition, Reactivation, Referral
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, regulars
from tests.simulation.shops import experience, shop
from tests.simulation.worlds import LOYAL, START, existing, inputs, past_customers, play, programme, total


def friends(per_year=2.0, success=0.5, anyway=0.25, **reach):
    return programme(made(Referral, per_year=per_year, success=success, anyway=anyway), **reach)


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
    wider = programme(made(Acquisition, ratio=1.5), months=(1, 3))
    counts = play(population, [], [wider])
    attracted = counts.by_arm[1][:, :, place(ReachCountKind.ATTRACTED)]
    assert attracted.sum(axis=0).tolist() == [0, 500, 500, 0] + [0] * 8
    usual = [arm[:, :, place(CountKind.ARRIVALS)].sum(axis=0).tolist() for arm in counts.by_arm]
    assert usual[0] == usual[1]


def test_a_worse_conversion_takes_customers_away():
    population = arriving(1_000, 1_000)
    counts = play(population, [], [programme(made(Acquisition, ratio=0.8))])
    assert counts.by_arm[1][:, :, place(CountKind.ARRIVALS)].sum(axis=0).tolist() == [800, 800] + [0] * 10


def test_those_who_are_attracted_and_not_loyal_never_order_again():
    population = arriving(20_000)
    wider = programme(made(Acquisition, ratio=2.0, loyal=0.3))
    log = events(population, inputs(population, [], [wider], latents=LOYAL), seed=2, arm=1)
    brought = log.filter((pl.col("kind") == ARRIVED) & (pl.col("b") >= 0))["customer"]
    orders = log.filter(pl.col("customer").is_in(brought.implode()) & (pl.col("kind") == 0)).group_by("customer").len()
    staying = (orders["len"] > 1).sum()
    assert abs(staying - 0.3 * 20_000) < 4 * np.sqrt(0.3 * 0.7 * 20_000)


def test_two_programmes_share_those_whom_they_attract_by_their_size():
    population = arriving(20_000, most=3)
    arm = [programme(made(Acquisition, ratio=ratio), name=name) for ratio, name in ((1.6, "wide"), (1.2, "narrow"))]
    counts = play(population, [], arm)
    found = [total(counts, 1, place(ReachCountKind.ATTRACTED, reach)) for reach in (0, 1)]
    assert sum(found) == round(20_000 * 1.6 * 1.2) - 20_000
    assert abs(found[0] - 0.75 * sum(found)) < 4 * np.sqrt(0.75 * 0.25 * sum(found))


GONE = 20_000


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_of_those_who_had_left_the_share_comes_back_on_the_day_of_the_answer(share):
    population = existing(past_customers([(3, 100, 190, 20.0)], GONE))
    back = programme(made(Reactivation, share=share), idle=(120.0, 30.0))
    ready = inputs(population, [back], latents=LOYAL, prob_alive=np.zeros(GONE))
    log = events(population, ready, seed=2)
    revived = log.filter(pl.col("kind") == REVIVED)
    assert abs(revived.height - share * GONE) <= 4 * np.sqrt(share * (1 - share) * GONE)
    assert set(revived["second"].to_list()) <= {30 * DAY}  # idle for 90 days at the start


def test_a_second_life_is_shorter_by_its_ratio():
    # Kumar, Bhagwat & Zhang (2015). A hazard of one in 200 days for all, twice as high in the second life.
    leaving = LOYAL._replace(s=1e9, beta=1e9 * 200.0)
    population = existing(past_customers([(3, 100, 190, 20.0)], GONE), months=12)
    back = programme(made(Reactivation, share=1.0, second_life=2.0), idle=(120.0, 30.0))
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
