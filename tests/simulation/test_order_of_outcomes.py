"""With every mechanism on, the same luck keeps outcomes in order: more hazard, earlier end, for every customer."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
from hypothesis import given, settings, strategies as st

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import LEFT, MEMBER, ORDER, RETURN, TICKET
from cxsim.strategies.effects import Course, Dropout, PurchaseRate
from cxsim.strategies.mechanisms import Contacts, Incidents, Membership, Recovery, Referral, Returns, Tickets
from tests.simulation.busy import CLUB, FRIENDS, LETTERS, PAID, SALES, SERVICE, WELCOME, everyone
from tests.simulation.mechanisms import made
from tests.simulation.shops import FULL
from tests.simulation.worlds import MODELS, inputs, play, programme, total

FEW = settings(max_examples=15)
models = st.sampled_from(sorted(MODELS))
seeds = st.integers(0, 99)
CROWD = everyone(copies=100, months=15)
# Nobody comes back: a second life is no longer in the order of the first.
ONCE = [WELCOME, SALES, CLUB, PAID, LETTERS, SERVICE, FRIENDS]


def journals(*arms, model, seed, behaviour=FULL, stacking=1.0):
    """Return the journal of each arm, without customers who came by recommendation."""
    ready = inputs(CROWD, *arms, latents=MODELS[model], behaviour=behaviour, stacking=stacking)
    size = CROWD.base.height + sum(CROWD.most_arrivals)
    return [events(CROWD, ready, seed=seed, arm=arm).filter(pl.col("customer") < size) for arm in range(len(arms))]


def marked(log, kind, *columns):
    return log.filter(pl.col("kind") == kind).select("customer", "order", *columns)


@FEW
@given(models, seeds, st.floats(0.05, 20.0), st.floats(1.0, 5.0), st.floats(0.0, 1.0))
def test_more_dropout_gives_no_customer_a_later_end_or_another_order(model, seed, ratio, more, stacking):
    arms = [[*ONCE, programme(made(Dropout, ratio=value), name="more")] for value in (ratio, min(ratio * more, 100.0))]
    less, most = journals(*arms, model=model, seed=seed, stacking=stacking)
    # Whoever leaves earlier has had the same orders until then, with the same moments and the same money.
    orders = [log.filter(pl.col("kind") == ORDER) for log in (less, most)]
    assert orders[1].join(orders[0], on=orders[0].columns, how="anti").height == 0
    ends = [log.filter(pl.col("kind") == LEFT).select("customer", "second") for log in (less, most)]
    both = ends[0].join(ends[1], on="customer", how="left", suffix="_more")
    assert both["second_more"].null_count() == 0, "whoever leaves with less dropout leaves with more"
    assert (both["second_more"] <= both["second"]).all()


@FEW
@given(st.sampled_from(["BG/NBD", "MBG/NBD"]), seeds, st.floats(0.2, 5.0), st.floats(1.0, 4.0))
def test_a_higher_purchase_rate_gives_no_customer_fewer_orders_in_a_full_shop(model, seed, ratio, more):
    # With letters, seasons, incidents and a fading welcome. Status, points and sales are left out: they reward orders
    # by the calendar or by the card, and an earlier order may come before what would have spurred the next.
    going = [
        programme(made(PurchaseRate, ratio=1.4, course=made(Course, ramp_days=50.0, half_life_days=90.0)), name="one"),
        programme(made(PurchaseRate, ratio=0.7), months=(3, 6), name="two"),
        programme(made(Contacts, response=0.05, fatigue=0.004, unsubscribe=0.02), name="letters"),
    ]
    arms = [[*going, programme(made(PurchaseRate, ratio=value), name="more")] for value in (ratio, ratio * more)]
    fewer, most = journals(*arms, model=model, seed=seed)
    less, faster = (marked(log, ORDER, "second") for log in (fewer, most))
    both = less.join(faster, on=["customer", "order"], how="left", suffix="_faster")
    assert both["second_faster"].null_count() == 0, "every order is still placed"
    # Anchors move at other moments, which may cost the last bit of a moment, and so one whole second.
    assert (both["second_faster"] <= both["second"] + 1).all()


@FEW
@given(models, seeds, st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.sampled_from([None, "late", "early"]))
def test_a_lower_chance_of_incidents_takes_some_away_and_adds_none(model, seed, one, other, name):
    named = {} if name is None else {"incident": name}
    arms = [[programme(made(Incidents, ratio=ratio, **named))] for ratio in sorted((one, other))]
    rare, common = (marked(log, ORDER, "d") for log in journals(*arms, model=model, seed=seed))
    both = rare.join(common, on=["customer", "order"], suffix="_common")
    assert both.filter((pl.col("d") > 0) & (pl.col("d") != pl.col("d_common"))).height == 0
    others = both.filter((pl.col("d_common") > 0) & (pl.col("d_common") != {"late": 1, "early": 3}.get(name, 0)))
    assert name is None or (others["d"] == others["d_common"]).all(), "other incidents stay as they were"


# Nothing that happens moves an order, so that each order can be compared with itself.
STILL = dataclasses.replace(
    FULL,
    experience=dataclasses.replace(
        FULL.experience,
        **{
            name: FULL.experience.negativity.at(1.0)
            for name in ("purchase_rate_per_deviation", "dropout_per_deviation", "basket_per_deviation")
        },
    ),
)


@FEW
@given(models, seeds, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_larger_share_of_recoveries_adds_no_incident_and_takes_no_recovery_away(model, seed, one, other):
    arms = [[programme(made(Recovery, share=share, compensation=2.0, repair=0.5))] for share in sorted((one, other))]
    fewer, more = journals(*arms, model=model, seed=seed, behaviour=STILL)
    assert marked(fewer, ORDER, "d").equals(marked(more, ORDER, "d"))
    paid, paid_more = (marked(log, TICKET, "d") for log in (fewer, more))
    both = paid.join(paid_more, on=["customer", "order"], suffix="_more")
    assert both.height == paid.height == paid_more.height
    assert (both["d"] <= both["d_more"]).all()


@FEW
@given(models, seeds, st.floats(0.05, 10.0), st.floats(0.05, 10.0))
def test_a_larger_chance_of_tickets_or_returns_takes_none_of_them_away(model, seed, one, other):
    low, high = sorted((one, other))
    arms = [[programme(made(Tickets, ratio=ratio), made(Returns, ratio=ratio))] for ratio in (low, high)]
    fewer, more = journals(*arms, model=model, seed=seed, behaviour=STILL)
    for kind in (TICKET, RETURN):
        assert marked(fewer, kind).join(marked(more, kind), on=["customer", "order"], how="anti").height == 0


@FEW
@given(models, seeds, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_unsubscribing_ends_no_membership_later(model, seed, one, other):
    arms = [[programme(made(Contacts, unsubscribe=chance))] for chance in sorted((one, other))]
    longer, shorter = journals(*arms, model=model, seed=seed)
    ends = [log.filter(pl.col("kind") == MEMBER).select("customer", until="b") for log in (longer, shorter)]
    both = ends[0].join(ends[1], on="customer", suffix="_shorter")
    assert (both["until_shorter"] <= both["until"]).all()


@FEW
@given(models, seeds, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_larger_share_of_renewals_brings_no_fewer_fees(model, seed, one, other):
    arms = [[programme(made(Membership, fee=1.0, period_days=40.0, renewal=share))] for share in sorted((one, other))]
    counts = play(CROWD, *arms, latents=MODELS[model], seed=seed)
    low, high = (arm[:, :, place(CountKind.FEES)] for arm in counts.by_arm)
    assert (low <= high).all()


@FEW
@given(models, seeds, st.floats(0.1, 5.0), st.floats(1.0, 5.0))
def test_more_recommendations_bring_no_fewer_customers(model, seed, often, more):
    # The referred refer nobody, so that only the number of recommendations is compared.
    arms = [
        [programme(made(Referral, per_year=rate, success=1.0, anyway=0.3), who="origin = 'existing'")]
        for rate in (often, often * more)
    ]
    counts = play(CROWD, *arms, latents=MODELS[model], seed=seed)
    for column in (place(ReachCountKind.REFERRALS), place(CountKind.REFERRED)):
        by_month = [np.cumsum(arm[:, :, column].sum(axis=0)) for arm in counts.by_arm]
        assert (by_month[0] <= by_month[1]).all()
    assert total(counts, 1, place(CountKind.REFERRED)) <= total(counts, 1, place(ReachCountKind.REFERRALS))
