"""A programme that changes nothing changes not one bit, whatever it is made of: fact F1 of the field (design)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.service import NPS
from cxsim.simulation.state import (
    ARRIVED,
    CONTACT,
    LEFT,
    MEMBER,
    ORDER,
    POINTS as POINTS_EVENT,
    RETURN,
    REVIVED,
    SURVEY,
    TICKET,
)
from cxsim.strategies.behaviour import PLAIN
from tests.simulation.busy import PASTS, everyone, everything
from tests.simulation.mechanisms import made
from tests.simulation.shops import FULL, UNMOVED
from tests.simulation.worlds import (
    MODELS,
    basket,
    buying,
    coupon,
    existing,
    inputs,
    leaving,
    markdown,
    paid,
    past_customers,
    play,
    points,
    programme,
)

CROWD = existing(past_customers(PASTS, 400), arrivals=(600, 0, 500))
LASTING = {
    "permanent": {},
    "windowed": {"months": (2, 7)},
    "ramped": {"uptake": 0.5, "ramp_days": 200.0},
    "for some": {"who": "frequency >= 2"},
    "for some orders": {"orders": (2, 5)},
}
RETURNING = {
    "idle-triggered": {"idle": (40.0, 30.0)},
    "again and again": {"every": (50.0, 20.0)},
    "all at once": {"uptake": 0.7, "ramp_days": 50.0, "months": (1, 9), "idle": (30.0, 20.0), "orders": (2, 9)},
}
COURSES = {
    "delayed": made("course", delay_days=40.0),
    "ramped": made("course", ramp_days=90.0),
    "fading": made("course", half_life_days=30.0),
    "ending": made("course", lasts_days=45.0),
    "of every shape": made("course", delay_days=10.0, ramp_days=30.0, half_life_days=60.0, lasts_days=150.0),
}
NOTHING = {
    "nothing at all": (),
    "ratios of one": (made("purchase_rate", ratio=1.0), made("dropout", ratio=1.0), made("basket", ratio=1.0)),
    "ratios of one for light buyers": tuple(
        made(kind, ratio=1.0, light_buyers=1.0) for kind in ("purchase_rate", "dropout", "basket")
    ),
    **{
        f"ratios of one, {name}": tuple(
            made(kind, ratio=1.0, course=course) for kind in ("purchase_rate", "dropout", "basket")
        )
        for name, course in COURSES.items()
    },
    "a coupon nobody redeems": (coupon(10.0, 0.0),),
    "a markdown of nothing": (markdown(0.0, 1.0, -2.0),),
    "a remembered markdown of nothing": (
        made(
            "markdown",
            depth=0.0,
            redemption=1.0,
            elasticity=-2.0,
            reference_half_life_days=30.0,
            loss_aversion=2.0,
            forward_buying=0.5,
            dip_depth=0.3,
        ),
    ),
    "incidents as they are": (made("incidents", ratio=1.0),),
    "tickets as they are": (made("tickets", ratio=1.0),),
    "answers as they are": (made("resolution"),),
    "nothing made up for": (made("recovery", share=0.0, compensation=5.0, repair=1.0, delight=1.0),),
    "satisfaction as it is": (made("satisfaction", shift=0.0),),
    "returns as they are": (made("returns", ratio=1.0),),
}
FOR_GOOD = {
    "a card that pulls nobody and is never redeemed": (
        made("points", redemption=0.0, pull=0.0, steepness=2.0, rewarded=0.0, rewarded_half_life_days=30.0),
    ),
    "a status without advantages": (made("status", pull=0.0, steepness=2.0, earn=1.0),),
    "a membership without a fee": (made("membership", fee=0.0, period_days=30.0, renewal=0.5),),
    "letters without effect": (made("contacts"),),
    "nobody attracted": (made("acquisition", loyal=0.2),),
    "nobody recommended": (made("referral", per_year=0.0, dropout=0.5, premium=2.0),),
}
ON_RETURN = {"nobody comes back": (made("reactivation", share=0.0, second_life=0.5),)}
CASES = [
    *((name, effects, LASTING | RETURNING) for name, effects in NOTHING.items()),
    *((name, effects, LASTING) for name, effects in FOR_GOOD.items()),
    *((name, effects, {"idle-triggered": RETURNING["idle-triggered"]}) for name, effects in ON_RETURN.items()),
]
POINTS = {CountKind.POINTS_ISSUED, CountKind.POINTS_EXPIRED, CountKind.POINTS_OUTSTANDING}


@pytest.mark.parametrize("behaviour", [PLAIN, FULL], ids=["plain shop", "full shop"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("effects", "reaches"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_programme_without_effect_changes_not_one_count(effects, reaches, model, behaviour):
    arms = [[programme(*effects, **reach)] for reach in reaches.values()]
    counts = play(CROWD, [], *arms, latents=MODELS[model], behaviour=behaviour, stacking=0.7)
    own = POINTS if any(effect.kind == "points" for effect in effects) else set()
    for arm, reach in enumerate(reaches, start=1):
        for count_kind in set(CountKind) - own:
            mine, theirs = (counts.by_arm[which][:, :, place(count_kind)] for which in (arm, 0))
            np.testing.assert_array_equal(mine, theirs, err_msg=f"{count_kind.name}, {reach}")
        assert counts.paired[arm].tolist() == [0.0, 0.0]
        reached = counts.by_arm[arm][:, :, place(ReachCountKind.MEMBER_MONTHS)]
        assert reached.sum() > 0, "nobody was reached, so nothing was shown"


@pytest.mark.parametrize("model", MODELS)
def test_ten_programmes_without_effect_at_once_change_not_one_count(model):
    arm = [programme(*effects, name=name) for name, effects, _ in CASES[:: len(CASES) // 9]]
    baseline, treated = play(CROWD, [], arm, latents=MODELS[model], behaviour=FULL).by_arm
    common = [place(count_kind) for count_kind in set(CountKind) - POINTS]
    np.testing.assert_array_equal(treated[:, :, common], baseline[:, :, common])


@pytest.mark.parametrize("model", MODELS)
def test_a_shop_in_which_nothing_moves_an_order_has_the_orders_of_the_plain_one_to_the_last_bit(model):
    # The plain baseline is played in a loop of its own, which is three times as fast: this holds it to the long one.
    moments = []
    for behaviour in (PLAIN, UNMOVED):
        log = events(CROWD, inputs(CROWD, [], latents=MODELS[model], behaviour=behaviour), seed=9)
        kept = log.filter(log["kind"].is_in([ORDER, LEFT, ARRIVED]))
        incident = (kept["kind"] == ORDER).cast(int) * kept["d"]
        moments.append(kept.with_columns(d=kept["d"] - incident))
    assert moments[1].equals(moments[0])
    assert moments[0].height > CROWD.size


@pytest.mark.parametrize("model", MODELS)
def test_a_programme_without_effect_leaves_every_moment_as_it_is(model):
    ready = inputs(CROWD, [], [programme(name="letters", months=(1, 8))], latents=MODELS[model])
    logs = [events(CROWD, ready, seed=9, arm=arm) for arm in (0, 1)]
    happened = [log.filter(log["kind"].is_in([ORDER, LEFT, ARRIVED])) for log in logs]
    assert happened[1].equals(happened[0])


# What goes in comes out: points, money, customers; to the last unit.

CROWD_CONSERVATION = existing(past_customers(PASTS, 500), arrivals=(800, 0, 700))
BUSY = [
    programme(
        leaving(0.7), basket(1.1), points(threshold=37.0, reward=3.5, expiry_days=90.0), uptake=0.8, ramp_days=60.0
    ),
    programme(points(earn=0.3, threshold=5.0, reward=1.0), months=(2, 7)),
    programme(buying(1.5), coupon(4.0, 0.5), idle=(50.0, 30.0)),
]


def test_no_cohort_is_ever_owed_points_that_it_did_not_earn():
    by_cohort = play(CROWD_CONSERVATION, BUSY).by_arm[0].sum(axis=1)
    gone = [CountKind.POINTS_REDEEMED, CountKind.POINTS_EXPIRED, CountKind.POINTS_OUTSTANDING]
    assert by_cohort[:, CountKind.POINTS_ISSUED].tolist() == by_cohort[:, gone].sum(axis=1).tolist()


# The journal of one arm against itself and against the tallies: every day, every customer, every unit (fact F27).

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
    CountKind.POINTS_ISSUED: ((KIND == POINTS_EVENT) & (B > 0), B.sum()),
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
def test_what_the_journal_says_adds_up_to_the_count_of_every_month(journal, counts, count_kind):
    found = counts[:, :, place(count_kind)].sum(axis=0).tolist()
    assert by_month(journal, *WRITTEN[count_kind]) == found
    assert sum(found) > 0


def test_every_renewal_and_every_attracted_customer_of_the_journal_is_in_the_counts(journal, counts):
    brought = by_month(journal, (KIND == ARRIVED) & (B >= 0), pl.len())
    attracted = [counts[:, :, place(ReachCountKind.ATTRACTED, reach)].sum(axis=0) for reach in range(len(ARM))]
    assert brought == sum(attracted).tolist()
    assert sum(brought) > 0
    fees = counts[:, :, place(CountKind.FEES)]
    assert (fees % 500 == 0).all()  # 5.00 a period
    members = journal.filter((KIND == MEMBER) & (A == PAID)).height
    assert fees.sum() // 500 >= members > 0, "every member paid at least one period"


@pytest.mark.parametrize("reach", range(len(ARM)), ids=[one.name for one in ARM])
def test_a_reach_switches_on_as_often_as_the_journal_says(journal, counts, reach):
    sentence = by_month(journal, (KIND == CONTACT) & (reach == A), pl.len())
    assert sentence == counts[:, :, place(ReachCountKind.CONTACTS, reach)].sum(axis=0).tolist()
    writes = any(effect.kind == "contacts" for effect in ARM[reach].effects)
    assert (sum(sentence) > 0) == (ARM[reach].reach.for_days is not None or writes)


@pytest.mark.parametrize("reach", range(len(ARM)), ids=[one.name for one in ARM])
def test_members_of_a_month_are_those_who_had_joined_and_not_left_before_it(journal, counts, reach):
    spans = journal.filter((KIND == MEMBER) & (reach == A)).select("second", until="b")
    first = spans["second"].to_numpy() // DAY
    last = np.minimum(-(-spans["until"].to_numpy() // DAY), POPULATION.calendar.days) - 1
    months = POPULATION.calendar.month_of_day
    expected = [((months[first] <= month) & (months[last] >= month)).sum() for month in range(months[-1] + 1)]
    assert counts[:, :, place(ReachCountKind.MEMBER_MONTHS, reach)].sum(axis=0).tolist() == expected


def test_the_points_of_every_customer_are_those_of_the_day_before_plus_issued_less_redeemed_and_expired(journal):
    points = journal.filter(KIND == POINTS_EVENT)
    by_day = points.group_by("customer", "a", "day", maintain_order=True).agg(change=B.sum(), closing=C.last())
    opening = pl.col("closing").shift(1, fill_value=0).over("customer", "a")
    assert by_day.filter(opening + pl.col("change") != pl.col("closing")).height == 0
    assert points.filter(C < 0).height == 0
    # Event by event as well, not only at the end of a day.
    assert points.filter(B.cum_sum().over("customer", "a") != C).height == 0
    assert points.height > 10_000


def test_points_taken_are_redeemed_or_expired_and_the_rest_is_still_held(journal, counts):
    points = journal.filter(KIND == POINTS_EVENT)
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


def test_every_customer_arrives_once_and_in_the_month_of_the_cohort():
    arrivals = play(CROWD_CONSERVATION, BUSY).by_arm[0][:, :, place(CountKind.ARRIVALS)]
    expected = np.zeros_like(arrivals)
    expected[1, 0], expected[3, 2] = 800, 700
    assert arrivals.tolist() == expected.tolist()


def test_nobody_pays_less_than_nothing():
    counts = play(CROWD_CONSERVATION, [*BUSY, programme(coupon(1e4, 0.5)), programme(markdown(0.9, 1.0, 0.0))])
    assert (counts.by_arm[0] >= 0).all()
    assert paid(counts, 0) >= 0
    reach_paid = counts.by_arm[0][:, :, place(ReachCountKind.PAID)]
    assert (reach_paid >= 0).all()
