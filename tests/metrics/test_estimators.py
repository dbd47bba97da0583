"""Waiting times with some still open: worked numbers, scipy and statsmodels, and what always holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import CensoredData, ecdf
from statsmodels.duration.survfunc import SurvfuncRight

from cxsim.metrics.estimators import answered_within, kaplan_meier, median_wait
from cxsim.metrics.intervals import wilson
from tests.by_unit import survival

# Replied after 1, 2, 2, 4, 6 hours; still open after 3, 5, 8.
HOURS = [1, 2, 2, 4, 6, 3, 5, 8]
REPLIED = [True] * 5 + [False] * 3
TICKETS = survival(HOURS, REPLIED)
# Gaps between orders, of which some were still open on 31 March 2024.
GAPS = [36, 50, 71, 71, 66, 19, 14, 26, 21, 70, 265]
ORDERED = [True, False, False, True, False, True, True, False, False, True, False]

SAMPLES = 2000
FOUR_ERRORS = 4 * math.sqrt(0.95 * 0.05 / SAMPLES)
waits = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)


def drawn(units: int, seed: int):
    """Waits of which a third is still open, the longest among them, so that no curve ends at 0."""
    generator = np.random.Generator(np.random.PCG64(seed))
    ends, seen = generator.exponential(5, units), generator.exponential(10, units)
    durations, ended = np.round(np.minimum(ends, seen), 1), ends <= seen
    ended[durations == durations.max()] = False
    return durations, ended


def steps(table):
    """Return the share that still waits by the times at which it falls."""
    before = [1.0, *table.shares[:-1]]
    falls = zip(table.times, table.shares, before, strict=True)
    return {float(time): float(share) for time, share, earlier in falls if share < earlier}


def test_the_curve_is_that_worked_by_hand():
    # 1 - 1/8; times 1 - 2/7; times 1 - 1/4 (one left at 3); times 1 - 1/2 (one left at 5).
    assert steps(TICKETS) == pytest.approx({1: 7 / 8, 2: 5 / 8, 4: 15 / 32, 6: 15 / 64}, abs=1e-15)
    assert TICKETS.at_risk.tolist() == [8, 7, 5, 4, 3, 2, 1]
    assert (TICKETS.units, TICKETS.ended) == (8, 5)


def test_open_tickets_make_the_median_twice_that_of_replied_ones():
    estimate = median_wait(TICKETS)
    assert (estimate.value, estimate.low, estimate.high) == (4, 1, None)
    assert estimate.caution == "indicative: 8 units; upper end not reached"
    assert median_wait(survival([1, 2, 2, 4, 6], [True] * 5)).value == 2


def test_answered_within_four_hours_is_between_leaving_open_ones_out_and_failing_them():
    assert answered_within(TICKETS, 4).value == 0.53125
    # Replied ones only: 4 of 5; open ones as failures: 4 of 8.
    assert 4 / 8 < answered_within(TICKETS, 4).value < 4 / 5


@pytest.mark.parametrize(
    ("hours", "low", "high"),
    [(1, 0.387000, 0.981393), (2, 0.229333, 0.860698), (4, 0.119929, 0.762856), (6, 0.013015, 0.615806)],
)
def test_the_limits_of_the_curve_are_those_worked_by_hand(hours, low, high):
    estimate = answered_within(TICKETS, hours)
    # Half of the sixth digit, to which the numbers are given.
    assert (estimate.low, estimate.high) == pytest.approx((1 - high, 1 - low), abs=5e-7)


def test_the_limits_hold_greenwoods_variance():
    # 0.46875**2 * (1/56 + 2/35 + 1/12) = 0.034790, its root 0.186521; on the log-log scale divided by S ln S.
    error = 0.46875 * math.sqrt(1 / 56 + 2 / 35 + 1 / 12)
    assert error == pytest.approx(0.186521, abs=5e-7)
    estimate = answered_within(TICKETS, 4)
    spread = (math.log(-math.log(1 - estimate.high)) - math.log(-math.log(1 - estimate.low))) / 2 / 1.959963984540054
    assert spread * 0.46875 * -math.log(0.46875) == pytest.approx(error, rel=1e-9)


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")  # where all still wait
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_curve_and_limits_are_those_of_scipy_and_the_median_that_of_statsmodels(seed):
    durations, ended = drawn(80, seed)
    ours = survival(durations, ended)
    theirs = ecdf(CensoredData(uncensored=durations[ended], right=durations[~ended])).sf
    limits = theirs.confidence_interval(method="log-log")
    place = np.searchsorted(theirs.quantiles, ours.times)
    np.testing.assert_allclose(ours.shares, theirs.probabilities[place], atol=1e-12)
    for hours in (1.0, 3.0, 9.0):
        estimate = answered_within(ours, hours)
        at = int(np.searchsorted(theirs.quantiles, hours, side="right")) - 1
        expected = (1 - limits.high.probabilities[at], 1 - limits.low.probabilities[at])
        assert (estimate.low, estimate.high) == pytest.approx(expected, abs=1e-9)
    # The median and its limits are those of statsmodels.
    estimate, theirs = median_wait(ours), SurvfuncRight(durations, ended.astype(int))
    assert estimate.value == theirs.quantile(0.5)
    assert (estimate.low, estimate.high) == theirs.quantile_ci(0.5, method="cloglog")


@given(waits)
def test_counts_by_time_say_the_same_as_waits_one_by_one(rows):
    durations, ended = (np.array(column) for column in zip(*rows, strict=True))
    one = survival(durations, ended)
    times = np.arange(41)[::-1]
    events = [int(((durations == time) & ended).sum()) for time in times]
    censored = [int(((durations == time) & ~ended).sum()) for time in times]
    other = kaplan_meier(times, events, censored)
    for name in ("times", "shares", "at_risk", "ended"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.units == other.units == len(rows)


@given(waits)
def test_without_open_waits_the_curve_is_a_share(rows):
    durations = [duration for duration, _ in rows]
    table = survival(durations, [True] * len(rows))
    longer = [sum(duration > time for duration in durations) / len(rows) for time in table.times]
    np.testing.assert_allclose(table.shares, longer, atol=1e-12)


@given(waits, st.integers(0, 40))
def test_the_interval_holds_the_share_and_that_of_a_median_the_median(rows, time):
    curve = survival(*zip(*rows, strict=True))
    share, median = answered_within(curve, time), median_wait(curve)
    assert share.value is None or 0 <= share.low <= share.value <= share.high <= 1
    assert median.value is None or median.low <= median.value
    assert median.high is None or median.value <= median.high


def test_a_median_past_what_was_seen_is_not_reached():
    estimate = median_wait(survival([1, 2, 9, 9, 9], [True, False, False, False, False]))
    assert (estimate.value, estimate.high) == (None, None)
    assert estimate.caution == "indicative: 5 units; not reached"


def test_past_the_last_sight_nothing_is_known():
    estimate = answered_within(TICKETS, 8.5)
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
    assert estimate.caution == "no case was observed for longer than 8"
    # Once all are answered, it is known for ever.
    assert answered_within(survival([1, 2], [True, True]), 100).value == 1


def test_where_all_or_none_still_wait_the_limits_are_wilsons():
    everyone = survival([5, 5, 5, 6, 1], [True, True, True, True, False])
    # Four were still in sight at 4; one had been lost at 1.
    assert answered_within(everyone, 4).high == 1 - wilson(4, 4).low
    assert answered_within(everyone, 4).low == 0
    assert answered_within(everyone, 6).low == 1 - wilson(0, 4).high
    assert answered_within(everyone, 6).value == 1


def test_nobody_has_no_curve():
    for estimate in (answered_within(survival([], []), 1), median_wait(survival([], []))):
        assert (estimate.value, estimate.units, estimate.caution) == (None, 0, "no cases")


def test_the_curve_of_gaps_between_orders_is_that_worked_by_hand():
    table = survival(GAPS, ORDERED)
    expected = {14: 10 / 11, 19: 9 / 11, 36: 54 / 77, 70: 81 / 154, 71: 27 / 77}
    assert steps(table) == pytest.approx(expected, abs=1e-15)
    assert median_wait(table).value == 71
    # Second orders of those won in the window: first gaps of 36 and 19 ended, 71 and 21 open.
    assert answered_within(survival([36, 71, 19, 21], [True, False, True, False]), 60).value == 1 - 3 / 8


@pytest.mark.parametrize("units", [30, 200])
def test_the_intervals_of_waiting_times_of_which_a_third_is_open_hold_the_truth_as_often_as_they_say(units):
    generator = np.random.Generator(np.random.PCG64(11))
    answered, medians = [], []
    for _ in range(SAMPLES):
        ends, seen = generator.exponential(1, units), generator.exponential(2, units)
        curve = survival(np.minimum(ends, seen), ends <= seen)
        within, middle = answered_within(curve, 1.0), median_wait(curve)
        answered.append(within.low is None or within.low <= 1 - math.exp(-1) <= within.high)
        medians.append(middle.low <= math.log(2) <= (math.inf if middle.high is None else middle.high))
    # Of 30 in sight, few are left: Greenwood's variance is a little small then, up to 1 % seldom.
    few = 0.01 * (units == 30)
    for held in (answered, medians):
        assert -FOUR_ERRORS - few < np.mean(held) - 0.95 < FOUR_ERRORS
