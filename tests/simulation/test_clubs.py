"""Status, paid membership and unsubscribing, against closed forms and against a second reckoning by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.params import DAYS_PER_MONTH
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import LEFT, MEMBER, ORDER, REVIVED
from cxsim.strategies.effects import PurchaseRate
from cxsim.strategies.mechanisms import Contacts, Membership, Reactivation, Status
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, regulars, side_by_side
from tests.simulation.worlds import LOYAL, existing, inputs, past_customers, play, programme, total

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
    gold = programme(made(Status, threshold=THRESHOLD, purchase_rate=FASTER, dropout=1.0, demotion=1.0))
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
    gold = programme(made(Status, threshold=THRESHOLD, purchase_rate=1.0, dropout=0.5, demotion=3.0))
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
        regulars(size), [programme(made(Membership, fee=3.0, period_days=80.0, renewal=renewal))], latents=LOYAL
    )
    fees = counts.by_arm[0][:, :, place(CountKind.FEES)].sum(axis=0)
    months = [0, 2, 5, 7, 10]  # of days 0, 80, 160, 240 and 320 from 1 July
    assert np.flatnonzero(fees).tolist() == months
    for period, month in enumerate(months):
        chance = renewal**period
        assert abs(fees[month] / 300 - size * chance) <= 4 * np.sqrt(size * chance * (1 - chance))


def test_who_does_not_renew_is_no_longer_reached():
    club = programme(made(Membership, fee=0.0, period_days=90.0, renewal=0.0), made(PurchaseRate, ratio=2.0))
    population = regulars(300)
    both = side_by_side(population, inputs(population, [], [club], latents=LOYAL))
    day = both["day"].to_numpy()
    np.testing.assert_allclose(both["usual"], day + np.minimum(day, 90.0), atol=4 / DAY)
    counts = play(population, [club], latents=LOYAL)
    assert counts.by_arm[0][0, :, place(ReachCountKind.MEMBER_MONTHS)].tolist() == [300, 300, 300] + [0] * 9


def test_who_has_left_pays_no_further_fee_and_is_a_member_until_the_paid_period_ends():
    # Everyone leaves with the first order, after about ten days; the second period would begin after sixty.
    once = LOYAL._replace(a=1e6, b=1e-3)
    counts = play(regulars(2_000), [programme(made(Membership, fee=1.0, period_days=120.0, renewal=1.0))], latents=once)
    assert counts.by_arm[0][0, :, place(CountKind.FEES)].tolist() == [200_000] + [0] * 11
    members = counts.by_arm[0][0, :, place(ReachCountKind.MEMBER_MONTHS)].tolist()
    assert members[:4] == [2_000] * 4  # 120 days from 1 July end on 29 October
    assert max(members[5:]) < 20  # those few who first order later than after 120 days


def test_who_comes_back_owes_nothing_for_the_time_away_and_is_no_member_any_more():
    # All leave with their first order and come back a hundred days later, when three fees of thirty days were due.
    once = LOYAL._replace(a=1e6, b=1e-3)
    club = programme(made(Membership, fee=1.0, period_days=30.0, renewal=1.0), name="club")
    back = programme(made(Reactivation, share=1.0), idle=(100.0, 5.0), months=(0, None), name="back")
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
    letters = programme(made(Contacts, per_month=monthly, unsubscribe=chance))
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
    letters = programme(made(Contacts, per_month=monthly, response=0.1, fatigue=0.01))
    both = side_by_side(population, inputs(population, [], [letters], latents=LOYAL))
    ratio = np.exp(0.1 * monthly - 0.01 * monthly**2)
    np.testing.assert_allclose(both["usual"], both["day"] * ratio, atol=4 / DAY)
