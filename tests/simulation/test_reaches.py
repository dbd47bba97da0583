"""Whom a programme reaches, and in which months; and that two programmes in one arm add up."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from tests.simulation.worlds import LOYAL, basket, coupon, existing, newcomers, past_customers, play, programme, total

SHOPPERS = newcomers(500, months=12)
REACH_ORDERS, MEMBER_MONTHS = place(ReachCountKind.ORDERS), place(ReachCountKind.MEMBER_MONTHS)


def gone(idle_days, customers=1_000):
    """Return customers who have left, and ordered last so many days before the start."""
    return existing(past_customers([(3, 100, 100 + idle_days, 20.0)], customers)), np.zeros(customers)


@pytest.mark.parametrize(("months", "counted"), [((0, None), 12), ((3, None), 9), ((3, 7), 4), ((10, 20), 2)])
def test_membership_counts_every_month_up_to_the_horizon(months, counted):
    population, alive = gone(idle_days=30)
    counts = play(population, [], [programme(months=months)], prob_alive=alive)
    assert total(counts, 1, MEMBER_MONTHS) == counted * population.size
    assert counts.by_arm[1][0, months[0], MEMBER_MONTHS] == population.size


def test_members_join_evenly_over_the_ramp():
    population, alive = gone(idle_days=30, customers=10_000)
    counts = play(population, [], [programme(uptake=0.5, ramp_days=92.0)], prob_alive=alive)
    # July, August and September have 92 days; at the end of each, that many days' share of 5,000 have joined.
    joined = counts.by_arm[1][0, :, MEMBER_MONTHS]
    for month, share in enumerate((31 / 184, 62 / 184, 0.5, 0.5)):
        assert abs(joined[month] - 10_000 * share) < 4 * np.sqrt(10_000 * share * (1 - share))


def test_a_programme_changes_nothing_before_and_after_its_months():
    counts = play(newcomers(5_000, months=12), [], [programme(basket(1.5), months=(3, 7))])
    changed = (counts.by_arm[0] != counts.by_arm[1][:, :, : len(CountKind)]).any(axis=(0, 2))
    assert np.flatnonzero(changed).tolist() == [3, 4, 5, 6]


def test_a_basket_ratio_is_on_the_list_price_of_each_order():
    counts = play(newcomers(5_000), [], [programme(basket(1.25))])
    rounding = total(counts, 0, place(CountKind.ORDERS))  # each order is rounded to the cent in both arms
    assert (
        abs(total(counts, 1, place(CountKind.LIST)) - 1.25 * total(counts, 0, place(CountKind.LIST))) < 1.125 * rounding
    )


@pytest.mark.parametrize(
    ("who", "reached"), [("frequency >= 3", 30), ("origin = 'new'", 50), ("monetary_value > 1", 30)]
)
def test_only_those_who_meet_the_condition_are_reached(who, reached):
    base = past_customers([(3, 100, 130, 20.0)], 30).vstack(past_customers([(0, 0, 130, None)], 20))
    counts = play(existing(base, arrivals=(50,), months=1), [programme(who=who)])
    assert total(counts, 0, MEMBER_MONTHS) == reached


def test_two_programmes_in_one_arm_add_up():
    both = [programme(basket(1.2)), programme(coupon(3.0, 1.0))]
    counts = play(SHOPPERS, [both[0]], [both[1]], both, latents=LOYAL)
    for arm, count_kind in ((0, CountKind.LIST), (1, CountKind.MARKDOWN)):
        assert total(counts, 2, place(count_kind)) == total(counts, arm, place(count_kind))
    assert total(counts, 2, place(ReachCountKind.ORDERS, 1)) == total(counts, 1, REACH_ORDERS)
