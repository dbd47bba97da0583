"""Value and return within so many days of the first order, over customers who were watched so long."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from cxsim.cohorts import ltv, repeat_rate
from cxsim.errors import DataError
from cxsim.intervals import mean, wilson
from cxsim.shop import Shop


def _at(text):
    """A moment by the clock of the shop, without a zone."""
    return datetime.fromisoformat(text)


START, END = _at("2024-01-01"), _at("2024-03-31")
# As seen on 31 March, over the first quarter. Two of the six come from before it.
QUARTER = [
    ("c1", "2024-01-05"), ("c1", "2024-02-10"), ("c2", "2024-01-20"), ("c3", "2023-11-15"), ("c3", "2024-01-25"),
    ("c4", "2024-02-01"), ("c4", "2024-02-20"), ("c4", "2024-03-05"), ("c5", "2024-03-10"),
    ("c6", "2023-05-01"), ("c6", "2023-07-10"),
]  # fmt: skip
SEEN = {"c1": 1, "c2": 1, "c3": 3, "c4": 1, "c5": 1, "c6": 1}


def _shop(orders, *, since=START, until=END, **columns):
    table = pl.DataFrame(
        {
            "order_id": [str(number) for number in range(len(orders))],
            "customer_id": [customer for customer, _ in orders],
            "ordered_at": [_at(day) for _, day in orders],
            "amount": [10.0 * (number + 1) for number in range(len(orders))],
        }
    ).with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    return Shop(name="Toy", currency="USD", since=since, until=until, orders=table.lazy())


@pytest.fixture
def quarter():
    return _shop(QUARTER, order_number=[1, 2, 1, 1, 2, 1, 2, 3, 1, 1, 2])


def test_of_the_customers_won_in_the_quarter_those_who_are_old_enough_count(quarter):
    # c1 is 86 days old and came back after 36; c2 is 71 days old and did not; c4 (59) and c5 (21) are too young, and
    # c3 was won before.
    row = repeat_rate(quarter, (60,), least=1).row(0, named=True)
    assert (row["customers"], row["at_risk"], row["value"]) == (4, 2, 0.5)
    assert (row["low"], row["high"]) == (wilson(1, 2).low, wilson(1, 2).high)


def test_value_holds_the_first_order_and_all_within_the_days(quarter):
    # Amounts: c1 10 and 20 (day 36), c2 30, c4 60, 70 (day 19), 80 (day 33), c5 90 and watched for 21 days only.
    table = ltv(quarter, (30, 60, 90), least=1)
    assert table.select("days", "at_risk", "value").rows() == [
        (30, 3, pytest.approx((10 + 30 + 130) / 3)),
        (60, 2, 30.0),
        (90, 0, None),
    ]
    low, high = table.select("low", "high").row(0)
    t = mean([10.0, 30.0, 130.0])
    assert (low, high) == pytest.approx((t.low, t.high), rel=1e-9)


def test_an_order_after_exactly_so_many_days_is_too_late():
    shop = _shop([("a", "2024-01-01"), ("a", "2024-01-31")], order_number=[1, 2])
    assert repeat_rate(shop, (30, 31), least=1)["value"].to_list() == [0.0, 1.0]


def test_margin_is_a_share_where_costs_are_not_known(quarter):
    table = ltv(quarter, (60,), money="margin", margin_share=0.6, least=1)
    assert table.select("measure", "value").row(0) == ("margin", pytest.approx(18.0))


def test_too_few_customers_have_no_value(quarter):
    assert ltv(quarter)["value"].null_count() == 4
    assert repeat_rate(quarter)["days"].to_list() == [90, 180, 365]


def test_customers_who_may_be_old_ones_are_left_out_and_told():
    row = repeat_rate(_shop(QUARTER, until=_at("2024-05-01")), (10,), least=1, uncertain_days=40).row(0, named=True)
    # c4 of 1 February is seen 31 days after the start, and so are c1, c2 and c3 sooner; c5 comes after 69 days.
    assert row["customers"] == 1
    assert row["caution"] == "without 4 who are seen since 2024-01-01 alone and may be customers of before"


def test_what_cannot_be_done_is_refused(quarter):
    with pytest.raises(DataError, match="days: 0 is too short; lengths are at least 1"):
        ltv(quarter, (0,))
    with pytest.raises(DataError, match="money: 'profit' is not known; possible: revenue, margin"):
        ltv(quarter, money="profit")
    with pytest.raises(DataError, match="least is 0; it must be at least 1"):
        repeat_rate(quarter, least=0)
    with pytest.raises(DataError, match="the margin is not known"):
        ltv(quarter, money="margin")
