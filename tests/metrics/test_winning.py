"""What customers cost to win, against numbers that were reckoned by hand."""

from __future__ import annotations

import math

import polars as pl
import pytest

from cxsim.metrics.intervals import Estimate
from cxsim.metrics.views import payback
from tests.metrics.toys import measured, noon, orders, shop_of


def _marketing(amount: float) -> pl.DataFrame:
    return pl.DataFrame({"spent_at": [noon("2024-03-01"), noon("2024-03-20")], "amount": [amount / 2] * 2})


def _known(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value, units=100, method="given")


def test_the_cost_of_a_new_customer_is_spend_over_first_orders():
    bought = orders(*((f"c{n}", noon("2024-03-10"), 50.0) for n in range(30)), copies=1)
    found = measured(shop_of(orders=bought, marketing=_marketing(900.0)))
    assert found["cac"]["value"] == pytest.approx(30.0)
    # Garwood's limits of a count of 30: 20.2409 and 42.8269.
    assert (found["cac"]["low"], found["cac"]["high"]) == pytest.approx((900 / 42.8269, 900 / 20.2409), rel=1e-4)
    assert found["mer"]["value"] == pytest.approx(1500 / 900)


def test_without_spend_there_is_no_cost():
    bought = orders(*((f"c{n}", noon("2024-03-10"), 50.0) for n in range(30)), copies=1)
    found = measured(shop_of(orders=bought, marketing=_marketing(0.0)))
    assert found["cac"]["value"] is None
    assert found["cac"]["caution"] == "nothing was spent, or nobody came"


def test_payback_lies_on_the_straight_line_between_two_ages():
    # 24 after 30 days, 27.60 after 60, 30.60 after 90; 30 is reached 2.40 / 3.00 of the way from 60 to 90: on day 84.
    margins = {30: _known(24.0), 60: _known(27.6), 90: _known(30.6)}
    assert payback(_known(30.0), margins).value == pytest.approx(84 / (365.25 / 12))


def test_payback_within_the_first_thirty_days_starts_from_nothing():
    assert payback(_known(12.0), {30: _known(24.0)}).value == pytest.approx(15 / (365.25 / 12))


def test_what_is_not_paid_back_within_a_year_says_so():
    found = payback(_known(100.0), {days: _known(20.0) for days in (30, 60, 90, 180, 365)})
    assert (found.value, found.caution) == (None, "not paid back within a year")


def test_the_interval_of_payback_pairs_cheap_customers_with_high_margins():
    cost = Estimate(value=30.0, low=24.0, high=36.0, units=100, method="given")
    margins = {
        days: Estimate(value=m, low=m - 3, high=m + 3, units=100, method="given")
        for days, m in {30: 24.0, 60: 48.0}.items()
    }
    found = payback(cost, margins)
    month = 365.25 / 12
    # 24 of 27 in the first 30 days; 36 lies 15 / 24 of the way from 21 to 45.
    assert (found.low, found.high) == pytest.approx((30 * 24 / 27 / month, (30 + 30 * 15 / 24) / month))
    assert math.isfinite(found.value)
