"""Programmes become records; what cannot be played is refused with what is possible."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from cxsim.errors import SimulationError
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.plan import compile_plan
from cxsim.simulation.state import LEFT, draw_block, staged
from cxsim.simulation.world import Calendar
from tests.simulated import orders
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, moments, regulars, side_by_side
from tests.simulation.worlds import (
    LOYAL,
    START,
    basket,
    buying,
    coupon,
    existing,
    inputs,
    leaving,
    markdown,
    newcomers,
    past_customers,
    play,
    points,
    programme,
    total,
)

YEAR = Calendar(starts_on=START, months=12)


def compiled(*effects, **reach):
    return compile_plan([programme(*effects, **reach)], YEAR).reaches[0]


def test_a_reach_becomes_days_of_the_scenario():
    record = compiled(months=(1, 3), uptake=0.4, ramp_days=60.0, idle=(120.0, 30.0))
    assert (record["from_day"], record["until_day"]) == (31.0, 92.0)  # August and September
    assert (record["uptake"], record["ramp_days"], record["idle_days"], record["for_days"]) == (0.4, 60.0, 120.0, 30.0)


def test_ratios_become_logs_so_that_those_of_several_programmes_add_up():
    record = compiled(buying(1.1), leaving(0.5))
    assert record["rate_log"] == float(f"{math.log(1.1):.12g}")
    assert record["drop_log"] == float(f"{math.log(0.5):.12g}")


def test_points_are_held_in_cents_and_whole_points():
    record = compiled(points(earn=2.0, threshold=99.6, reward=4.999, redemption=0.7, expiry_days=365.0))
    assert (record["points_per_cent"], record["points_threshold"], record["reward_cents"]) == (0.02, 100, 500)


def test_a_ratio_is_cut_to_the_digits_on_which_all_math_libraries_agree():
    # log(0.85) = -0.162518929497774..., of which 12 digits are kept.
    assert compiled(markdown(0.15, 1.0, -2.62))["price_log"] == -0.162518929498


def test_sixteen_programmes_are_possible_and_not_more():
    assert len(compile_plan([programme()] * 16, YEAR).reaches) == 16
    with pytest.raises(SimulationError, match="an arm has 17 programmes; at most 16 are possible"):
        compile_plan([programme()] * 17, YEAR)


INCIDENTS = ("late", "defect", "stock_out")


def test_incidents_have_a_ratio_each_and_one_without_a_name_means_all():
    one, every = (
        compile_plan([programme(effect)], YEAR, incidents=INCIDENTS).incidents[0].tolist()
        for effect in (made("incidents", ratio=0.5, incident="defect"), made("incidents", ratio=0.5))
    )
    assert one == [1.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    assert every == [0.5] * 6


# Whom a programme reaches, and in which months; and that two programmes in one arm add up.

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


# How an effect comes and goes: every order of a regular customer against the integral of the course, to the second.

CROWD = regulars(300)
RATIO = 1.5
COURSES = {
    "always": None,
    "delay": made("course", delay_days=50.0),
    "ramp": made("course", ramp_days=120.0),
    "half-life": made("course", half_life_days=40.0),
    "end": made("course", lasts_days=100.0),
    "delay and ramp": made("course", delay_days=30.0, ramp_days=90.0),
    "all of it": made("course", delay_days=20.0, ramp_days=60.0, half_life_days=50.0, lasts_days=200.0),
}


def strengths(course, days):
    """Return the strength of a course as its docstring states it, at many days."""
    none = {"delay_days": 0.0, "ramp_days": 0.0, "half_life_days": math.inf, "lasts_days": math.inf}
    parts = {name: _value(course, name, otherwise) for name, otherwise in none.items()}
    since = days - parts["delay_days"]
    climbing = since / parts["ramp_days"] if parts["ramp_days"] else np.where(since >= 0.0, np.inf, 0.0)
    faded = 2.0 ** (-np.maximum(since - parts["ramp_days"], 0.0) / parts["half_life_days"])
    full = np.where(climbing < 1.0, np.maximum(climbing, 0.0), faded)
    return np.where(days < parts["lasts_days"], full, 0.0)


def _value(course, name, otherwise):
    quantity = None if course is None else getattr(course, name)
    return otherwise if quantity is None else quantity.value


def pushed(course):
    return programme(made("purchase_rate", ratio=RATIO, course=COURSES[course]))


@pytest.mark.parametrize("course", COURSES)
def test_orders_come_as_the_course_says(course):
    both = side_by_side(CROWD, inputs(CROWD, [], [pushed(course)], latents=LOYAL))
    grid = np.linspace(0.0, 365.0, 365 * 200 + 1)
    middle = 0.5 * (grid[1:] + grid[:-1])
    passed = np.concatenate([[0.0], np.cumsum(RATIO ** strengths(COURSES[course], middle) * np.diff(grid))])
    expected = np.interp(both["day"], grid, passed)
    # A step has the mean strength of its stretch. Over whole steps the integral is then off by at most an eighth of
    # log(ratio) ** 2 times the square of the step's height times its length: 0.11 days for steps of an eighth over 320
    # days, and less over 120. Within a step of a climb, 15 days long, 0.15 days are added; what lies beyond
    # eight half-lives, 58 / 256 days times log(ratio), is counted in the last step of the fading. Within that one,
    # which holds an eighth of the effect, nothing is said.
    whole = both["day"].to_numpy() > {"half-life": 320.0, "all of it": 200.0}.get(course, 0.0)
    slack = {"ramp": 0.2, "delay and ramp": 0.2, "half-life": 0.11 + 0.09, "all of it": 0.11}.get(course, 0.0)
    # Moments are whole seconds, and the grid of this test is of 0.005 days.
    atol = slack + 2 * RATIO / DAY + 0.005
    np.testing.assert_allclose(both["usual"].to_numpy()[whole], expected[whole], rtol=0, atol=atol)
    assert whole.sum() > 500


@pytest.mark.parametrize(
    ("course", "begins", "lasting"), [(None, 0.0, 20.0), (made("course", delay_days=5.0, lasts_days=15.0), 5.0, 10.0)]
)
def test_windows_come_again_and_again_and_a_course_begins_anew_with_each(course, begins, lasting):
    weekly = programme(made("purchase_rate", ratio=RATIO, course=course), every=(50.0, 20.0))
    both = side_by_side(CROWD, inputs(CROWD, [], [weekly], latents=LOYAL))
    day = both["day"].to_numpy()
    number, within = np.divmod(day, 50.0)
    gained = (RATIO - 1.0) * (lasting * number + np.clip(within - begins, 0.0, lasting))
    np.testing.assert_allclose(both["usual"], day + gained, atol=2 * RATIO / DAY)


def test_an_idle_spell_is_answered_after_its_days_and_for_its_days():
    after, lasting = 8.0, 10.0
    reminder = programme(made("purchase_rate", ratio=RATIO), idle=(after, lasting))
    both = side_by_side(CROWD, inputs(CROWD, [], [reminder], latents=LOYAL)).with_columns(
        gap=pl.col("day").diff().over("customer"), usual_gap=pl.col("usual").diff().over("customer")
    )
    gap = both.drop_nulls()["gap"].to_numpy()
    expected = gap + (RATIO - 1.0) * np.clip(gap - after, 0.0, lasting)
    np.testing.assert_allclose(both.drop_nulls()["usual_gap"], expected, atol=3 * RATIO / DAY)


@pytest.mark.parametrize(("orders", "spurred"), [((3, 5), {3, 4}), ((None, 4), {2, 3}), ((6, None), set(range(6, 99)))])
def test_a_reach_for_some_orders_is_on_while_they_are_awaited(orders, spurred):
    # The base has placed one order before, so the first order in the scenario is number 2 in a customer's life.
    push = programme(made("purchase_rate", ratio=RATIO), orders=orders)
    both = side_by_side(CROWD, inputs(CROWD, [], [push], latents=LOYAL)).with_columns(
        gap=pl.col("day").diff().over("customer").fill_null(pl.col("day")),
        usual_gap=pl.col("usual").diff().over("customer").fill_null(pl.col("usual")),
        number=pl.col("order") + 2,
    )
    factor = np.where(both["number"].is_in(list(spurred)).to_numpy(), RATIO, 1.0)
    np.testing.assert_allclose(both["usual_gap"], both["gap"].to_numpy() * factor, atol=3 * RATIO / DAY)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_light_buyers_respond_by_the_power_of_their_rate_and_at_most_four_times(exponent):
    # Customers of all rates, none of whom leaves: ratio ** min((rate / mean) ** -exponent, 4).
    mixed = LOYAL._replace(r=0.8, alpha=8.0)
    population = existing(past_customers([(0, 0, 0, None)], 4_000), months=12)
    ready = inputs(
        population, [], [programme(made("purchase_rate", ratio=RATIO, light_buyers=exponent))], latents=mixed
    )
    last = side_by_side(population, ready).group_by("customer", maintain_order=True).last()
    rates = draw_block(staged(population), mixed, np.ones(4_000), seed=20240501, draw=0, first=0, last=4_000)["rate"]
    response = np.minimum((rates[last["customer"].to_numpy()] / 0.1) ** -exponent, 4.0)
    np.testing.assert_allclose(last["usual"], last["day"] * RATIO**response, rtol=1e-9, atol=2 * RATIO**4 / DAY)
    assert exponent == 0.0 or (response == 4.0).any()


@pytest.mark.parametrize("course", COURSES)
def test_the_end_comes_when_the_hazard_by_the_course_is_used_up(course):
    leaving = LOYAL._replace(s=1e9, beta=1e9 * 200.0)
    effect = made("dropout", ratio=0.6, course=COURSES[course])
    population = regulars(3_000)
    ready = inputs(population, [], [programme(effect)], latents=leaving)
    usual, treated = (
        events(population, ready, seed=20240501, arm=arm).filter(pl.col("kind") == LEFT).select("customer", "second")
        for arm in (0, 1)
    )
    both = treated.join(usual, on="customer", how="left", suffix="_usual")
    assert both["second_usual"].null_count() == 0, "nobody leaves who would have stayed"
    ends, heights = COURSES[course].steps() if COURSES[course] else ((math.inf,), (1.0,))
    edges = np.array([0.0, *[min(end, 400.0) for end in ends]])
    passed = np.concatenate([[0.0], np.cumsum(0.6 ** np.array(heights) * np.diff(edges))])
    found = np.interp(both["second"] / DAY, edges, passed)
    np.testing.assert_allclose(both["second_usual"] / DAY, found, atol=2 / DAY)
    assert both.height > 1_000


def test_windows_count_as_contacts_only_while_the_order_is_awaited_that_they_are_for():
    push = programme(made("purchase_rate", ratio=RATIO), every=(20.0, 5.0), orders=(2, 3))
    ready = inputs(CROWD, [push], latents=LOYAL)
    first = moments(CROWD, ready, arm=0).group_by("customer").agg(pl.col("day").first())
    # The base has placed one order before; windows begin on days 0, 20, 40 and so on, until the first order here.
    expected = (np.ceil(first["day"].to_numpy() / 20.0)).sum()
    assert play(CROWD, [push], latents=LOYAL).by_arm[0][:, :, place(ReachCountKind.CONTACTS)].sum() == expected


# Programmes that answer an idle spell: whom they reach, when, how often, and for how long.

SHOPPERS_IDLE_SPELLS, CONTACTS = newcomers(500, months=12), place(ReachCountKind.CONTACTS)


def gaps(population, latents):
    """Return the days between orders of the baseline; at some moment of their days, so each may be one day off."""
    log = orders(population, inputs(population, [], latents=latents), seed=5)
    return log.select(gap=pl.col("day").diff().over("customer"))["gap"].drop_nulls().to_numpy()


@pytest.mark.parametrize(
    ("idle_days", "months", "contacts"),
    [
        # The spell is 120 days long on the last day of July: day 30 of the scenario.
        pytest.param(90, (0, None), {0: 1_000}, id="those who have left, and only once"),
        pytest.param(500, (2, None), {2: 1_000}, id="a spell from before is answered on the first day"),
        pytest.param(0, (0, 2), {}, id="a spell that begins after the programme is not answered"),
    ],
)
def test_a_win_back_coupon_goes_to(idle_days, months, contacts):
    population, alive = gone(idle_days=idle_days)
    counts = play(population, [], [programme(coupon(5.0, 0.5), idle=(120.0, 30.0), months=months)], prob_alive=alive)
    assert counts.by_arm[1][0, :, CONTACTS].tolist() == [contacts.get(month, 0) for month in range(12)]
    assert total(counts, 1, place(CountKind.ORDERS)) == 0


def test_each_idle_spell_is_answered_once():
    counts = play(SHOPPERS_IDLE_SPELLS, [], [programme(idle=(12.0, 30.0), months=(0, 12))], latents=LOYAL, seed=5)
    log = orders(SHOPPERS_IDLE_SPELLS, inputs(SHOPPERS_IDLE_SPELLS, [], latents=LOYAL), seed=5)
    ends = log.group_by("customer").agg(pl.col("day").max())["day"].to_numpy()
    spells = np.concatenate([gaps(SHOPPERS_IDLE_SPELLS, LOYAL), SHOPPERS_IDLE_SPELLS.calendar.days - ends])
    assert (spells >= 13).sum() <= total(counts, 1, CONTACTS) <= (spells >= 12).sum()
