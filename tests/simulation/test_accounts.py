"""Points: earned whole, redeemed at a share, lapsed after their days, owed in full."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.params import DAYS_PER_MONTH
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import LEFT, MEMBER, ORDER, POINTS, REVIVED
from tests.simulated import orders
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, regulars, side_by_side
from tests.simulation.worlds import (
    LOYAL,
    MODELS,
    PARETO,
    existing,
    inputs,
    newcomers,
    orders_of_each,
    past_customers,
    play,
    points,
    programme,
    total,
)

SHOPPERS = newcomers(500, months=12)
POINTS_VALUE = place(ReachCountKind.POINTS_VALUE)


def test_a_reward_larger_than_the_order_is_not_given():
    # Orders cost about 10.00: rewards of 11.00 wait for ever, rewards of 9.00 do not.
    arms = [[programme(points(threshold=12.0, reward=reward))] for reward in (11.0, 9.0)]
    counts = play(SHOPPERS, *arms, latents=LOYAL)
    assert total(counts, 0, place(CountKind.REWARD)) == 0
    assert total(counts, 1, place(CountKind.REWARD)) > 0


def test_a_full_card_is_redeemed_on_the_share_of_orders_with_one():
    # Every order of about 10 fills a card of 2 points, so every order but the first could redeem one.
    counts = play(SHOPPERS, [programme(points(threshold=2.0, reward=1.0, redemption=0.7))], latents=LOYAL)
    chances = total(counts, 0, place(CountKind.ORDERS)) - SHOPPERS.size
    used = total(counts, 0, place(CountKind.REWARD)) / 100
    assert abs(used - 0.7 * chances) < 4 * np.sqrt(0.7 * 0.3 * chances)


def test_points_are_whole_and_none_is_lost_to_binary_fractions():
    # 29 points for one unit of money: 0.29 points a cent times 100 cents is a hair below 29 in doubles.
    population = newcomers(2_000)
    giving = [programme(points(earn=29.0, threshold=1000.0, redemption=0.0))]
    cents = orders(population, inputs(population, giving), seed=5)["amount"].to_numpy() * 100
    expected = (29 * np.rint(cents).astype(np.int64) // 100).sum()
    assert total(play(population, giving, seed=5), 0, place(CountKind.POINTS_ISSUED)) == expected


@pytest.mark.parametrize(
    ("expiry_days", "fate"), [(0.0, CountKind.POINTS_EXPIRED), (36_525.0, CountKind.POINTS_OUTSTANDING)]
)
def test_points_lapse_after_their_days_and_not_before(expiry_days, fate):
    giving = [programme(points(expiry_days=expiry_days, redemption=0.0))]
    counts = play(newcomers(2_000), giving)
    assert total(counts, 0, place(fate)) == total(counts, 0, place(CountKind.POINTS_ISSUED)) > 0


def test_a_customers_points_still_held_are_owed_in_full_and_rounded_up():
    # One order of about 10.00 gives 10 points; 10 of 300 points for a reward of 5.00 are 16.67 cents, so 17 are owed.
    once = LOYAL._replace(alpha=1e18, p=1e14, q=1e14)
    counts = play(newcomers(100, months=1), [programme(points(earn=1.001, threshold=300.0, reward=5.0))], latents=once)
    assert total(counts, 0, place(CountKind.POINTS_OUTSTANDING)) == 100 * 10
    assert total(counts, 0, POINTS_VALUE) == 100 * 17


# Status, paid membership and unsubscribing, against closed forms and against a second reckoning by hand.

YEAR, THRESHOLD, FASTER = 365.0, 380.0, 2.0


def held_and_demoted(days, cents, horizon):
    """Reckon by hand when one member has the status, and when it was just lost: two lists of stretches of days."""
    held, demoted = [], []
    since, lost, paid, year = None, None, 0, 0
    rows = [*zip(days, cents, strict=True), (horizon, 0)]
    for day, amount in rows:
        while day >= YEAR * (year + 1):
            ends = YEAR * (year + 1)
            if lost is not None:
                demoted.append((lost, ends))
                lost = None
            if since is not None and paid < 100 * THRESHOLD:
                held.append((since, ends))
                since, lost = None, ends
            paid, year = 0, year + 1
        paid += amount
        if paid >= 100 * THRESHOLD and since is None:
            since = day
            if lost is not None:
                demoted.append((lost, day))
                lost = None
    held += [(since, horizon)] if since is not None else []
    demoted += [(lost, horizon)] if lost is not None else []
    return held, demoted


def within(stretches, day):
    return sum(max(min(day, end) - begin, 0.0) for begin, end in stretches)


def test_a_status_is_held_and_lost_as_reckoned_by_hand():
    # About 36 orders of 10.00 a year: some pay 380.00, some do not, and hardly anyone always or never.
    population = regulars(300, months=60)
    gold = programme(made("status", threshold=THRESHOLD, purchase_rate=FASTER, dropout=1.0, demotion=1.0))
    both = side_by_side(population, inputs(population, [], [gold], latents=LOYAL))
    horizon, lost = float(population.calendar.days), 0
    for _, mine in both.group_by("customer", maintain_order=True):
        days = mine["day"].to_numpy()
        held, demoted = held_and_demoted(days.tolist(), (100 * mine["listed"]).round().cast(int).to_list(), horizon)
        passed = days + np.array([(FASTER - 1.0) * within(held, day) for day in days])
        np.testing.assert_allclose(mine["usual"], passed, atol=60 * FASTER / DAY)
        lost += len(demoted)
    assert lost > 50


def test_who_holds_a_status_leaves_less_and_who_lost_it_more():
    # Orders are as without it, so both journals have the same ones until someone leaves.
    population = regulars(2_000, months=60)
    leaving = LOYAL._replace(s=1e9, beta=1e9 * 700.0)
    gold = programme(made("status", threshold=THRESHOLD, purchase_rate=1.0, dropout=0.5, demotion=3.0))
    ready = inputs(population, [], [gold], latents=leaving)
    forever = inputs(population, [gold], latents=LOYAL)
    usual, treated = (events(population, ready, seed=20240501, arm=arm) for arm in (0, 1))
    bought = events(population, forever, seed=20240501).filter(pl.col("kind") == ORDER)
    by_customer = {key[0]: mine for key, mine in bought.group_by("customer", maintain_order=True)}
    ends = [
        log.filter(pl.col("kind") == LEFT).select("customer", day=pl.col("second") / DAY) for log in (usual, treated)
    ]
    both = ends[1].join(ends[0], on="customer", suffix="_usual")
    horizon = float(population.calendar.days)
    found, expected, demotions = [], [], 0
    for customer, day, day_usual in both.head(600).iter_rows():
        mine = by_customer[customer].filter(pl.col("second") <= day * DAY)
        held, demoted = held_and_demoted((mine["second"] / DAY).to_list(), mine["a"].to_list(), horizon)
        found.append(day_usual)
        expected.append(day - 0.5 * within(held, day) + 2.0 * within(demoted, day))
        demotions += within(demoted, day) > 0
    np.testing.assert_allclose(found, expected, atol=10 * 3.0 / DAY)
    assert demotions > 20


def test_fees_are_paid_in_advance_by_those_who_renew():
    # Five periods of 80 days begin in a year, and of those still members a share renews at the end of each.
    size, renewal = 20_000, 0.8
    counts = play(
        regulars(size), [programme(made("membership", fee=3.0, period_days=80.0, renewal=renewal))], latents=LOYAL
    )
    fees = counts.by_arm[0][:, :, place(CountKind.FEES)].sum(axis=0)
    months = [0, 2, 5, 7, 10]  # of days 0, 80, 160, 240 and 320 from 1 July
    assert np.flatnonzero(fees).tolist() == months
    for period, month in enumerate(months):
        chance = renewal**period
        assert abs(fees[month] / 300 - size * chance) <= 4 * np.sqrt(size * chance * (1 - chance))


def test_who_does_not_renew_is_no_longer_reached():
    club = programme(made("membership", fee=0.0, period_days=90.0, renewal=0.0), made("purchase_rate", ratio=2.0))
    population = regulars(300)
    both = side_by_side(population, inputs(population, [], [club], latents=LOYAL))
    day = both["day"].to_numpy()
    np.testing.assert_allclose(both["usual"], day + np.minimum(day, 90.0), atol=4 / DAY)
    counts = play(population, [club], latents=LOYAL)
    assert counts.by_arm[0][0, :, place(ReachCountKind.MEMBER_MONTHS)].tolist() == [300, 300, 300] + [0] * 9


def test_who_has_left_pays_no_further_fee_and_is_a_member_until_the_paid_period_ends():
    # Everyone leaves with the first order, after about ten days; the second period would begin after sixty.
    once = LOYAL._replace(a=1e6, b=1e-3)
    counts = play(
        regulars(2_000), [programme(made("membership", fee=1.0, period_days=120.0, renewal=1.0))], latents=once
    )
    assert counts.by_arm[0][0, :, place(CountKind.FEES)].tolist() == [200_000] + [0] * 11
    members = counts.by_arm[0][0, :, place(ReachCountKind.MEMBER_MONTHS)].tolist()
    assert members[:4] == [2_000] * 4  # 120 days from 1 July end on 29 October
    assert max(members[5:]) < 20  # those few who first order later than after 120 days


def test_who_comes_back_owes_nothing_for_the_time_away_and_is_no_member_any_more():
    # All leave with their first order and come back a hundred days later, when three fees of thirty days were due.
    once = LOYAL._replace(a=1e6, b=1e-3)
    club = programme(made("membership", fee=1.0, period_days=30.0, renewal=1.0), name="club")
    back = programme(made("reactivation", share=1.0), idle=(100.0, 5.0), months=(0, None), name="back")
    population = existing(past_customers([(0, 0, 0, None)], 500), months=12)
    ready = inputs(population, [club, back], latents=once)
    log = events(population, ready, seed=20240501)
    revived = log.filter(pl.col("kind") == REVIVED).group_by("customer").agg(back=pl.col("second").first())
    left = log.filter(pl.col("kind") == LEFT).group_by("customer").agg(left=pl.col("second").first())
    ends = log.filter((pl.col("kind") == MEMBER) & (pl.col("a") == 0)).select("customer", until="b")
    all_of_them = ends.join(revived, on="customer").join(left, on="customer")
    assert all_of_them.height > 400
    period = 30 * DAY
    paid_until = (all_of_them["left"] // period + 1) * period
    assert (all_of_them["until"] == paid_until).all()
    fees = total(play(population, [club, back], latents=once), 0, place(CountKind.FEES)) // 100
    assert fees == (ends["until"] // period).sum()
    acts = log.filter(pl.col("kind").is_in([ORDER, LEFT, REVIVED]))
    assert acts.filter(pl.col("second").diff().over("customer") < 0).height == 0, "time never runs back"


def test_unsubscribing_is_exponential_in_the_number_of_letters():
    size, monthly, chance = 20_000, 6.0, 0.02
    population = regulars(size, months=24)
    letters = programme(made("contacts", per_month=monthly, unsubscribe=chance))
    log = events(population, inputs(population, [letters], latents=LOYAL), seed=20240501)
    ends = log.filter(pl.col("kind") == MEMBER)["b"].to_numpy() / DAY
    for days in (10.0, 60.0, 200.0, 700.0):
        stays = np.exp(-chance * monthly / DAYS_PER_MONTH * days)
        assert abs((ends >= days).mean() - stays) < 4 * np.sqrt(stays * (1 - stays) / size)
    gone = total(play(population, [letters], latents=LOYAL), 0, place(CountKind.UNSUBSCRIBED))
    assert gone == (ends < population.calendar.days).sum()


@pytest.mark.parametrize("monthly", [0.0, 2.0, 8.0])
def test_letters_change_the_order_rate_by_the_inverted_u(monthly):
    population = regulars(200)
    letters = programme(made("contacts", per_month=monthly, response=0.1, fatigue=0.01))
    both = side_by_side(population, inputs(population, [], [letters], latents=LOYAL))
    ratio = np.exp(0.1 * monthly - 0.01 * monthly**2)
    np.testing.assert_allclose(both["usual"], both["day"] * ratio, atol=4 / DAY)


# What programmes for loyalty do, and seem to do: facts F16, F17 and F18 of the field.


@pytest.mark.parametrize("model", MODELS)
def test_a_programme_against_leaving_earns_nearly_all_through_survival_f16(model):
    # Gopalakrishnan et al. (2021): more than 80 % of the lift comes from staying longer, next to none from the basket.
    population = newcomers(20_000, months=36)
    club = programme(made("dropout", ratio=0.7), made("purchase_rate", ratio=1.01), made("basket", ratio=1.002))
    ready = inputs(population, [], [club], latents=MODELS[model])
    usual, treated = (events(population, ready, seed=20240501, arm=arm) for arm in (0, 1))
    # Orders after the moment at which the same customer leaves in the baseline are owed to survival.
    left = usual.filter(pl.col("kind") == LEFT).select("customer", left="second")
    orders = treated.filter(pl.col("kind") == ORDER).join(left, on="customer", how="left")
    survived = orders.filter(pl.col("second") > pl.col("left"))["a"].sum()
    extra = orders["a"].sum() - usual.filter(pl.col("kind") == ORDER)["a"].sum()
    assert survived > 0.8 * extra > 0


def test_light_buyers_gain_most_where_they_respond_more_f16():
    # Liu (2007): light buyers rise, heavy buyers were already where they could be.
    copies = 10_000
    population = existing(past_customers([(0, 0, 200, None), (20, 190, 200, 20.0)], copies), months=24)
    club = programme(made("purchase_rate", ratio=1.1, light_buyers=0.5), made("dropout", ratio=0.9, light_buyers=0.5))
    ready = inputs(population, [], [club], latents=PARETO)
    usual, treated = (orders_of_each(population, ready, arm=arm).reshape(2, copies) for arm in (0, 1))
    gains = (treated - usual).sum(axis=1) / usual.sum(axis=1)
    errors = (treated - usual).std(axis=1) * np.sqrt(copies) / usual.sum(axis=1)
    assert gains[0] - gains[1] > 4 * np.hypot(*errors)


def test_orders_come_faster_and_faster_towards_a_full_card_and_slower_after_the_reward_f17():
    # Kivetz, Urminsky & Zheng (2006). Orders are of 10.00, and a card is full with 60 points.
    pull, steepness = 0.5, 2.0
    card = made("points", threshold=60.0, reward=1.0, redemption=1.0, expiry_days=900.0, pull=pull, steepness=steepness)
    population = regulars(2_000)
    even = LOYAL._replace(p=1e12, q=1e12, v=10.01)
    ready = inputs(population, [], [programme(card)], latents=even)
    both = side_by_side(population, ready).with_columns(
        gap=pl.col("day").diff().over("customer"), usual_gap=pl.col("usual").diff().over("customer")
    )
    log = events(population, ready, seed=20240501, arm=1)
    held = log.filter((pl.col("kind") == POINTS) & (pl.col("b") > 0)).select("customer", "order", points="c")
    before = both.join(held.with_columns(pl.col("order") + 1), on=["customer", "order"]).drop_nulls()
    full = (before["points"].clip(upper_bound=60) / 60).to_numpy()
    # Card by card, the gap is the usual one over 1 + pull * full ** steepness; moments are cut to whole seconds.
    expected = before["usual_gap"].to_numpy() / (1 + pull * full**steepness)
    np.testing.assert_allclose(before["gap"].to_numpy(), expected, atol=3 / DAY)
    means = before.group_by("points").agg(pl.col("gap").mean(), pl.col("usual_gap").mean()).sort("points")
    on_the_way = means.filter(pl.col("points") < 60)
    pace = (on_the_way["usual_gap"] / on_the_way["gap"]).to_numpy()
    assert (np.diff(pace) > 0).all(), "faster with every point on the card"
    assert pace[-1] > 1.4
    just_rewarded = before.filter(pl.col("points") < 15)
    assert just_rewarded["usual_gap"].sum() < 1.05 * just_rewarded["gap"].sum(), "slower after the reward"


# How often to write: fact F21 of the field.

CADENCES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
MARGIN, COST_CENTS = 0.4, 2.0


@pytest.mark.parametrize("model", MODELS)
def test_profit_is_an_inverted_u_in_the_number_of_letters_a_month_f21(model):
    # Zhang, Kumar & Cosguner (2017): both too few and too many letters lose against the best number.
    letters = [made("contacts", per_month=often, response=0.08, fatigue=0.006, unsubscribe=0.002) for often in CADENCES]
    counts = play(newcomers(20_000, months=12), *([programme(one)] for one in letters), latents=MODELS[model])
    profits = [
        MARGIN * total(counts, arm, place(CountKind.LIST))
        - COST_CENTS * total(counts, arm, place(ReachCountKind.CONTACTS))
        for arm in range(len(CADENCES))
    ]
    best = int(np.argmax(profits))
    assert 0 < best < len(CADENCES) - 1
    assert (np.diff(profits[: best + 1]) > 0).all(), "rising up to the best"
    assert (np.diff(profits[best:]) < 0).all(), "falling after it"
    assert profits[-1] < profits[0], "the most letters are worse than none"
