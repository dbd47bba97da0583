"""The net promoter score: worked numbers, and what always holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.errors import DataError
from cxsim.metrics.intervals import net_promoter

Z = 1.959963984540054
answers = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300)).filter(any)


def test_the_adjusted_score_is_that_worked_by_hand():
    estimate = net_promoter(25, 15, 10)
    # (25.75 - 10.75) / 53 = 0.283019 in the middle; the value is still the score.
    assert estimate.value == 30
    assert (estimate.low, estimate.high) == pytest.approx((7.2995, 49.3043), abs=5e-5)
    assert (estimate.low + estimate.high) / 2 == pytest.approx(28.3019, abs=5e-5)
    assert (estimate.high - estimate.low) / 2 / Z == pytest.approx(10.7157, abs=5e-5)


def test_five_answers_do_not_leave_the_scale():
    # Without the adjustment the upper end would be 115.06.
    estimate = net_promoter(4, 1, 0)
    assert estimate.value == 80
    assert (estimate.low, estimate.high) == pytest.approx((4.1655, 95.8345), abs=5e-5)
    assert (estimate.low + estimate.high) / 2 == pytest.approx(50)
    assert estimate.caution == "indicative: 5 units"


@given(answers)
def test_the_interval_holds_the_score_within_its_scale(three):
    estimate = net_promoter(*three)
    assert -100 <= estimate.low <= estimate.value <= estimate.high <= 100


@given(answers)
def test_detractors_mirror_promoters(three):
    one, other = net_promoter(*three), net_promoter(*three[::-1])
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-9)


@given(answers, st.floats(0.5, 0.98))
def test_a_higher_level_is_never_narrower(three, level):
    narrow, wide = net_promoter(*three, level=level), net_promoter(*three, level=level + 0.01)
    assert wide.low <= narrow.low
    assert wide.high >= narrow.high


def test_an_adjusted_interval_that_leaves_the_scale_is_cut():
    estimate = net_promoter(100, 0, 0)
    assert (estimate.high, estimate.caution) == (100, "clipped at 100")


def test_nobody_has_no_score():
    estimate = net_promoter(0, 0, 0)
    assert (estimate.value, estimate.low, estimate.high, estimate.caution) == (None, None, None, "nobody")


def test_negative_numbers_are_refused():
    with pytest.raises(DataError, match="must not be negative; found 1, -1 and 0"):
        net_promoter(1, -1, 0)
