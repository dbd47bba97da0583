"""Months as calendars have them: of 28 to 31 days, in leap years, and from any day of the month."""

from __future__ import annotations

import calendar as almanac
import dataclasses
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from cxsim.errors import SimulationError, TableError
from cxsim.simulation.counts import N_COUNT_KINDS
from cxsim.simulation.engine import events
from cxsim.simulation.state import ARRIVED, ORDER, SURVEY, draw_block, staged
from cxsim.simulation.world import Calendar, Population, empty_base, existing_customers, reached_by, season_levels
from tests.simulation.mechanisms import made
from tests.simulation.regulars import moments, regulars
from tests.simulation.shops import PEAKED, drift, experience, season, shop, surveys, traits
from tests.simulation.worlds import (
    CDNOW,
    LOYAL,
    MODELS,
    START,
    existing,
    inputs,
    newcomers,
    orders_of_each,
    past_customers,
    play,
    programme,
)

calendars = st.builds(Calendar, starts_on=st.dates(date(1970, 1, 1), date(2150, 12, 31)), months=st.integers(1, 120))


@given(calendars)
def test_every_month_starts_on_the_same_day_of_the_month_or_the_last_there_is(calendar):
    for month in range(calendar.months + 1):
        start = calendar.starts_of(month)
        _, length = almanac.monthrange(start.year, start.month)
        assert start.day == min(calendar.starts_on.day, length)
        assert (start.year - calendar.starts_on.year) * 12 + start.month - calendar.starts_on.month == month


@given(calendars)
def test_every_day_belongs_to_the_month_that_started_last(calendar):
    starts, months = calendar.month_starts, calendar.month_of_day
    assert starts[0] == 0
    assert starts[-1] == calendar.days == len(months)
    assert set(np.diff(starts).tolist()) <= {28, 29, 30, 31}
    assert np.array_equal(months, np.searchsorted(starts, np.arange(calendar.days), side="right") - 1)


def test_a_leap_year_has_its_day():
    lengths = [
        np.diff(Calendar(starts_on=date(year, 1, 1), months=3).month_starts).tolist() for year in (1999, 2000, 2100)
    ]
    assert lengths == [[31, 28, 31], [31, 29, 31], [31, 28, 31]]


def test_the_31st_comes_back_after_shorter_months():
    calendar = Calendar(starts_on=date(2024, 1, 31), months=4)
    starts = [calendar.starts_of(month).isoformat() for month in range(5)]
    assert starts == ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]


# Seasons and drift: when in the year customers order, and how later cohorts differ.

CROWD = regulars(2_000, months=24)


def test_every_order_comes_when_so_much_seasonal_time_is_over():
    behaviour = shop(order_season=season())
    usual = moments(CROWD, inputs(CROWD, [], latents=LOYAL), arm=0)
    seasonal = moments(CROWD, inputs(CROWD, [], latents=LOYAL, behaviour=behaviour), arm=0)
    both = seasonal.join(usual, on=["customer", "order"], suffix="_usual")
    starts = CROWD.calendar.month_starts.astype(float)
    levels = [PEAKED[CROWD.calendar.starts_of(month).month - 1] for month in range(24)]
    passed = np.interp(both["day"], starts, np.concatenate([[0.0], np.cumsum(np.diff(starts) * levels)]))
    # Moments are cut to whole seconds in both.
    np.testing.assert_allclose(passed, both["day_usual"], atol=1.4 * 2 / 86_400)


def test_orders_of_a_month_follow_its_level():
    behaviour = shop(order_season=season())
    day = moments(CROWD, inputs(CROWD, [], latents=LOYAL, behaviour=behaviour), arm=0)["day"].to_numpy()
    lengths = np.diff(CROWD.calendar.month_starts)
    placed = np.bincount(CROWD.calendar.month_of_day[day.astype(int)], minlength=24)
    expected = 2_000 * 0.1 * lengths * np.array([PEAKED[(6 + month) % 12] for month in range(24)])
    assert (np.abs(placed - expected) < 4 * np.sqrt(expected)).all()


@pytest.mark.parametrize(("amplitude", "december"), [(0.01, 1.0035), (0.5, 1.175), (1.0, 1.35), (2.0, 1.7)])
def test_an_amplitude_stretches_the_levels_around_one(amplitude, december):
    levels = season_levels(season(amplitude=amplitude), Calendar(starts_on=START, months=12))
    assert levels[5] == pytest.approx(december, abs=1e-12)
    assert levels.mean() == pytest.approx(1.0, abs=1e-11)


