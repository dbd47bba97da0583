from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose
from statsmodels.stats.power import NormalIndPower

from cxsim.errors import ParamError
from cxsim.finance.information import STANDARD, Asked, Groups, groups, smallest_difference

sds = st.floats(0.01, 1e4)
differences = st.floats(0.001, 1e3)
asked = st.builds(Asked, alpha=st.floats(0.01, 0.2), power=st.floats(0.5, 0.95), ratio=st.floats(0.25, 4.0))


# (z(0.975) + z(0.8)) x 2.54 x sqrt(2 / n) with 1.95996 + 0.84162 = 2.80158: shares of the mean that a year's margin of
# customers of the CDNOW kind, whose coefficient of variation is 2.54, can show. To three digits, as they are stated.
@pytest.mark.parametrize(("each", "share"), [(1_000, 0.318), (5_000, 0.142), (10_000, 0.101), (50_000, 0.0450)])
def test_the_smallest_gain_that_a_test_shows_is_known_for_such_a_shop(each, share):
    assert_allclose(smallest_difference(2.54, Groups(first=each, second=each)), share, rtol=5e-3)


# 2 x (2.80158 x 2.54 / 0.05)**2 = 40,510.4 and 2 x (2.80158 x 2.54 / 0.02)**2 = 253,190.
@pytest.mark.parametrize(("share", "each"), [(0.05, 40_511), (0.02, 253_190)])
def test_small_gains_need_tens_of_thousands_of_customers(share, each):
    assert groups(2.54, share) == Groups(first=each, second=each)


@given(sds, differences, asked)
def test_with_so_many_customers_statsmodels_finds_the_power_that_was_asked_for(sd, difference, wanted):
    needed = groups(sd, difference, wanted)

    def power(first, second):
        return NormalIndPower().power(difference / sd, first, wanted.alpha, ratio=second / first)

    assert power(needed.first, needed.second) >= wanted.power - 1e-9
    if min(needed.first, needed.second) > 2:
        # statsmodels counts the chance of seeing the difference on the wrong side too: at most that of a normal below
        # -2 x 1.2816, which is 0.0052, at alpha 0.2 and power 0.5.
        assert power(needed.first - 1, needed.second - 1) <= wanted.power + 0.0053


@given(sds, differences, asked)
def test_the_smallest_difference_of_the_groups_needed_is_the_one_asked_for(sd, difference, wanted):
    needed = groups(sd, difference, wanted)
    seen = smallest_difference(sd, needed, wanted)
    # Rounding up adds customers, so that a little less can be seen, never more.
    assert seen <= difference * (1.0 + 1e-9)
    fewer = Groups(first=max(1, needed.first - 1), second=max(1, needed.second - 1))
    assert needed.first <= 2 or needed.second <= 2 or smallest_difference(sd, fewer, wanted) >= difference * (1 - 1e-9)


def test_an_uneven_test_needs_more_customers_in_all():
    even, uneven = groups(10.0, 1.0), groups(10.0, 1.0, Asked(ratio=0.25))
    # 2 x 2.80158**2 x 100 = 1,569.8 each; with a quarter, (1 + 4) x 784.9 = 3,924.4 and a quarter of it, 981.1.
    assert even == Groups(first=1_570, second=1_570)
    assert uneven == Groups(first=3_925, second=982)


def test_customers_who_are_all_alike_need_no_more_than_two_each():
    assert groups(0.0, 1.0) == Groups(first=2, second=2)


def test_the_sign_of_the_difference_does_not_matter():
    assert groups(2.0, -0.5) == groups(2.0, 0.5)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Asked(alpha=0.0), "0 < alpha < power < 1; found alpha 0, power 0.8"),
        (lambda: Asked(alpha=0.5, power=0.5), "0 < alpha < power < 1; found alpha 0.5, power 0.5"),
        (lambda: Asked(power=1.0), "found alpha 0.05, power 1"),
        (lambda: Asked(ratio=0.0), "ratio must be a finite number above 0; found 0"),
        (lambda: groups(-1.0, 1.0), "sd must be a finite number of 0 or more; found -1"),
        (lambda: groups(math.inf, 1.0), "sd must be a finite number of 0 or more; found inf"),
        (lambda: groups(1.0, 0.0), "difference must be a finite number other than 0; found 0"),
        (lambda: smallest_difference(1.0, Groups(first=0, second=5)), "a customer or more; found 0 and 5"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask, message):
    with pytest.raises(ParamError, match=message):
        ask()


def test_the_usual_test_is_at_five_percent_with_four_chances_in_five():
    assert (STANDARD.alpha, STANDARD.power, STANDARD.ratio) == (0.05, 0.8, 1.0)
