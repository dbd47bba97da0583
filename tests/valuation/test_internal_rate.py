"""There may be one internal rate, several or none; only one is told as a number."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxsim.errors import ParamError
from cxsim.finance.returns import internal_rate, modified_internal_rate

YEAR = 365.25
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def _yearly(*amounts):
    return np.array(amounts, float), np.arange(len(amounts)) * YEAR


def _found(*amounts):
    return internal_rate(*_yearly(*amounts))


# The root is found to 1e-14 in ln(1 + rate), and the sum of a few terms keeps as much.
def test_money_that_comes_back_with_a_tenth_more_earns_ten_percent():
    found = _found(-100.0, 110.0)
    assert found.rate == pytest.approx(0.10, abs=1e-12)
    assert found.remark == "one rate"


def test_days_are_counted_in_years_of_365_and_a_quarter():
    # 21 % in 2 * 365.25 days is 10 % in one year.
    found = internal_rate(np.array([121.0, -100.0]), np.array([730.5, 0.0]))
    assert found.rate == pytest.approx(0.10, abs=1e-12)


def test_a_published_case_is_met_to_its_printed_digits():
    # Microsoft's example of IRR, printed as 8.7 % after five years and -2.1 % after four.
    assert _found(-70e3, 12e3, 15e3, 18e3, 21e3, 26e3).rate == pytest.approx(0.087, abs=5e-4)
    assert _found(-70e3, 12e3, 15e3, 18e3, 21e3).rate == pytest.approx(-0.021, abs=5e-4)


def test_a_loss_earns_a_negative_rate():
    assert _found(-100.0, 50.0).rate == pytest.approx(-0.5, abs=1e-12)


def test_two_rates_are_no_rate():
    # -100 (1 + r)^2 + 230 (1 + r) - 132 = -100 (r - 0.1) (r - 0.2)
    found = _found(-100.0, 230.0, -132.0)
    assert found.rate is None
    assert found.remark == f"several rates possible: 10.0{NBSP}% and 20.0{NBSP}%"


def test_three_rates_are_all_sentence():
    # With v = 1 + r: -100 (v - 1.1) (v - 1.2) (v - 1.3) = -100 v^3 + 360 v^2 - 431 v + 171.6
    found = _found(-100.0, 360.0, -431.0, 171.6)
    assert found.remark == f"several rates possible: 10.0{NBSP}%, 20.0{NBSP}% and 30.0{NBSP}%"


def test_two_rates_between_two_steps_of_the_search_are_seen():
    # -1e6 (v - 1.104) (v - 1.106): the ratio of the roots is 1.002, that of two steps of the search is 1.009.
    found = _found(-1e6, 2.21e6, -1.104 * 1.106 * 1e6)
    assert found.rate is None
    assert found.remark == f"several rates possible: 10.4{NBSP}% and 10.6{NBSP}%"


def test_a_rate_that_is_only_touched_separates_nothing():
    found = _found(-100.0, 220.0, -121.0)  # -100 (r - 0.1)^2
    assert found.rate is None
    assert found.remark == "no single rate: the present value touches zero without crossing it"


@pytest.mark.parametrize(("sign", "side"), [(1.0, "above"), (-1.0, "below")])
def test_no_rate_is_sentence_with_the_side_of_zero(sign, side):
    # 100 v^2 - 200 v + 150 has the discriminant 40,000 - 60,000 < 0.
    found = _found(sign * 100.0, sign * -200.0, sign * 150.0)
    assert found.rate is None
    assert found.remark == f"no rate: the present value is {side} zero at every rate"


def test_one_rate_in_spite_of_several_changes_of_sign_says_so():
    # v^2 + 1 is never zero: -(v - 1.1)(v^2 + 1) = -v^3 + 1.1 v^2 - v + 1.1
    found = _found(-1e3, 1.1e3, -1e3, 1.1e3)
    assert found.rate == pytest.approx(0.10, abs=1e-12)
    assert found.remark == "one rate, although cash changes its sign 3 times"


def test_a_loan_is_sentence_from_an_investment():
    found = _found(100.0, -110.0)
    assert found.rate == pytest.approx(0.10, abs=1e-12)
    assert found.remark.startswith("one rate, of a loan: money comes in first")


@pytest.mark.parametrize(
    ("amounts", "remark"),
    [
        ((1.0, 0.0, 2.0), "no outflow"),
        ((-1.0, -2.0), "no inflow: nothing comes back, at any rate"),
        ((0.0, 0.0), "no cash flows"),
        ((), "no cash flows"),
        ((-1.0, 1e5), f"more than 1,000,000{NBSP}% a year"),
        ((-1.0, 9e-5), f"below {MINUS}99.99{NBSP}% a year"),
        ((1.0, -1e5), f"more than 1,000,000{NBSP}% a year"),
    ],
)
def test_why_there_is_no_rate_is_said_in_plain_words(amounts, remark):
    found = _found(*amounts)
    assert found.rate is None
    assert found.remark.startswith(remark)


def test_a_rate_of_nothing_has_no_sign():
    # -(v - 1) (v - 1.2) * 100 = -100 v^2 + 220 v - 120
    assert _found(-100.0, 220.0, -120.0).remark == f"several rates possible: 0.0{NBSP}% and 20.0{NBSP}%"


def test_amounts_of_the_same_day_are_one_amount():
    found = internal_rate(np.array([-300.0, 200.0, 110.0]), np.array([0.0, 0.0, YEAR]))
    assert found.rate == pytest.approx(0.10, abs=1e-12)
    assert found.remark == "one rate"


def test_less_than_a_millionth_is_no_change_of_sign():
    found = _found(-100.0, 1e-9, -1e-9, 121.0)
    assert found.remark == "one rate"


# Two changes of sign at 1,000,000 % and beyond: one rate inside, one outside the search.
def test_a_rate_beyond_the_search_still_makes_another_one_ambiguous():
    # -(v - 1.1)(v - 20,000) = -v^2 + 20,001.1 v - 22,000
    found = _found(-1.0, 20_001.1, -22_000.0)
    assert found.rate is None
    assert found.remark == f"several rates possible: 10.0{NBSP}% and others"


@given(
    cost=st.floats(1.0, 1e6),
    gains=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40),
    step=st.floats(1.0, 400.0),
)
def test_an_investment_has_one_rate_at_which_it_is_worth_nothing(cost, gains, step):
    amounts, days = np.array([-cost, *gains]), np.arange(len(gains) + 1) * step
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = internal_rate(amounts, days)
    if found.rate is None:
        assert found.remark.startswith(("more than", "below", "no inflow"))
        return
    discounted = amounts * (1.0 + found.rate) ** (-days / YEAR)
    # A relative error of 1e-14 * 40 years of days at most, in the sum of 41 terms.
    assert abs(discounted.sum()) <= 1e-10 * np.abs(discounted).sum()


def test_a_search_never_warns_even_over_forty_years():
    luck = np.random.default_rng(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = internal_rate(luck.normal(size=480), np.arange(480) * 30.4)
    assert found.remark


# Microsoft's example of MIRR: 120,000 borrowed at 10 %, income invested at 12 % or 14 %, printed in whole percents:
# 13 % after five years, -5 % after three, 13 % at 14 %. The formula gives 12.61 %, -4.80 % and 13.48 %.
@pytest.mark.parametrize(("years", "reinvested", "printed"), [(5, 0.12, 0.1261), (3, 0.12, -0.0480), (5, 0.14, 0.1348)])
def test_a_published_modified_rate_is_met(years, reinvested, printed):
    amounts, days = _yearly(*(-120e3, 39e3, 30e3, 21e3, 37e3, 46e3)[: years + 1])
    found = modified_internal_rate(amounts, days, finance_rate=0.10, reinvestment_rate=reinvested)
    assert found == pytest.approx(printed, abs=5e-5)


def test_the_modified_rate_exists_where_the_internal_rate_does_not():
    # Cost today: 100 + 132 / 1.21 = 209.0909; income at the end: 230 * 1.1 = 253; root of 253 / 209.0909 is 1.1.
    amounts, days = _yearly(-100.0, 230.0, -132.0)
    found = modified_internal_rate(amounts, days, finance_rate=0.10, reinvestment_rate=0.10)
    assert found == pytest.approx(0.10, abs=1e-12)


@pytest.mark.parametrize("amounts", [(1.0, 2.0), (-1.0, -2.0), (0.0, 0.0), ()])
def test_without_cost_or_income_there_is_no_modified_rate(amounts):
    assert modified_internal_rate(*_yearly(*amounts), finance_rate=0.1, reinvestment_rate=0.1) is None


def test_within_one_day_there_is_no_modified_rate():
    amounts, days = np.array([-1.0, 2.0]), np.array([3.0, 3.0])
    assert modified_internal_rate(amounts, days, finance_rate=0.1, reinvestment_rate=0.1) is None


def test_amounts_without_their_days_are_refused():
    with pytest.raises(ParamError, match=r"same length; found \(2,\) and \(1,\)"):
        internal_rate(np.array([-1.0, 2.0]), np.array([0.0]))


def test_an_amount_that_is_no_number_is_refused():
    with pytest.raises(ParamError, match="must be finite numbers"):
        internal_rate(np.array([-1.0, np.nan]), np.array([0.0, 1.0]))


@pytest.mark.parametrize("name", ["finance_rate", "reinvestment_rate"])
def test_a_modified_rate_needs_rates_above_minus_one(name):
    rates = {"finance_rate": 0.1, "reinvestment_rate": 0.1} | {name: -1.0}
    with pytest.raises(ParamError, match=f"{name}: found -1.0; it must be a finite number above -1"):
        modified_internal_rate(*_yearly(-1.0, 2.0), **rates)
