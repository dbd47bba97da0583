"""The journal of one arm against itself and against the tallies: every day, every customer, every unit (fact F27)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.service import NPS
from cxsim.simulation.state import ARRIVED, CONTACT, LEFT, MEMBER, ORDER, POINTS, RETURN, REVIVED, SURVEY, TICKET
from tests.simulation.busy import everyone, everything
from tests.simulation.shops import FULL
from tests.simulation.worlds import MODELS, inputs, play

POPULATION, ARM, DAY = everyone(), everything(), 86_400
CLUB, PAID = 2, 3
KIND, A, B, C, D = (pl.col(name) for name in ("kind", "a", "b", "c", "d"))


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.fixture(scope="module")
def journal(model):
    """Every event of an arm with every mechanism, in the order in which a customer meets them."""
    ready = inputs(POPULATION, [], ARM, latents=model, behaviour=FULL)
    log = events(POPULATION, ready, seed=20240501, arm=1)
    month = pl.Series(POPULATION.calendar.month_of_day)
    return log.with_columns(day=pl.col("second") // DAY).with_columns(month=month.gather(log["second"] // DAY))


@pytest.fixture(scope="module")
def counts(model):
    return play(POPULATION, [], ARM, latents=model, behaviour=FULL).by_arm[1]


def by_month(journal, condition, amount):
    """Return the sum of an amount over the events that meet a condition, in each month."""
    summed = journal.filter(condition).group_by("month").agg(total=amount)
    monthly = np.zeros(POPULATION.calendar.months, np.int64)
    monthly[summed["month"].to_numpy()] = summed["total"].to_numpy()
    return monthly.tolist()


NPS_ASKED = (KIND == SURVEY) & (A == NPS)
WRITTEN = {
    CountKind.ORDERS: (KIND == ORDER, pl.len()),
    CountKind.LIST: (KIND == ORDER, A.sum()),
    CountKind.MARKDOWN: (KIND == ORDER, B.sum()),
    CountKind.REWARD: (KIND == ORDER, C.sum()),
    CountKind.ARRIVALS: ((KIND == ARRIVED) & (A < 0) & (B < 0), pl.len()),
    CountKind.POINTS_ISSUED: ((KIND == POINTS) & (B > 0), B.sum()),
    CountKind.RETURNS: (KIND == RETURN, pl.len()),
    CountKind.REFUNDED: (KIND == RETURN, A.sum()),
    CountKind.SENT_BACK: (KIND == RETURN, B.sum()),
    CountKind.INCIDENTS: ((KIND == ORDER) & (D > 0), pl.len()),
    CountKind.TICKETS: (KIND == TICKET, pl.len()),
    CountKind.COMPENSATION: (KIND == TICKET, D.sum()),
    CountKind.SURVEYED: (NPS_ASKED, pl.len()),
    CountKind.ANSWERED: (NPS_ASKED & (B >= 0), pl.len()),
    CountKind.PROMOTERS: (NPS_ASKED & (B >= 9), pl.len()),
    CountKind.DETRACTORS: (NPS_ASKED & (B >= 0) & (B <= 6), pl.len()),
    CountKind.REFERRED: ((KIND == ARRIVED) & (A >= 0), pl.len()),
    CountKind.REVIVED: (KIND == REVIVED, pl.len()),
}


@pytest.mark.parametrize("count_kind", WRITTEN, ids=lambda count_kind: count_kind.name)
def test_what_the_journal_tells_adds_up_to_the_tally_of_every_month(journal, counts, count_kind):
    found = counts[:, :, place(count_kind)].sum(axis=0).tolist()
    assert by_month(journal, *WRITTEN[count_kind]) == found
    assert sum(found) > 0


def test_every_renewal_and_every_attracted_customer_of_the_journal_is_in_the_tallies(journal, counts):
    brought = by_month(journal, (KIND == ARRIVED) & (B >= 0), pl.len())
    attracted = [counts[:, :, place(ReachCountKind.ATTRACTED, reach)].sum(axis=0) for reach in range(len(ARM))]
    assert brought == sum(attracted).tolist()
    assert sum(brought) > 0
    fees = counts[:, :, place(CountKind.FEES)]
    assert (fees % 500 == 0).all()  # 5.00 a period
    members = journal.filter((KIND == MEMBER) & (A == PAID)).height
    assert fees.sum() // 500 >= members > 0, "every member paid at least one period"


@pytest.mark.parametrize("reach", range(len(ARM)), ids=[one.name for one in ARM])
def test_a_reach_switches_on_as_often_as_the_journal_tells(journal, counts, reach):
    sentence = by_month(journal, (KIND == CONTACT) & (reach == A), pl.len())
    assert sentence == counts[:, :, place(ReachCountKind.CONTACTS, reach)].sum(axis=0).tolist()
    assert (sum(sentence) > 0) == (ARM[reach].reach.for_days is not None)


@pytest.mark.parametrize("reach", range(len(ARM)), ids=[one.name for one in ARM])
def test_members_of_a_month_are_those_who_had_joined_and_not_left_before_it(journal, counts, reach):
    spans = journal.filter((KIND == MEMBER) & (reach == A)).select("second", until="b")
    first = spans["second"].to_numpy() // DAY
    last = np.minimum(-(-spans["until"].to_numpy() // DAY), POPULATION.calendar.days) - 1
    months = POPULATION.calendar.month_of_day
    expected = [((months[first] <= month) & (months[last] >= month)).sum() for month in range(months[-1] + 1)]
    assert counts[:, :, place(ReachCountKind.MEMBER_MONTHS, reach)].sum(axis=0).tolist() == expected


def test_the_points_of_every_customer_are_those_of_the_day_before_plus_issued_less_redeemed_and_expired(journal):
    points = journal.filter(KIND == POINTS)
    by_day = points.group_by("customer", "a", "day", maintain_order=True).agg(change=B.sum(), closing=C.last())
    opening = pl.col("closing").shift(1, fill_value=0).over("customer", "a")
    assert by_day.filter(opening + pl.col("change") != pl.col("closing")).height == 0
    assert points.filter(C < 0).height == 0
    # Event by event as well, not only at the end of a day.
    assert points.filter(B.cum_sum().over("customer", "a") != C).height == 0
    assert points.height > 10_000


def test_points_taken_are_redeemed_or_expired_and_the_rest_is_still_held(journal, counts):
    points = journal.filter(KIND == POINTS)
    taken = -points.filter(B < 0)["b"].sum()
    held = points.group_by("customer", "a", maintain_order=True).agg(C.last())["c"].sum()
    redeemed, expired, outstanding = (
        counts[:, :, place(count_kind)].sum()
        for count_kind in (CountKind.POINTS_REDEEMED, CountKind.POINTS_EXPIRED, CountKind.POINTS_OUTSTANDING)
    )
    assert taken == redeemed + expired
    assert held == outstanding
    rewards = journal.filter((KIND == ORDER) & (C > 0))
    assert redeemed == 37 * rewards.height  # 37 points a reward, at most one an order
    assert min(redeemed, expired, outstanding) > 0


def test_what_customers_pay_in_a_reach_is_the_list_price_less_markdown_and_reward(journal, counts):
    # The reach of the service reaches everyone all the time.
    paid = by_month(journal, KIND == ORDER, (A - B - C).sum())
    assert paid == counts[:, :, place(ReachCountKind.PAID, 6)].sum(axis=0).tolist()
    assert journal.filter((KIND == ORDER) & (A - B - C < 0)).height == 0


def test_nobody_gets_back_more_than_was_paid(journal):
    orders = journal.filter(KIND == ORDER).select("customer", "order", paid=A - B - C)
    back = journal.filter(KIND == RETURN).select("customer", "order", refund=A)
    both = back.join(orders, on=["customer", "order"], how="left", validate="1:1")
    assert both.filter(pl.col("refund") > pl.col("paid")).height == 0
    assert both["paid"].null_count() == 0


def test_customers_are_those_of_the_base_and_those_who_arrived_once_each(journal):
    arrived = journal.filter(KIND == ARRIVED)["customer"]
    assert arrived.n_unique() == len(arrived)
    known = pl.concat([pl.Series(range(POPULATION.base.height), dtype=pl.Int64), arrived])
    assert known.n_unique() == len(known), "nobody of the base arrives again"
    assert journal.filter(~pl.col("customer").is_in(known.implode())).height == 0
    referred = journal.filter((KIND == ARRIVED) & (A >= 0))
    # Who was referred has one who referred them: of those who came by themselves, or referred as well.
    assert referred.filter(~A.is_in(known.implode())).height == 0
    assert referred.filter(A.is_in(referred["customer"].implode())).height > 0


def test_who_has_left_does_nothing_until_a_programme_brings_them_back(journal):
    acts = journal.filter(KIND.is_in([ORDER, LEFT, REVIVED]))
    before = KIND.shift(1).over("customer")
    assert acts.filter((before == LEFT) & (KIND != REVIVED)).height == 0
    # Customers of the base may have left before the scenario; then coming back is the first thing they do.
    assert acts.filter(before.is_not_null() & (before != LEFT) & (KIND == REVIVED)).height == 0
    assert acts.filter(KIND == REVIVED).height > 100


def test_the_orders_of_a_customer_are_numbered_one_by_one_in_time(journal):
    orders = journal.filter(KIND == ORDER)
    place_in_life = pl.int_range(pl.len()).over("customer")
    assert orders.filter(pl.col("order") != place_in_life).height == 0
    assert orders.filter(pl.col("second").diff().over("customer") < 0).height == 0
