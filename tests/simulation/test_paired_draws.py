"""Common random numbers: what they buy in precision, and the order of outcomes that they keep for every customer."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import customer_values, events, simulate
from cxsim.simulation.state import LEFT, MEMBER, ORDER, RETURN, TICKET
from tests.simulation.busy import CLUB, FRIENDS, LETTERS, PAID, SALES, SERVICE, WELCOME, everyone, everything
from tests.simulation.mechanisms import made
from tests.simulation.shops import FULL, traits
from tests.simulation.worlds import (
    CDNOW,
    COMPETING,
    LOYAL,
    MBG,
    MODELS,
    PARETO,
    basket,
    buying,
    inputs,
    leaving,
    newcomers,
    orders_of_each,
    play,
    programme,
    total,
)

CUSTOMERS = 20_000
FEW = settings(max_examples=10)
models = st.sampled_from(sorted(MODELS))


def precision(effect, latents):
    """Return how many times smaller the standard error of the mean gain is with the same random numbers."""
    population = newcomers(CUSTOMERS, months=24)
    ready = inputs(population, [], [programme(effect)], latents=latents)
    baseline, treated = (customer_values(population, ready, seed=1, arm=arm).astype(float) for arm in (0, 1))
    elsewhere = customer_values(population, ready, seed=2, arm=1).astype(float)
    return (elsewhere - baseline).std() / (treated - baseline).std()


@pytest.mark.parametrize("latents", [CDNOW, PARETO], ids=["BG/NBD", "Pareto/NBD"])
@pytest.mark.parametrize("effect", [leaving(0.95), basket(1.03)], ids=["less dropout", "larger basket"])
def test_common_random_numbers_make_the_variance_of_a_gain_fifty_times_smaller_f7(effect, latents):
    found = precision(effect, latents) ** 2
    assert found >= 50, f"{found:.0f} times"


def test_the_paired_error_is_that_of_the_differences_customer_by_customer():
    population = newcomers(10_000, months=12)
    ready = inputs(population, [], [programme(buying(1.2))])
    counts = play(population, [], [programme(buying(1.2))])
    gains = np.subtract(*(customer_values(population, ready, seed=20240501, arm=arm) for arm in (1, 0)))
    assert counts.paired[1, 0] == gains.sum()
    # Squares of millionths are beyond 2**53, so their sum is a rounded one.
    assert counts.paired[1, 1] == pytest.approx(float(np.square(gains.astype(float)).sum()), rel=1e-12)


@FEW
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 400.0), st.integers(0, 99))
def test_a_higher_uptake_adds_members_and_removes_none(one, other, ramp_days, seed):
    low, high = sorted((one, other))
    population = newcomers(300, months=24)
    arms = [[programme(basket(2.0), uptake=uptake, ramp_days=ramp_days)] for uptake in (low, high)]
    ready = inputs(population, [], *arms)
    baseline, fewer, more = (customer_values(population, ready, seed=seed, arm=arm) for arm in range(3))
    # Members' orders are twice as large from the day they join; with a higher uptake, members join no later.
    assert (baseline <= fewer).all()
    assert (fewer <= more).all()
    counts = play(population, [], *arms, seed=seed)
    months = place(ReachCountKind.MEMBER_MONTHS)
    assert total(counts, 1, months) <= total(counts, 2, months)


# With every mechanism on, the same random numbers keep outcomes in order: more hazard, earlier end, for every customer.

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
    arms = [
        [*ONCE, programme(made("dropout", ratio=value), name="more")] for value in (ratio, min(ratio * more, 100.0))
    ]
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
        programme(
            made("purchase_rate", ratio=1.4, course=made("course", ramp_days=50.0, half_life_days=90.0)), name="one"
        ),
        programme(made("purchase_rate", ratio=0.7), months=(3, 6), name="two"),
        programme(made("contacts", response=0.05, fatigue=0.004, unsubscribe=0.02), name="letters"),
    ]
    arms = [[*going, programme(made("purchase_rate", ratio=value), name="more")] for value in (ratio, ratio * more)]
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
    arms = [[programme(made("incidents", ratio=ratio, **named))] for ratio in sorted((one, other))]
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
    arms = [[programme(made("recovery", share=share, compensation=2.0, repair=0.5))] for share in sorted((one, other))]
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
    arms = [[programme(made("tickets", ratio=ratio), made("returns", ratio=ratio))] for ratio in (low, high)]
    fewer, more = journals(*arms, model=model, seed=seed, behaviour=STILL)
    for kind in (TICKET, RETURN):
        assert marked(fewer, kind).join(marked(more, kind), on=["customer", "order"], how="anti").height == 0


@FEW
@given(models, seeds, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_unsubscribing_ends_no_membership_later(model, seed, one, other):
    arms = [[programme(made("contacts", unsubscribe=chance))] for chance in sorted((one, other))]
    longer, shorter = journals(*arms, model=model, seed=seed)
    ends = [log.filter(pl.col("kind") == MEMBER).select("customer", until="b") for log in (longer, shorter)]
    both = ends[0].join(ends[1], on="customer", suffix="_shorter")
    assert (both["until_shorter"] <= both["until"]).all()


@FEW
@given(models, seeds, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_larger_share_of_renewals_brings_no_fewer_fees(model, seed, one, other):
    arms = [[programme(made("membership", fee=1.0, period_days=40.0, renewal=share))] for share in sorted((one, other))]
    counts = play(CROWD, *arms, latents=MODELS[model], seed=seed)
    low, high = (arm[:, :, place(CountKind.FEES)] for arm in counts.by_arm)
    assert (low <= high).all()


@FEW
@given(models, seeds, st.floats(0.1, 5.0), st.floats(1.0, 5.0))
def test_more_recommendations_bring_no_fewer_customers(model, seed, often, more):
    # The referred refer nobody, so that only the number of recommendations is compared.
    arms = [
        [programme(made("referral", per_year=rate, success=1.0, anyway=0.3), who="origin = 'existing'")]
        for rate in (often, often * more)
    ]
    counts = play(CROWD, *arms, latents=MODELS[model], seed=seed)
    for column in (place(ReachCountKind.REFERRALS), place(CountKind.REFERRED)):
        by_month = [np.cumsum(arm[:, :, column].sum(axis=0)) for arm in counts.by_arm]
        assert (by_month[0] <= by_month[1]).all()
    assert total(counts, 1, place(CountKind.REFERRED)) <= total(counts, 1, place(ReachCountKind.REFERRALS))


# Two ways of leaving at once: each fitted model is a special case, and the mixture is what it should be.

CROWD_COMPETING = everyone(copies=300, months=12)


@pytest.mark.parametrize(
    ("fitted", "competing"),
    [
        # A hazard that is 0 for everybody, and chances that are: the ends of the two distributions.
        pytest.param(CDNOW, CDNOW._replace(s=0.6, beta=1e300), id="BG/NBD"),
        pytest.param(MBG, MBG._replace(s=0.6, beta=1e300), id="MBG/NBD"),
        pytest.param(PARETO, PARETO._replace(a=1e-300, b=2.0), id="Pareto/NBD"),
    ],
)
@pytest.mark.parametrize("busy", [False, True], ids=["plain", "with every mechanism"])
def test_competing_dropout_is_each_fitted_model_to_the_last_bit(fitted, competing, busy):
    arm, behaviour = (everything(), {"behaviour": FULL}) if busy else ([], {})
    logs = [
        events(CROWD_COMPETING, inputs(CROWD_COMPETING, arm, latents=latents, **behaviour), seed=3)
        for latents in (fitted, competing)
    ]
    assert logs[0].equals(logs[1])


@pytest.mark.parametrize("latents", [CDNOW, MBG], ids=["BG/NBD", "MBG/NBD"])
@pytest.mark.parametrize("busy", [False, True], ids=["plain", "with every mechanism"])
def test_a_customer_who_orders_no_more_is_played_to_the_end_all_the_same(latents, busy):
    # Who cannot order before the horizon is not followed event by event, but for a hazard. With one that ends nobody's
    # time in the age of the universe, everybody is followed: the same must come out. (Satisfaction would go together
    # with staying by that hazard instead of by the chance, and is therefore left alone.)
    shop = dataclasses.replace(FULL, traits=traits(0.3, 0.0, 0.1))
    arm, behaviour = (everything(), {"behaviour": shop}) if busy else ([], {})
    forever = latents._replace(s=1e6, beta=1e206)
    ready = [inputs(CROWD_COMPETING, arm, latents=one, **behaviour) for one in (latents, forever)]
    logs = [events(CROWD_COMPETING, one, seed=3) for one in ready]
    assert logs[0].equals(logs[1])
    counts = [simulate(CROWD_COMPETING, [lambda one=one: one], seed=3)[0].by_arm[0] for one in ready]
    np.testing.assert_array_equal(*counts)


SIZE, DAYS = 200_000, 365.0


def test_with_equal_customers_the_orders_of_a_year_are_those_of_the_closed_form():
    # Orders come at a rate while one is there, and one leaves at hazard + rate * chance: an exponential lifetime.
    rate, chance, hazard = 0.1, 0.05, 0.004
    even = LOYAL._replace(a=1e9, b=1e9 / chance - 1e9, s=1e9, beta=1e9 / hazard)
    population = newcomers(SIZE, months=13)
    repeats = orders_of_each(population, inputs(population, [], latents=even), before=DAYS + 15.5) - 1
    # Entries are even over July, 15.5 days on average; the mean over 31 days of exp(-going t).
    going = hazard + rate * chance
    mean_left = np.exp(-going * DAYS) * np.sinh(going * 15.5) / (going * 15.5)
    expected = rate * (1.0 - mean_left) / going
    assert abs(repeats.mean() - expected) < 4 * repeats.std() / np.sqrt(SIZE)


def elsewhere(latents, size, seed):
    """Simulate the repeat orders of a year and who is left, in a few lines of numpy that share nothing with cxsim."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(latents.r, 1.0 / latents.alpha, size)
    chance = draw.beta(latents.a, latents.b, size)
    ends = draw.exponential(size=size) / draw.gamma(latents.s, 1.0 / latents.beta, size)
    entry = draw.uniform(0.0, 31.0, size)
    there = draw.random(size) >= chance if latents.drop_after_first else np.ones(size, bool)
    now, repeats = np.zeros(size), np.zeros(size, np.int64)
    while there.any():
        now[there] += draw.exponential(size=there.sum()) / np.maximum(rate[there], 1e-300)
        ordered = there & (now < np.minimum(ends, DAYS + 15.5 - entry))
        repeats[ordered] += 1
        there = ordered & (draw.random(size) >= chance)
    return repeats


@pytest.mark.parametrize("first", [0, 1], ids=["not after the first order", "also after the first order"])
def test_with_customers_of_all_kinds_orders_are_those_of_another_simulation(first):
    latents = COMPETING._replace(drop_after_first=first)
    population = newcomers(SIZE, months=13)
    mine = orders_of_each(population, inputs(population, [], latents=latents), before=DAYS + 15.5) - 1
    theirs = elsewhere(latents, SIZE, seed=1)
    for found, expected in ((mine, theirs), (mine == 0, theirs == 0), (mine > 10, theirs > 10)):
        error = np.hypot(found.std(), expected.std()) / np.sqrt(SIZE)
        assert abs(found.mean() - expected.mean()) < 4 * error
