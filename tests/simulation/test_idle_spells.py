"""Programmes that answer an idle spell: whom they reach, when, how often, and for how long."""

from __future__ import annotations

import numpy as np
import polars as pl

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from tests.simulated import orders
from tests.simulation.worlds import LOYAL, coupon, existing, inputs, newcomers, past_customers, play, programme, total

SHOPPERS = newcomers(500, months=12)
REACH_ORDERS, CONTACTS = place(ReachCountKind.ORDERS), place(ReachCountKind.CONTACTS)


def gone(idle_days, customers=1_000):
    """Return customers who have left, and ordered last so many days before the start."""
    return existing(past_customers([(3, 100, 100 + idle_days, 20.0)], customers)), np.zeros(customers)


def gaps(population, latents):
    """Return the days between orders of the baseline; at some moment of their days, so each may be one day off."""
    log = orders(population, inputs(population, [], latents=latents), seed=5)
    return log.select(gap=pl.col("day").diff().over("customer"))["gap"].drop_nulls().to_numpy()


def test_a_win_back_coupon_also_goes_to_those_who_have_left_and_only_once():
    population, alive = gone(idle_days=90)
    counts = play(population, [], [programme(coupon(5.0, 0.5), idle=(120.0, 30.0))], prob_alive=alive)
    # The spell is 120 days long on the last day of July: day 30 of the scenario.
    assert counts.by_arm[1][0, :, CONTACTS].tolist() == [1_000] + [0] * 11
    assert total(counts, 1, place(CountKind.ORDERS)) == 0


def test_a_spell_that_began_before_the_scenario_is_answered_on_the_first_day():
    population, alive = gone(idle_days=500)
    counts = play(population, [], [programme(idle=(120.0, 30.0), months=(2, None))], prob_alive=alive)
    assert counts.by_arm[1][0, :, CONTACTS].tolist() == [0, 0, 1_000] + [0] * 9


def test_a_spell_that_begins_after_the_programme_is_not_answered():
    population, alive = gone(idle_days=0)
    counts = play(population, [], [programme(idle=(120.0, 30.0), months=(0, 2))], prob_alive=alive)
    assert total(counts, 1, CONTACTS) == 0


def test_each_idle_spell_is_answered_once():
    counts = play(SHOPPERS, [], [programme(idle=(12.0, 30.0), months=(0, 12))], latents=LOYAL, seed=5)
    log = orders(SHOPPERS, inputs(SHOPPERS, [], latents=LOYAL), seed=5)
    ends = log.group_by("customer").agg(pl.col("day").max())["day"].to_numpy()
    spells = np.concatenate([gaps(SHOPPERS, LOYAL), SHOPPERS.calendar.days - ends])
    assert (spells >= 13).sum() <= total(counts, 1, CONTACTS) <= (spells >= 12).sum()


def test_the_offer_of_a_win_back_ends_after_its_days():
    counts = play(SHOPPERS, [], [programme(idle=(12.0, 9.0))], latents=LOYAL, seed=5)
    between = gaps(SHOPPERS, LOYAL)
    surely, perhaps = (((between >= 12 + off) & (between <= 21 - off)).sum() for off in (1, 0))
    assert surely <= total(counts, 1, REACH_ORDERS) <= perhaps
    assert surely > 100


def test_an_offer_of_no_days_is_sent_but_never_used():
    counts = play(SHOPPERS, [], [programme(coupon(5.0, 1.0), idle=(12.0, 0.0))], latents=LOYAL)
    assert total(counts, 1, CONTACTS) > 100
    assert total(counts, 1, REACH_ORDERS) == total(counts, 1, place(CountKind.MARKDOWN)) == 0
