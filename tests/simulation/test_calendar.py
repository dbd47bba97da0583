"""Months as calendars have them: of 28 to 31 days, in leap years, and from any day of the month."""

from __future__ import annotations

import calendar as almanac
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxsim.errors import SimulationError
from cxsim.simulation.world import Calendar

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


@given(calendars)
def test_days_are_days_of_the_calendar(calendar):
    for month, day in enumerate(calendar.month_starts.tolist()):
        assert calendar.starts_on + timedelta(days=day) == calendar.starts_of(month)


def test_a_leap_year_has_its_day():
    lengths = [
        np.diff(Calendar(starts_on=date(year, 1, 1), months=3).month_starts).tolist() for year in (1999, 2000, 2100)
    ]
    assert lengths == [[31, 28, 31], [31, 29, 31], [31, 28, 31]]


def test_the_31st_comes_back_after_shorter_months():
    calendar = Calendar(starts_on=date(2024, 1, 31), months=4)
    starts = [calendar.starts_of(month).isoformat() for month in range(5)]
    assert starts == ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]


def test_a_scenario_without_a_month_is_refused():
    with pytest.raises(SimulationError, match="at least one month; found 0"):
        Calendar(starts_on=date(2024, 1, 1), months=0)
