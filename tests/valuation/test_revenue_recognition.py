"""Revenue from points and fees against cases that others have printed, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as some
from numpy.testing import assert_allclose

from cxsim.errors import ParamError
from cxsim.finance.economics import allocate, by_period, recognised, stand_alone_price, straight_line


def test_a_ticket_with_points_is_taken_apart_by_relative_stand_alone_prices():
    # 2,000 points at 0.012, of which 80 % are redeemed: 2,000 * 0.012 * 0.80 = 19.20.
    points = stand_alone_price(2_000, 0.012, 0.80)
    assert_allclose(points, 19.20, rtol=1e-12)
    # 800 * 800 / 819.20 = 781.25, 800 * 19.20 / 819.20 = 18.75, both exactly.
    ticket = allocate(800.0, goods=800.0, points=points)
    assert_allclose([ticket.goods, ticket.points], [781.25, 18.75], rtol=1e-12)


def test_goods_of_two_thousand_with_points_of_one_hundred_and_seventy():
    # 2,000 * 2,000 / 2,170 = 1,843.32 and 2,000 * 170 / 2,170 = 156.68; printed in whole units.
    sale = allocate(2_000.0, goods=2_000.0, points=170.0)
    assert (round(float(sale.goods)), round(float(sale.points))) == (1_843, 157)
    assert_allclose([sale.goods, sale.points], [1_843.3180, 156.6820], atol=5e-5)


def test_a_higher_estimate_of_redemption_is_caught_up_in_the_year_in_which_it_is_made():
    # KPMG, Revenue: IFRS 15 handbook, example 10A. Year 2: 9,000 * 4,500 / 9,700 = 4,175.26.
    # Year 3: 9,000 * (4,500 + 4,000) / 9,900 = 7,727.27, less 4,175.26 is 3,552.02. Printed in whole units.
    years = by_period(recognised(9_000.0, [4_500, 8_500], [9_700, 9_900]))
    assert [round(float(year)) for year in years] == [4_175, 3_552]


def test_a_lower_estimate_of_redemption_is_caught_up_in_the_year_in_which_it_is_made():
    # The same, example 10B. Year 3: 9,000 * 8,500 / 9,200 = 8,315.22, less 4,175.26 is 4,139.96.
    years = by_period(recognised(9_000.0, [4_500, 8_500], [9_700, 9_200]))
    assert [round(float(year)) for year in years] == [4_175, 4_140]


def test_the_example_of_the_standard_itself():
    # IFRS 15, illustrative example 52: goods of 100,000 with 10,000 points at 1, of which 95 % are expected to be
    # redeemed. 100,000 * 100,000 / 109,500 = 91,324 and 100,000 * 9,500 / 109,500 = 8,676.
    sale = allocate(100_000.0, goods=100_000.0, points=stand_alone_price(10_000, 1.0, 0.95))
    assert (round(float(sale.goods)), round(float(sale.points))) == (91_324, 8_676)
    # 8,676 * 4,500 / 9,500 = 4,110; then 8,676 * 8,500 / 9,700 - 4,110 = 3,493. The liability left is 1,073.
    years = by_period(recognised(sale.points, [4_500, 8_500], [9_500, 9_700]))
    assert [round(float(year)) for year in years] == [4_110, 3_493]
    assert round(float(sale.points - years.sum())) == 1_073


def test_where_no_points_are_given_all_of_the_price_is_revenue_at_once():
    sale = allocate(80.0, goods=80.0, points=stand_alone_price(0, 0.04, 0.9))
    assert (float(sale.goods), float(sale.points)) == (80.0, 0.0)


def test_where_nothing_is_sold_nothing_is_allocated():
    nothing = allocate(0.0, goods=0.0, points=0.0)
    assert (float(nothing.goods), float(nothing.points)) == (0.0, 0.0)


def test_before_anything_is_redeemed_nothing_is_recognised():
    assert recognised(18.75, 0, 1_600).item() == 0.0


def test_when_nobody_will_redeem_any_more_all_of_it_is_revenue():
    assert recognised(18.75, 0, 0).item() == 18.75


def test_redemption_above_expectation_asks_for_a_new_estimate():
    with pytest.raises(ParamError) as refused:
        recognised(9_000.0, [4_500, 9_900], [9_700, 9_700])
    assert str(refused.value) == (
        "redeemed: 9,900 points were redeemed, but 9,700 were expected ever to be; estimate again, from this date on "
        "at least what was redeemed."
    )


def test_a_negative_number_is_refused_by_its_name():
    with pytest.raises(ParamError, match=r"^price must be 0 or more; found -1\.$"):
        allocate(-1.0, goods=1.0, points=1.0)
    with pytest.raises(ParamError, match=r"^points must be 0 or more; found -2\.$"):
        stand_alone_price(-2, 1.0, 1.0)


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ParamError, match=r"^allocated must be 0 or more; found nan\.$"):
        recognised(np.nan, 1, 1)


def test_more_than_all_points_cannot_be_expected_back():
    with pytest.raises(ParamError, match=r"^redemption must be a share from 0 to 1; found 1\.2\.$"):
        stand_alone_price(100, 1.0, [0.5, 1.2])


def test_a_fee_is_earned_day_by_day_and_never_more_than_once():
    # 36.50 for 365 days is 0.10 a day.
    earned = straight_line(36.50, elapsed_days=[-10, 0, 1, 100, 365, 500], period_days=365)
    assert_allclose(earned, [0.0, 0.0, 0.10, 10.0, 36.50, 36.50], rtol=1e-12)


def test_a_period_of_nothing_is_refused():
    with pytest.raises(ParamError, match=r"^period_days must be above 0; found 0\.$"):
        straight_line(19.0, elapsed_days=1, period_days=0)


_AMOUNTS = some.floats(min_value=0.0, max_value=1e9)


@given(price=_AMOUNTS, goods=_AMOUNTS, points=_AMOUNTS)
def test_a_price_taken_apart_adds_up_to_itself(price, goods, points):
    parts = allocate(price, goods=goods, points=points)
    # To the last bits of the larger number: one division, one product and one difference.
    assert_allclose(parts.goods + parts.points, price, rtol=1e-14)
    assert 0.0 <= float(parts.points) <= price * (1.0 + 1e-15)


@given(
    issued=some.integers(1, 10_000),
    first=some.floats(0.0, 1.0),
    shares=some.lists(some.floats(0.0, 1.0), min_size=2, max_size=6),
)
def test_whatever_the_estimates_on_the_way_all_of_the_price_is_revenue_in_the_end(issued, first, shares):
    redeemed = np.cumsum([first, *shares])
    redeemed *= issued / max(redeemed[-1], 1e-12)
    expected = np.maximum(redeemed, first * issued)
    expected[-1] = redeemed[-1]
    assert_allclose(by_period(recognised(100.0, redeemed, expected)).sum(), 100.0, rtol=1e-12)
