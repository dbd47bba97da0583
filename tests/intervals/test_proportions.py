"""Shares and their intervals: published and hand-computed numbers, scipy, and what always holds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from cxsim.errors import DataError
from cxsim.metrics.intervals import RatioSums, caution_for, clustered_wilson, wilson

shares = st.integers(1, 400).flatmap(lambda units: st.tuples(st.integers(0, units), st.just(units)))


@pytest.mark.parametrize(
    ("successes", "units", "low", "high"),
    [
        (3, 20, 0.052369, 0.360419),
        (0, 12, 0.0, 0.242494),
        (12, 12, 0.757506, 1.0),
        (4, 6, 0.299993, 0.903229),
        (2, 110, 0.005000, 0.063880),
        (9, 30, 0.166647, 0.478758),
        (4, 30, 0.053097, 0.296813),
    ],
)
def test_wilsons_limits_are_those_worked_by_hand(successes, units, low, high):
    estimate = wilson(successes, units)
    # Half of the sixth digit, to which the numbers are given.
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-7)
    assert estimate.value == successes / units


def test_the_lower_limit_is_not_negative_where_the_plain_one_is():
    # 0.15 - 1.96 * sqrt(0.15 * 0.85 / 20) = -0.0065
    assert 0.15 - 1.959963984540054 * math.sqrt(0.15 * 0.85 / 20) == pytest.approx(-0.0065, abs=5e-5)
    assert wilson(3, 20).low > 0


@given(shares, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilsons_limits_are_those_of_scipy(share, level):
    theirs = binomtest(*share).proportion_ci(level, method="wilson")
    estimate = wilson(*share, level=level)
    assert (estimate.low, estimate.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(shares)
def test_the_interval_holds_the_share_within_0_and_1(share):
    estimate = wilson(*share)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


@given(shares)
def test_failures_mirror_successes(share):
    successes, units = share
    one, other = wilson(successes, units), wilson(units - successes, units)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-12)


@given(shares, st.floats(0.5, 0.98), st.floats(0.001, 0.01))
def test_a_higher_level_is_never_narrower(share, level, more):
    narrow, wide = wilson(*share, level=level), wilson(*share, level=level + more)
    assert wide.low <= narrow.low
    assert wide.high >= narrow.high


def test_nobody_has_no_share():
    estimate = wilson(0, 0)
    assert (estimate.value, estimate.low, estimate.high, estimate.units) == (None, None, None, 0)
    assert estimate.caution == "nobody"


@pytest.mark.parametrize(
    ("units", "successes", "caution"),
    [
        (9, 8, "indicative: 9 units"),
        (1, None, "indicative: 1 unit"),
        (29, None, "indicative: 29 units"),
        (30, None, ""),
        (30, 5, ""),
        (30, 4, "indicative: 4 of 30 units"),
        (0, 0, "nobody"),
    ],
)
def test_a_small_sample_says_so(units, successes, caution):
    assert caution_for(units, successes) == caution


@pytest.mark.parametrize(("successes", "units"), [(4, 3), (-1, 3)])
def test_impossible_counts_are_refused(successes, units):
    with pytest.raises(DataError, match=f"between 0 and the number of units; found {successes} of {units}"):
        wilson(successes, units)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(DataError, match=f"lies between 0 and 1, as 0.95; found {level}"):
        wilson(1, 3, level=level)


def test_customers_who_all_answer_twice_alike_count_once():
    # 40 customers, 12 of them content, each asked twice: as 39 answers (K / (K - 1)), with Student's t for z.
    twice = RatioSums(units=40, x=24, n=80, xx=48, nn=160, xn=48)
    once = RatioSums(units=40, x=12, n=40, xx=12, nn=40, xn=12)
    assert clustered_wilson(twice).low == pytest.approx(clustered_wilson(once).low, rel=1e-12)
    assert clustered_wilson(twice).low < wilson(24, 80).low
    assert clustered_wilson(once).low == pytest.approx(wilson(12, 40).low, abs=0.01)


def test_a_share_of_answers_keeps_a_width_where_all_of_them_count():
    estimate = clustered_wilson(RatioSums(units=12, x=30, n=30, xx=90, nn=90, xn=90))
    # Twelve customers who agree say less than 12 independent answers, for which the limit is 0.7575.
    assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert 0.68 < estimate.low < 0.7575


def test_a_share_of_answers_without_answers_or_with_one_customer_says_why():
    nobody = clustered_wilson(RatioSums(units=0, x=0, n=0, xx=0, nn=0, xn=0))
    silent = clustered_wilson(RatioSums(units=40, x=0, n=0, xx=0, nn=0, xn=0))
    alone = clustered_wilson(RatioSums(units=1, x=1, n=2, xx=1, nn=4, xn=2))
    assert (nobody.value, nobody.caution) == (None, "nobody")
    assert (silent.value, silent.caution) == (None, "nothing to divide by")
    assert (alone.value, alone.low, alone.caution) == (0.5, None, "indicative: 1 unit")


def test_a_share_of_answers_above_1_is_refused():
    with pytest.raises(DataError, match="some of all; found 3 of 2"):
        clustered_wilson(RatioSums(units=2, x=3, n=2, xx=9, nn=4, xn=6))
