"""Business hours: worked numbers, the change of clocks, and counting minute by minute."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.errors import DataError
from cxsim.intervals import Schedule, open_minutes, open_minutes_of, open_minutes_through, weekday_hours

NEW_YORK = ZoneInfo("America/New_York")
DESK = weekday_hours("America/New_York", 9, 17)
FRIDAY, MONDAY = datetime(2024, 3, 8, 16, 30, tzinfo=NEW_YORK), datetime(2024, 3, 11, 10, 15, tzinfo=NEW_YORK)
# Minutes since Sunday, in UTC: noon to 2 every day; 15 to half past midnight on working days.
EVERY_DAY = Schedule(
    zone="UTC",
    spans=((720, 1560), (2160, 3000), (3600, 4440), (5040, 5880), (6480, 7320), (7920, 8760), (9360, 10200)),
)
AFTERNOONS = Schedule(zone="UTC", spans=((2340, 2910), (3780, 4350), (5220, 5790), (6660, 7230), (8100, 8670)))
CREATED = datetime(2024, 5, 14, 17, 1, 38, tzinfo=UTC)  # a Tuesday
CHANGED = datetime(2024, 5, 15, 19, 1, 25, tzinfo=UTC)
REPLIED = datetime(2024, 5, 15, 19, 1, 46, tzinfo=UTC)

moments = st.integers(0, 60 * 24 * 30).map(
    lambda minutes: datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def test_a_weekend_on_which_the_clocks_change_counts_by_the_desks_own_clock():
    # Friday 16:30 to 17:00 and Monday 9:00 to 10:15.
    assert open_minutes(FRIDAY, MONDAY, DESK) == 105
    # The wall clocks are 3945 minutes apart, the moments 3885.
    assert (MONDAY.astimezone(UTC) - FRIDAY.astimezone(UTC)) / timedelta(minutes=1) == 3885


def test_a_desk_that_never_closes_is_open_for_the_time_that_passed():
    always = Schedule(zone="America/New_York", spans=((0, 7 * 24 * 60),))
    assert open_minutes(FRIDAY, MONDAY, always) == 3885


def test_a_night_on_which_the_clocks_change_is_as_long_as_it_was():
    nights = Schedule(zone="America/New_York", spans=((0, 360),))  # Sunday, midnight to 6
    for day, hours in ((datetime(2024, 3, 10), 5), (datetime(2024, 11, 3), 7), (datetime(2024, 3, 17), 6)):  # noqa: DTZ001
        start = day.replace(tzinfo=NEW_YORK)
        assert open_minutes(start, start + timedelta(days=1), nights) == 60 * hours


def test_hours_that_the_clocks_skip_are_no_opening():
    skipped = Schedule(zone="America/New_York", spans=((165, 195),))  # Sunday, 2:45 to 3:15
    start = datetime(2024, 3, 10, tzinfo=NEW_YORK)
    # At 2 o'clock it was 3: the desk is open at most from 3:00 to 3:15.
    assert open_minutes(start, start + timedelta(hours=12), skipped) <= 15


def test_a_ticket_whose_schedule_changed_counts_each_for_its_time():
    # Until the change: Tuesday 17:01:38 to 2:00, and Wednesday 12:00 to 19:01:25; after it, 21 seconds.
    whole = open_minutes_through(CREATED, REPLIED, [(CREATED, EVERY_DAY), (CHANGED, AFTERNOONS)])
    assert whole == pytest.approx(538 + 22 / 60 + 421 + 25 / 60 + 21 / 60, abs=1e-9)
    assert whole == pytest.approx(960.1333, abs=5e-5)


def test_the_last_schedule_alone_counts_less():
    # Tuesday 17:01:38 to 0:30, and Wednesday 15:00 to 19:01:46.
    assert open_minutes(CREATED, REPLIED, AFTERNOONS) == pytest.approx(690.1333, abs=5e-5)
    assert (REPLIED - CREATED) / timedelta(minutes=1) == pytest.approx(1560.1333, abs=5e-5)


def test_schedules_past_the_reply_add_nothing():
    later = REPLIED + timedelta(days=1)
    early = CREATED - timedelta(days=300)
    schedules = [(early, DESK), (early, AFTERNOONS), (later, EVERY_DAY)]
    assert open_minutes_through(CREATED, REPLIED, schedules) == open_minutes(CREATED, REPLIED, AFTERNOONS)


@given(moments, moments)
def test_open_minutes_are_those_counted_one_by_one(one, other):
    start, end = min(one, other), min(max(one, other), min(one, other) + timedelta(days=4))
    counted = 0
    moment = start
    while moment < end:
        clock = moment.astimezone(NEW_YORK)
        counted += clock.isoweekday() <= 5 and 9 <= clock.hour < 17
        moment += timedelta(minutes=1)
    assert open_minutes(start, end, DESK) == counted


@given(moments, moments, moments)
def test_a_wait_is_the_sum_of_its_parts(one, two, three):
    first, middle, last = sorted([one, two, three])
    parts = open_minutes(first, middle, AFTERNOONS) + open_minutes(middle, last, AFTERNOONS)
    assert parts == pytest.approx(open_minutes(first, last, AFTERNOONS), abs=1e-9)


def test_many_waits_at_once_are_those_one_by_one():
    starts = np.array(["2024-03-08T21:30", "NaT", "2024-03-09T00:00"], dtype="datetime64[ms]")
    ends = np.array(["2024-03-11T14:15", "2024-03-11", "2024-03-12T13:00:30"], dtype="datetime64[ms]")
    found = open_minutes_of(starts, ends, DESK)
    assert found[0] == 105
    assert math.isnan(found[1])
    # All Monday, and half a minute of Tuesday, when the desk opens at 13:00 UTC.
    assert found[2] == 480.5


def test_no_waits_and_a_desk_that_never_opens():
    none = np.array([], dtype="datetime64[us]")
    assert open_minutes_of(none, none, DESK).size == 0
    assert open_minutes(FRIDAY, MONDAY, Schedule(zone="UTC", spans=())) == 0


def test_bad_moments_are_refused():
    with pytest.raises(DataError, match="needs a time zone; found 2024-03-08T16:30:00 without one"):
        open_minutes(datetime(2024, 3, 8, 16, 30), MONDAY, DESK)  # noqa: DTZ001 - the point of the test
    with pytest.raises(DataError, match="ends after it starts; found 2024-03-11T14:15"):
        open_minutes(MONDAY, FRIDAY, DESK)
    with pytest.raises(DataError, match="as long as each other; found 2 and 1"):
        open_minutes_of(np.array(["2024", "2025"], dtype="M8[us]"), np.array(["2024"], dtype="M8[us]"), DESK)


def test_bad_schedules_are_refused():
    with pytest.raises(DataError, match="no time zone 'Mars/Olympus'; possible are names such as Europe/Berlin"):
        weekday_hours("Mars/Olympus", 9, 17)
    with pytest.raises(DataError, match="from 0 to 24 o'clock; found 17 and 9"):
        weekday_hours("UTC", 17, 9)
    with pytest.raises(
        DataError, match="runs into the next week's first one; found 10900, past 10080 by more than 720"
    ):
        Schedule(zone="UTC", spans=((720, 1560), (9360, 10900)))
    with pytest.raises(DataError, match="spans must ascend from 0; found 50 after 60"):
        Schedule(zone="UTC", spans=((0, 60), (50, 70)))
    with pytest.raises(DataError, match="must hold when the wait begins"):
        open_minutes_through(CREATED, REPLIED, [(CHANGED, DESK)])
    with pytest.raises(DataError, match="must ascend by the moment"):
        open_minutes_through(CREATED, REPLIED, [(CREATED, DESK), (REPLIED, DESK), (CHANGED, DESK)])
    with pytest.raises(DataError, match="ends after it starts"):
        open_minutes_through(CREATED, FRIDAY, [(FRIDAY, DESK)])


def test_a_stretch_that_runs_into_the_next_week_is_counted_there():
    # Saturday noon to Sunday 2:00.
    sunday = datetime(2024, 5, 12, 1, 0, tzinfo=UTC)
    assert open_minutes(sunday, sunday + timedelta(hours=5), EVERY_DAY) == 60
