"""The net promoter score: worked numbers, and what always holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.errors import DataError
from cxsim.intervals import difference, net_promoter, net_promoter_change, net_promoter_error, net_promoter_wald

Z = 1.959963984540054
answers = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300)).filter(any)


def test_the_plain_score_is_that_worked_by_hand():
    estimate = net_promoter_wald(25, 15, 10)
    # (0.5 + 0.2 - 0.3**2) / 50 = 0.0122
    assert net_promoter_error(25, 15, 10) == pytest.approx(11.0454, abs=5e-5)
    assert estimate.value == 30
    assert (estimate.low, estimate.high) == pytest.approx((8.3515, 51.6485), abs=5e-5)
    # The same with 49 for 50.
    assert net_promoter_error(25, 15, 10) * (50 / 49) ** 0.5 == pytest.approx(11.1575, abs=5e-5)


def test_the_adjusted_score_is_that_worked_by_hand():
    estimate = net_promoter(25, 15, 10)
    # (25.75 - 10.75) / 53 = 0.283019 in the middle; the value is still the score.
    assert estimate.value == 30
    assert (estimate.low, estimate.high) == pytest.approx((7.2995, 49.3043), abs=5e-5)
    assert (estimate.low + estimate.high) / 2 == pytest.approx(28.3019, abs=5e-5)
    assert (estimate.high - estimate.low) / 2 / Z == pytest.approx(10.7157, abs=5e-5)


def test_five_answers_leave_the_scale_only_without_the_adjustment():
    assert net_promoter_wald(4, 1, 0).high == pytest.approx(115.06, abs=5e-3)
    estimate = net_promoter(4, 1, 0)
    assert estimate.value == 80
    assert (estimate.low, estimate.high) == pytest.approx((4.1655, 95.8345), abs=5e-5)
    assert (estimate.low + estimate.high) / 2 == pytest.approx(50)
    assert estimate.caution == "indicative: 5 units"


def test_twenty_points_more_among_fifty_answers_are_no_change():
    estimate = net_promoter_change((25, 15, 10), (40, 30, 30))
    assert estimate.value == 20
    assert (estimate.high - estimate.low) / 2 / Z == pytest.approx(13.8203, abs=5e-5)
    assert (estimate.low, estimate.high) == pytest.approx((-7.0872, 47.0872), abs=5e-5)


@given(answers)
def test_the_interval_holds_the_score_within_its_scale(three):
    estimate = net_promoter(*three)
    assert -100 <= estimate.low <= estimate.value <= estimate.high <= 100


@given(answers)
def test_detractors_mirror_promoters(three):
    for method in (net_promoter, net_promoter_wald):
        one, other = method(*three), method(*three[::-1])
        assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-9)


@given(answers, st.floats(0.5, 0.98))
def test_a_higher_level_is_never_narrower(three, level):
    for method in (net_promoter, net_promoter_wald):
        narrow, wide = method(*three, level=level), method(*three, level=level + 0.01)
        assert wide.low <= narrow.low
        assert wide.high >= narrow.high


@given(answers, answers)
def test_a_plain_change_is_a_difference_of_plain_scores(now, before):
    change = net_promoter_change(now, before)
    recovered = difference(net_promoter_wald(*now), net_promoter_wald(*before))
    assert (change.value, change.low, change.high) == pytest.approx(
        (recovered.value, recovered.low, recovered.high), abs=1e-6
    )


def test_an_adjusted_interval_that_leaves_the_scale_is_cut():
    estimate = net_promoter(100, 0, 0)
    assert (estimate.high, estimate.caution) == (100, "clipped at 100")


def test_nobody_has_no_score():
    for estimate in (net_promoter(0, 0, 0), net_promoter_wald(0, 0, 0), net_promoter_change((0, 0, 0), (1, 1, 1))):
        assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
        assert estimate.caution.startswith("nobody")
    with pytest.raises(DataError, match="once somebody answered; found nobody"):
        net_promoter_error(0, 0, 0)


def test_negative_numbers_are_refused():
    with pytest.raises(DataError, match="must not be negative; found 1, -1 and 0"):
        net_promoter(1, -1, 0)
