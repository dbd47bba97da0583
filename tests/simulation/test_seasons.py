"""Seasons and drift: when in the year customers order, and how later cohorts differ."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.world import Calendar, Population, empty_base, season_levels
from tests.simulation.regulars import moments, regulars
from tests.simulation.shops import PEAKED, drift, season, shop
from tests.simulation.worlds import LOYAL, START, inputs, orders_of_each

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
    expected = [np.exp(-hazard * drifted * 150) * 0.1 / (0.1 + hazard * drifted) for drifted in _means(1.5)]
    for share, model in zip(shares, expected, strict=True):
        assert abs(share - model) < 4 * np.sqrt(model * (1 - model) / 20_000)


def _means(ratio):
    """Return the mean ratio of the two cohorts: they come over July of two years."""
    return [ratio ** ((15.5 + year) / 365.25) for year in (0.0, 365.0)]


def test_drift_leaves_those_who_were_there_before_as_they_were():
    plain, drifting = (
        orders_of_each(CROWD, inputs(CROWD, [], latents=LOYAL, **going))
        for going in ({}, {"behaviour": shop(drift=drift(0.5, 2.0))})
    )
    np.testing.assert_array_equal(plain, drifting)
