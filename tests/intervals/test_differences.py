"""Differences of two estimates: worked numbers, statsmodels, and what always holds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from cxsim.errors import DataError
from cxsim.metrics.intervals import Estimate, difference, wilson


def estimate(value, low, high, *, level=0.95, units=50, caution=""):
    return Estimate(value=value, low=low, high=high, units=units, method="any", level=level, caution=caution)


shares = st.integers(1, 300).flatmap(lambda units: st.tuples(st.integers(0, units), st.just(units)))


def test_newcombes_limits_are_those_worked_by_hand():
    found = difference(wilson(9, 30), wilson(4, 30))
    # Half of the sixth digit, to which the numbers are given.
    assert (found.value, found.low, found.high) == pytest.approx((0.166667, -0.044304, 0.362606), abs=5e-7)
    assert found.method == "Newcombe"


@given(shares, shares)
def test_newcombes_limits_are_those_of_statsmodels(one, other):
    theirs = confint_proportions_2indep(*one, *other, method="newcomb", compare="diff")
    found = difference(wilson(*one), wilson(*other))
    assert (found.low, found.high) == pytest.approx(theirs, abs=1e-9)


@given(shares, shares)
def test_the_interval_holds_the_difference_and_turns_round_with_it(one, other):
    found, localise = difference(wilson(*one), wilson(*other)), difference(wilson(*other), wilson(*one))
    assert found.low <= found.value <= found.high
    assert (localise.low, localise.high) == pytest.approx((-found.high, -found.low), abs=1e-12)


def test_two_normal_intervals_add_as_their_squares():
    # Half widths 3 and 4 make 5.
    found = difference(estimate(10, 7, 13), estimate(6, 2, 10))
    assert (found.value, found.low, found.high) == pytest.approx((4, -1, 9))


def test_a_correlation_takes_away_what_is_common():
    # 3 and 4 with correlation 0.5: sqrt(9 + 16 - 2 * 0.5 * 3 * 4) = sqrt(13).
    found = difference(estimate(10, 7, 13), estimate(6, 2, 10), correlation=0.5)
    assert (found.low, found.high) == pytest.approx((4 - math.sqrt(13), 4 + math.sqrt(13)))


def test_each_limit_rests_on_the_ends_that_look_away_from_each_other():
    # Low: 10 - 7 = 3 and 10 - 6 = 4, so 5; high: 22 - 10 = 12 and 6 - 1 = 5, so 13.
    found = difference(estimate(10, 7, 22), estimate(6, 1, 10))
    assert (found.low, found.high) == pytest.approx((4 - 5, 4 + 13))


def test_an_end_that_is_unknown_leaves_one_end_of_the_difference():
    found = difference(estimate(10, 7, None), estimate(6, 2, 10))
    assert (found.value, found.low, found.high) == (4, -1, None)
    localise = difference(estimate(6, 2, 10), estimate(10, 7, None))
    assert (localise.low, localise.high) == (None, 1)


def test_without_a_value_there_is_no_difference():
    found = difference(wilson(0, 0), wilson(3, 20))
    assert (found.value, found.low, found.high, found.units) == (None, None, None, 0)
    assert found.caution == "nobody; indicative: 20 units"


def test_two_levels_do_not_mix():
    with pytest.raises(DataError, match=r"at one level; found 0.95 and 0.9"):
        difference(estimate(1, 0, 2), estimate(1, 0, 2, level=0.9))


def test_a_correlation_beyond_1_is_refused():
    with pytest.raises(DataError, match=r"between -1 and 1; found 1.1"):
        difference(estimate(1, 0, 2), estimate(1, 0, 2), correlation=1.1)