def test_later_cohorts_order_less_often_by_the_drift():
    months = 13
    calendar = Calendar(starts_on=START, months=months + 12)
    population = Population(base=empty_base(), arrivals=(4_000, *[0] * 11, 4_000), calendar=calendar)
    ready = inputs(population, [], latents=LOYAL, behaviour=shop(drift=drift(purchase_rate=0.8)))
    log = moments(population, ready, arm=0)
    came = log.group_by("customer").agg(came=pl.col("day").first())
    young = log.join(came, on="customer").filter((pl.col("day") - pl.col("came")).is_between(0, 300, closed="right"))
    placed = np.bincount(young["customer"].to_numpy(), minlength=8_000)
    first, later = placed[:4_000], placed[4_000:]
    ratio = later.mean() / first.mean()
    error = ratio * np.hypot(*(group.std() / group.mean() / np.sqrt(4_000) for group in (first, later)))
    # 365 of the 365.25 days of a year lie between the two cohorts.
    assert abs(ratio - 0.8 ** (365 / 365.25)) < 4 * error


def test_later_cohorts_leave_sooner_by_the_drift():
    hazard = 0.004
    even = LOYAL._replace(s=1e9, beta=1e9 / hazard)
    population = Population(
        base=empty_base(), arrivals=(20_000, *[0] * 11, 20_000), calendar=Calendar(starts_on=START, months=20)
    )
    ready = inputs(population, [], latents=even, behaviour=shop(drift=drift(dropout=1.5)))
    log = moments(population, ready, arm=0)
    spans = log.group_by("customer").agg(first=pl.col("day").first(), last=pl.col("day").last()).sort("customer")
    active = ((spans["last"] - spans["first"]) > 150).to_numpy()
    shares = [active[:20_000].mean(), active[20_000:].mean()]
    # Someone who orders every ten days is seen after day 150 if there then, and orders before leaving: the same odds of
    # rate / (rate + hazard) in both; so the ratio of shares is that of survival, but for these odds.
    # The two cohorts come over July of two years.
    means = [1.5 ** ((15.5 + year) / 365.25) for year in (0.0, 365.0)]
    expected = [np.exp(-hazard * drifted * 150) * 0.1 / (0.1 + hazard * drifted) for drifted in means]
    for share, model in zip(shares, expected, strict=True):
        assert abs(share - model) < 4 * np.sqrt(model * (1 - model) / 20_000)


def test_drift_leaves_those_who_were_there_before_as_they_were():
    plain, drifting = (
        orders_of_each(CROWD, inputs(CROWD, [], latents=LOYAL, **going))
        for going in ({}, {"behaviour": shop(drift=drift(0.5, 2.0))})
    )
    np.testing.assert_array_equal(plain, drifting)


# Satisfaction that goes together with rates: the correlations asked for are the ones that come out.

SIZE = 40_000
ASKED = {"purchase_rate": 0.4, "staying": 0.3, "spend": -0.2}
# Satisfaction stays where it is by nature; everyone is asked after the first order, and says it.
OPEN = shop(
    experience=experience(memory=0.0),
    traits=traits(**ASKED),
    surveys=surveys(after_order=1.0, response=1.0, extremity=0.0),
)


def scores(latents):
    """Return the normal scores of each customer's rates, from the distributions as scipy has them."""
    population = newcomers(SIZE, months=2)
    rates = draw_block(staged(population), latents, np.zeros(0), seed=11, draw=0, first=0, last=SIZE)
    staying = -stats.norm.ppf(
        stats.gamma.cdf(rates["dropout_rate"], latents.s, scale=1.0 / latents.beta)
        if latents.s > 0.0
        else stats.beta.cdf(rates["dropout_prob"], latents.a, latents.b)
    )
    return {
        "purchase_rate": stats.norm.ppf(stats.gamma.cdf(rates["rate"], latents.r, scale=1.0 / latents.alpha)),
        "staying": staying,
        "spend": -stats.norm.ppf(stats.gamma.cdf(rates["spend_rate"], latents.q, scale=1.0 / latents.v)),
    }


def satisfaction(latents, behaviour=OPEN):
    population = newcomers(SIZE, months=2)
    log = events(population, inputs(population, [], latents=latents, behaviour=behaviour), seed=11)
    first = log.filter((pl.col("kind") == SURVEY) & (pl.col("order") == 0) & (pl.col("a") == 0)).sort("customer")
    assert first["customer"].to_list() == list(range(SIZE))
    return first["d"].to_numpy() / 1000.0


