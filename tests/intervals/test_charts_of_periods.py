"""Rates of events, usual ranges, findings among many: worked numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.rates import confint_poisson

from cxsim.errors import DataError
from cxsim.metrics.intervals import discoveries, garwood, usual_range


def test_garwoods_limits_are_those_worked_by_hand():
    number, rate = garwood(18, 1), garwood(18, 300)
    assert (number.low, number.high) == pytest.approx((10.6679, 28.4478), abs=5e-5)
    assert (rate.value, rate.low, rate.high) == pytest.approx((0.06, 0.03556, 0.09483), abs=5e-6)
    assert rate.caution == "indicative: 18 events"


@given(st.integers(0, 2000), st.sampled_from([0.8, 0.95, 0.99]))
def test_garwoods_limits_are_those_of_statsmodels(events, level):
    estimate = garwood(events, 7.0, level=level)
    low, high = confint_poisson(events, 7.0, method="exact-c", alpha=1 - level)
    assert (estimate.low, estimate.high) == pytest.approx((0.0 if events == 0 else low, high), rel=1e-9)
    assert estimate.low <= estimate.value <= estimate.high


def test_no_event_and_no_exposure_say_so():
    assert (garwood(0, 10).low, garwood(0, 10).caution) == (0, "indicative: no event")
    assert (garwood(0, 0).value, garwood(0, 0).caution) == (None, "nobody")


@pytest.mark.parametrize(("events", "exposure"), [(-1, 3), (1, -3), (1, math.inf), (1, math.nan)])
def test_impossible_events_are_refused(events, exposure):
    with pytest.raises(DataError, match=f"found {events} and {exposure}"):
        garwood(events, exposure)


def test_the_usual_range_is_that_worked_by_hand():
    # Mean 92 / 8; moving ranges 2, 4, 2, 4, 2, 4, 2: mean 20 / 7; times 2.66, which is 3 * sqrt(pi) / 2 = 2.6587.
    low, high = usual_range([10, 12, 16, 14, 10, 12, 8, 10])
    assert (low, high) == pytest.approx((11.5 - 2.6587 * 20 / 7, 11.5 + 2.6587 * 20 / 7), abs=5e-4)


def test_a_drift_widens_the_usual_range_less_than_its_spread_would():
    drift = np.arange(20.0)
    low, high = usual_range(drift)
    # Each step is 1, so that the range is 2.66 to each side; the standard deviation would give 17.7.
    assert high - low == pytest.approx(2 * 2.6587, abs=5e-4)


def test_the_usual_range_is_no_narrower_than_chance():
    same = [5.0] * 10
    assert usual_range(same) == (5, 5)
    assert usual_range(same, [2.0] * 10) == (-1, 11)
    # Root mean square of 1 and 7: 5.
    assert usual_range(same, [1.0, 7.0] * 5) == pytest.approx((-10, 20))


def test_seven_periods_have_no_usual_range():
    assert usual_range([1, 2, 3, 4, 5, 6, 7]) is None
    assert usual_range([]) is None
    assert usual_range([1, 2, 3, 4, 5, 6, 7, 8]) is not None


def test_about_three_in_a_thousand_steady_periods_are_unusual():
    generator = np.random.Generator(np.random.PCG64(6))
    runs = generator.normal(0, 1, (2000, 101))
    outside = 0
    for run in runs:
        low, high = usual_range(run[:100])
        outside += not low <= run[100] <= high
    # 0.27 % under known limits; limits from 100 periods are a little off, which adds some: below 0.4 %, 8 in 2000,
    # and at most four standard deviations more.
    assert outside <= 8 + 4 * math.sqrt(8)


def test_bad_periods_are_refused():
    with pytest.raises(DataError, match="values must be finite numbers"):
        usual_range([1, math.nan])
    with pytest.raises(DataError, match="errors must not be below 0; found -1"):
        usual_range([1], [-1])
    with pytest.raises(DataError, match="values and errors must be as long as each other; found 1 and 2"):
        usual_range([1], [1, 2])


def test_findings_among_many_are_those_worked_by_hand():
    # Benjamini and Hochberg (1995), section 3.2: of these 15, four pass at 5 %.
    values = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
    ]  # fmt: skip
    assert discoveries(values).tolist() == [True] * 4 + [False] * 11


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.sampled_from([0.01, 0.05, 0.2]))
def test_findings_are_those_of_statsmodels(values, rate):
    assert discoveries(values, rate).tolist() == multipletests(values, rate, method="fdr_bh")[0].tolist()


def test_of_nothing_there_are_no_findings():
    assert discoveries([]).tolist() == []


def test_bad_p_values_are_refused():
    with pytest.raises(DataError, match=r"between 0 and 1; found 0\.1 to 1\.5"):
        discoveries([0.1, 1.5])
    with pytest.raises(DataError, match="p-values must be finite numbers"):
        discoveries([math.nan])
    with pytest.raises(DataError, match="false findings lies between 0 and 1; found 0"):
        discoveries([0.1], 0)
