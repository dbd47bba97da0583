"""Rates of events, limits of charts, shrunk cells, findings among many, value by age: worked numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.rates import confint_poisson

from cxsim.errors import DataError
from cxsim.intervals import (
    BetaPrior,
    discoveries,
    fitted_prior,
    garwood,
    p_limits,
    partitioned,
    shrunk,
    smoothed_range,
    usual_range,
)


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


def test_the_limits_of_a_share_are_those_worked_by_hand():
    # The deviation is the root of 0.2 * 0.8 / 50, three times that to each side.
    assert p_limits(0.2, 50) == pytest.approx((0.030294, 0.369706), abs=5e-7)
    assert p_limits(0.01, 50)[0] == 0
    assert p_limits(0.99, 50)[1] == 1


def test_impossible_shares_are_refused():
    with pytest.raises(DataError, match=r"found 1\.2 over 50"):
        p_limits(1.2, 50)
    with pytest.raises(DataError, match=r"found 0\.2 over 0"):
        p_limits(0.2, 0)


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
    assert smoothed_range([1] * 7) is None
    assert usual_range([1, 2, 3, 4, 5, 6, 7, 8]) is not None


def test_the_smoothed_value_is_that_worked_by_hand():
    # From 11 on: 10.5, 11.25, 10.625, 11.3125, 10.65625, 11.328125, 10.6640625, 11.33203125.
    now, low, high = smoothed_range([10, 12] * 4, weight=0.5)
    assert now == pytest.approx(11.33203125)
    # Three sigmas of 2 * sqrt(pi) / 2, and weight / (2 - weight) = 1/3, less what eight periods have not seen.
    half = 3 * math.sqrt(math.pi) * math.sqrt((1 - 0.5**16) / 3)
    assert (low, high) == pytest.approx((11 - half, 11 + half))


def test_with_all_weight_on_the_last_value_the_smoothed_range_is_the_usual_one():
    values = [3, 5, 4, 6, 5, 7, 4, 5]
    assert smoothed_range(values, weight=1) == pytest.approx((5, *usual_range(values)))


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
    with pytest.raises(DataError, match="above 0 and is at most 1; found 0"):
        smoothed_range([1], weight=0)


def test_a_shrunk_share_is_that_worked_by_hand():
    estimate = shrunk(3, 5, BetaPrior(alpha=2, beta=8))
    # (2 + 3) / (10 + 5), against 3 / 5 as it is.
    assert estimate.value == pytest.approx(1 / 3)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(stats.beta(5, 10).ppf([0.025, 0.975])))
    assert estimate.caution == "shrunk; indicative: 5 units"


def test_an_empty_cell_is_its_prior():
    assert shrunk(0, 0, BetaPrior(alpha=2, beta=8)).value == pytest.approx(0.2)


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0.1, 50), st.floats(0.1, 50))
def test_a_shrunk_share_lies_between_raw_share_and_prior(successes, failures, alpha, beta):
    estimate = shrunk(successes, successes + failures, BetaPrior(alpha=alpha, beta=beta))
    prior = alpha / (alpha + beta)
    raw = successes / (successes + failures) if successes + failures else prior
    assert min(raw, prior) - 1e-12 <= estimate.value <= max(raw, prior) + 1e-12
    assert 0 <= estimate.low <= estimate.high <= 1


def test_the_prior_of_two_cells_is_that_worked_by_hand():
    # 2 of 10 and 6 of 10: mean 0.4, spread 10 * 0.04 * 2 = 0.8, chance 0.24; room 20 - 200 / 20 - 1 = 9.
    # tau^2 = (0.8 - 0.24) / 9 = 0.0622; worth 0.24 / 0.0622 - 1 = 2.857: alpha 1.142857, beta 1.714286.
    prior = fitted_prior([2, 6], [10, 10])
    assert (prior.alpha, prior.beta) == pytest.approx((1.142857, 1.714286), abs=5e-7)


def test_the_prior_of_many_cells_is_found_again():
    generator = np.random.Generator(np.random.PCG64(8))
    shares, sizes = generator.beta(3, 7, 4000), generator.integers(1, 60, 4000)
    prior = fitted_prior(generator.binomial(sizes, shares), sizes)
    # Variance between cells 0.0191, known from 4000 cells to about 3 %: worth 10 to about 4 %, four times that.
    assert prior.alpha / (prior.alpha + prior.beta) == pytest.approx(0.3, abs=0.012)
    assert prior.alpha + prior.beta == pytest.approx(10, rel=0.16)


def test_cells_that_are_alike_are_worth_all_their_units():
    prior = fitted_prior([5, 5, 5, 0], [10, 10, 10, 0])
    assert (prior.alpha, prior.beta) == (15, 15)


def test_priors_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="above 0; found 0 and 1"):
        BetaPrior(alpha=0, beta=1)
    with pytest.raises(DataError, match="found 3 successes among 2 units in cell 2"):
        fitted_prior([1, 3], [2, 2])
    with pytest.raises(DataError, match="found 1 cells with 1 successes among 2 units"):
        fitted_prior([1], [2])
    with pytest.raises(DataError, match="all-or-nothing"):
        fitted_prior([20, 0], [20, 20])


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


def test_value_by_age_takes_each_age_over_those_who_reached_it():
    # January: 10 customers, 400, 60, 40; February: 20 customers, 900, 100, not yet. 1300/30 + 160/30 + 40/10.
    curve = partitioned([1300, 160, 40], [30, 30, 10])
    assert curve == pytest.approx([43.3333, 48.6667, 52.6667], abs=5e-5)
    # All value over all customers mixes ages.
    assert (500 + 1000) / 30 == 50
    # January alone.
    assert partitioned([400, 60, 40], [10, 10, 10])[-1] == 50


def test_the_curve_stops_where_too_few_have_come():
    assert partitioned([1300, 160, 40], [30, 30, 10], fewest=30) == pytest.approx([43.3333, 48.6667], abs=5e-5)
    assert partitioned([10, 0], [5, 0]).tolist() == [2]


def test_value_of_customers_who_come_back_from_nowhere_is_refused():
    with pytest.raises(DataError, match="at a later age; found 4 at age 1 after 3"):
        partitioned([1, 1], [3, 4])
    with pytest.raises(DataError, match="fewest must be at least 1; found 0"):
        partitioned([1], [3], fewest=0)