@pytest.mark.parametrize("model", MODELS)
def test_satisfaction_goes_together_with_each_rate_as_was_asked(model):
    said, own = satisfaction(MODELS[model]), scores(MODELS[model])
    for name, asked in ASKED.items():
        kept = np.isfinite(own[name])  # a few in a million lie so far out that scipy has no score for them
        found = np.corrcoef(said[kept], own[name][kept])[0, 1]
        assert abs(found - asked) < 4 * (1 - asked**2) / np.sqrt(SIZE), f"{name}: {found:.4f}"


def test_without_traits_satisfaction_says_nothing_about_rates():
    said = satisfaction(CDNOW, dataclasses.replace(OPEN, traits=None))
    for name, own in scores(CDNOW).items():
        assert abs(np.corrcoef(said, own)[0, 1]) < 4 / np.sqrt(SIZE), name
    assert abs(said.std() - 1.0) < 4 / np.sqrt(2 * SIZE)


def test_referred_customers_have_the_satisfaction_that_goes_with_their_rates_as_well():
    friends = programme(made("referral", per_year=20.0, success=1.0), who="origin = 'existing'", months=(0, 1))
    population = existing(past_customers([(1, 5, 10, 20.0)], 30_000), months=2)
    log = events(population, inputs(population, [friends], latents=CDNOW, behaviour=OPEN), seed=11)
    referred = log.filter((pl.col("kind") == ARRIVED) & (pl.col("a") >= 0)).select("customer")
    said = log.filter((pl.col("kind") == SURVEY) & (pl.col("order") == 0) & (pl.col("a") == 0))
    felt = referred.join(said, on="customer")["d"].to_numpy() / 1000.0
    assert abs(felt.std() - 1.0) < 4 / np.sqrt(2 * len(felt))
    assert abs(felt.mean()) < 4 / np.sqrt(len(felt))
    # Their first order is what they are known by: spend goes with a correlation of the logs that is below -0.2 by the
    # chance in one order, and not by chance on the other side of 0.
    first = log.filter((pl.col("kind") == ORDER) & (pl.col("order") == 0))
    listed = np.log(referred.join(first, on="customer")["a"].to_numpy() + 1.0)
    assert np.corrcoef(felt, listed)[0, 1] < -4 / np.sqrt(len(felt))
    assert len(felt) > 10_000


# Who may be simulated, whom a condition reaches; what compiled code would misread is refused before it is read.

BASE = past_customers([(2, 213, 272, 22.0), (0, 0, 272, None)])
SHOP = existing(BASE, arrivals=(3,))
YEAR = Calendar(starts_on=START, months=12)


@pytest.mark.parametrize("arrivals", [(), (0, 0)])
def test_a_population_without_customers_or_with_a_base_that_breaks_its_contract_is_refused(arrivals):
    with pytest.raises(SimulationError, match="there are no customers: neither an existing base nor new ones"):
        Population(base=empty_base(), arrivals=arrivals, calendar=YEAR)
    with pytest.raises(TableError, match="CUSTOMERS: no column 'idle_days'"):
        Population(base=BASE.drop("idle_days"), arrivals=(), calendar=YEAR)


def test_only_a_base_and_only_new_customers_can_be_simulated():
    # Cohorts: the base, one for each month of arrivals, and one of referred customers.
    assert play(existing(BASE), []).by_arm[0].shape == (2, 12, N_COUNT_KINDS)
    assert play(newcomers(3, months=2), []).by_arm[0].shape == (3, 2, N_COUNT_KINDS)


def test_a_summary_of_orders_becomes_customers():
    rfm = pl.DataFrame(
        {"customer_id": ["a"], "frequency": [2], "recency_days": [30], "age_days": [40], "monetary_value": [9.5]}
    )
    expected = {"origin": "existing", "frequency": 2, "recency_days": 30, "age_days": 40, "idle_days": 10}
    assert existing_customers(rfm).row(0, named=True) == {**expected, "monetary_value": 9.5}


@pytest.mark.parametrize(
    ("condition", "reached"),
    [
        ("true", [True, True, True]),
        ("false", [False, False, False]),
        ("frequency >= 1 and idle_days < 60", [True, False, False]),
        ("origin = 'new'", [False, False, True]),
        # A one-time buyer has no mean order value, and is not taken to have one of 0.
        ("monetary_value < 100", [True, False, False]),
        ("monetary_value is null", [False, True, True]),
    ],
)
def test_a_condition_reaches_those_who_meet_it(condition, reached):
    assert reached_by(SHOP, [condition])[:, 0].tolist() == reached
