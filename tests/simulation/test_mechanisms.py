"""What each effect and each kind of reach does to orders, money, points and contacts, down to the last cent."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.simulation import orders
from cxsim.tallies import ReachTally, Tally, place
from tests.simulation.worlds import (
    CDNOW,
    LOYAL,
    MBG,
    basket,
    buying,
    coupon,
    existing,
    inputs,
    leaving,
    markdown,
    newcomers,
    orders_of_each,
    past_customers,
    play,
    points,
    programme,
    total,
)

SHOPPERS = newcomers(500, months=12)
REACH_ORDERS, CONTACTS = place(ReachTally.ORDERS), place(ReachTally.CONTACTS)
MEMBER_MONTHS, POINTS_VALUE = place(ReachTally.MEMBER_MONTHS), place(ReachTally.POINTS_VALUE)


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
    assert total(counts, 1, place(Tally.ORDERS)) == 0


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
    assert total(counts, 1, REACH_ORDERS) == total(counts, 1, place(Tally.MARKDOWN)) == 0


def test_a_markdown_raises_the_order_rate_by_the_elasticity_of_the_mean_price():
    # 20 % off every second order is a mean price of 0.9; with an elasticity of -2 the rate rises by 0.9 ** -2.
    cheaper, faster = programme(markdown(0.2, 0.5, -2.0)), programme(buying(0.9**-2))
    population = newcomers(5_000)
    ready = inputs(population, [cheaper], [faster])
    np.testing.assert_array_equal(*(orders_of_each(population, ready, arm=arm) for arm in (0, 1)))


def test_a_markdown_takes_its_depth_off_the_share_of_orders_that_redeem_it():
    counts = play(newcomers(5_000), [], [programme(markdown(0.2, 0.5, 0.0))])
    listed, off = (total(counts, 1, place(tally)) for tally in (Tally.LIST, Tally.MARKDOWN))
    # Half of some twenty thousand orders, whose amounts vary by 90 % of their mean: 1 % is four standard errors.
    assert off / listed == pytest.approx(0.1, rel=0.05)


def test_a_coupon_takes_its_face_value_off():
    counts = play(SHOPPERS, [], [programme(coupon(3.0, 1.0))], latents=LOYAL)
    assert total(counts, 1, place(Tally.MARKDOWN)) == 300 * total(counts, 1, place(Tally.ORDERS))


def test_a_coupon_never_exceeds_the_order():
    population = newcomers(2_000)
    log = orders(population, inputs(population, [], [programme(coupon(1e6, 1.0))]), seed=5, arm=1)
    assert log["amount"].unique().to_list() == [0.0]


def test_a_reward_larger_than_the_order_is_not_given():
    # Orders cost about 10.00: rewards of 11.00 wait for ever, rewards of 9.00 do not.
    arms = [[programme(points(threshold=10.0, reward=reward))] for reward in (11.0, 9.0)]
    counts = play(SHOPPERS, *arms, latents=LOYAL)
    assert total(counts, 0, place(Tally.REWARD)) == 0
    assert total(counts, 1, place(Tally.REWARD)) > 0


def test_a_full_card_is_redeemed_on_the_share_of_orders_with_one():
    # Every order of about 10 fills a card of 1 point, so every order but the first could redeem one.
    counts = play(SHOPPERS, [programme(points(threshold=1.0, reward=1.0, redemption=0.7))], latents=LOYAL)
    chances = total(counts, 0, place(Tally.ORDERS)) - SHOPPERS.size
    used = total(counts, 0, place(Tally.REWARD)) / 100
    assert abs(used - 0.7 * chances) < 4 * np.sqrt(0.7 * 0.3 * chances)


def test_points_are_whole_and_none_is_lost_to_binary_fractions():
    # 29 points for one unit of money: 0.29 points a cent times 100 cents is a hair below 29 in doubles.
    population = newcomers(2_000)
    giving = [programme(points(earn=29.0, redemption=0.0))]
    cents = orders(population, inputs(population, giving), seed=5)["amount"].to_numpy() * 100
    expected = (29 * np.rint(cents).astype(np.int64) // 100).sum()
    assert total(play(population, giving, seed=5), 0, place(Tally.POINTS_ISSUED)) == expected


@pytest.mark.parametrize(("expiry_days", "fate"), [(0.0, Tally.POINTS_EXPIRED), (36_525.0, Tally.POINTS_OUTSTANDING)])
def test_points_lapse_after_their_days_and_not_before(expiry_days, fate):
    giving = [programme(points(expiry_days=expiry_days, redemption=0.0))]
    counts = play(newcomers(2_000), giving)
    assert total(counts, 0, place(fate)) == total(counts, 0, place(Tally.POINTS_ISSUED)) > 0


def test_points_lapse_in_the_month_in_which_their_days_are_over():
    # Nobody orders twice, so points of July's orders lapse 100 days later: between 9 October and 8 November.
    once = CDNOW._replace(alpha=1e12)
    counts = play(newcomers(2_000, months=12), [programme(points(expiry_days=100.0))], latents=once)
    lapsed = counts.by_arm[0][1, :, place(Tally.POINTS_EXPIRED)]
    assert np.flatnonzero(lapsed).tolist() == [3, 4]
    assert lapsed.sum() == total(counts, 0, place(Tally.POINTS_ISSUED))


def test_a_customers_points_still_held_are_owed_in_full_and_rounded_up():
    # One order of about 10.00 gives 10 points; 10 of 300 points for a reward of 5.00 are 16.67 cents, so 17 are owed.
    once = LOYAL._replace(alpha=1e18, p=1e14, q=1e14)
    counts = play(newcomers(100, months=1), [programme(points(earn=1.001, threshold=300.0, reward=5.0))], latents=once)
    assert total(counts, 0, place(Tally.POINTS_OUTSTANDING)) == 100 * 10
    assert total(counts, 0, POINTS_VALUE) == 100 * 17


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
    changed = (counts.by_arm[0] != counts.by_arm[1][:, :, : len(Tally)]).any(axis=(0, 2))
    assert np.flatnonzero(changed).tolist() == [3, 4, 5, 6]


def test_a_basket_ratio_is_on_the_list_price_of_each_order():
    counts = play(newcomers(5_000), [], [programme(basket(1.25))])
    rounding = total(counts, 0, place(Tally.ORDERS))  # each order is rounded to the cent in both arms
    assert abs(total(counts, 1, place(Tally.LIST)) - 1.25 * total(counts, 0, place(Tally.LIST))) < 1.125 * rounding


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
    for arm, tally in ((0, Tally.LIST), (1, Tally.MARKDOWN)):
        assert total(counts, 2, place(tally)) == total(counts, arm, place(tally))
    assert total(counts, 2, place(ReachTally.ORDERS, 1)) == total(counts, 1, REACH_ORDERS)


def test_a_chance_of_leaving_beyond_one_is_certain():
    even = CDNOW._replace(r=1e3, alpha=1e3, a=1e6, b=1e6)  # one order a day, and half of the customers leave after each
    population = newcomers(1_000, months=3)
    placed = orders_of_each(population, inputs(population, [programme(leaving(100.0))], latents=even))
    assert (placed <= 2).all()


def test_customers_with_hardly_any_purchase_rate_never_order_again():
    # For most, the rate is too small for a double: it is 0, and nothing may be divided by it.
    population = newcomers(1_000)
    never = CDNOW._replace(r=1e-6)
    placed = orders_of_each(population, inputs(population, [programme(buying(0.01), leaving(0.5))], latents=never))
    assert (placed == 1).all()


def test_customers_with_hardly_any_hazard_stay():
    population = newcomers(1_000, months=12)
    forever = LOYAL._replace(s=1e-6)
    ready = inputs(population, [programme(leaving(0.01))], latents=forever)
    assert (orders_of_each(population, ready) > 10).all()  # 36 on average, give or take 6


def test_those_who_survived_orders_under_mbg_are_loyal_after_one_more_than_they_repeated():
    # Alive after x repeats, a customer has stayed after x + 1 orders: P(leave) ~ Beta(a, b + x + 1).
    repeats, customers = 4, 40_000
    quick = MBG._replace(r=1e6, alpha=1e6)  # one order a day, so that all meet their next order
    population = existing(past_customers([(repeats, 90, 100, 20.0)], customers), months=2)
    placed = orders_of_each(population, inputs(population, [], latents=quick))
    chance = MBG.a / (MBG.a + MBG.b + repeats + 1)
    assert abs((placed == 1).mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / customers)
