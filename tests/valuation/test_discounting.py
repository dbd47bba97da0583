"""Present values of yearly amounts agree with two printed business cases, and with sums done by hand."""

from __future__ import annotations

import math

import pytest

from cxsim.errors import ParamError
from cxsim.valuation import period_rate, present_value


# Benefits and costs of a published total-economic-impact study, printed in whole dollars: hence exact to the unit.
# The printed table has 6,675,324 for the second, which is cut off, not rounded: the sum is 6,675,324.66.
@pytest.mark.parametrize(
    ("amounts", "printed"),
    [((0.0, 4_224_000.0, 8_719_488.0), 10_041_989), ((1_563_513.0, 3_260_364.0, 3_406_606.0), 6_675_325)],
)
def test_published_present_values_agree_to_the_dollar(amounts, printed):
    assert round(present_value(amounts, 0.10)) == printed


# 1,000 at 21 % in the first year: 1,000 / 1.21, / 1.1 (the root of 1.21) and / 1. Double precision keeps 15 digits.
@pytest.mark.parametrize(("timing", "worth"), [("start", 1_000.0), ("mid", 1_000.0 / 1.1), ("end", 1_000.0 / 1.21)])
def test_timing_says_when_in_its_year_an_amount_flows(timing, worth):
    assert present_value([1_000.0], 0.21, timing=timing) == pytest.approx(worth, rel=1e-14)


def test_an_initial_amount_is_not_discounted():
    # -500 + 605 / 1.1 ** 2 = 0
    assert present_value([0.0, 605.0], 0.10, initial=-500.0) == pytest.approx(0.0, abs=1e-12)


def test_without_time_value_amounts_are_added_up():
    assert present_value([1.0, 2.0, 4.0], 0.0, initial=8.0) == 15.0


def test_nothing_later_leaves_the_initial_amount():
    assert present_value([], 0.10, initial=-7.0) == -7.0


def test_twelve_monthly_rates_compound_to_the_annual_rate():
    assert (1.0 + period_rate(0.10)) ** 12 == pytest.approx(1.10, rel=1e-14)


def test_the_monthly_rate_is_less_than_a_twelfth():
    # exp(ln(1.1) / 12) - 1, to the ten digits of a printed table
    assert period_rate(0.10) == pytest.approx(0.0079741404, abs=5e-11)
    assert period_rate(0.10) < 0.10 / 12


def test_a_rate_for_the_whole_year_is_itself():
    assert period_rate(0.10, per_year=1) == pytest.approx(0.10, rel=1e-15)


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf])
def test_a_rate_that_makes_money_vanish_is_refused(rate):
    with pytest.raises(ParamError, match=r"annual_rate: found .*; it must be a finite number above -1"):
        present_value([1.0], rate)
    with pytest.raises(ParamError, match="annual_rate: found"):
        period_rate(rate)


def test_an_unknown_timing_is_refused():
    with pytest.raises(ParamError, match="timing: no 'ends'; did you mean 'end'"):
        present_value([1.0], 0.1, timing="ends")


def test_a_year_of_no_periods_is_refused():
    with pytest.raises(ParamError, match="per_year: found 0; a year has at least 1 period"):
        period_rate(0.1, per_year=0)
