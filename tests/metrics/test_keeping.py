"""The metrics of keeping and of the value of customers against tables that were reckoned by hand."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from cxsim.metrics.views import WINDOWS
from tests.metrics.toys import JANUARY, measured, noon, orders, shop_of


def _lives(days: int) -> pl.DataFrame:
    """Ten customers whose days end on 10 March: four order again before it, one on the first day, one too late."""
    first = noon("2024-03-10", -days)
    rows = [(f"c{n}", first, 20.0) for n in range(10)]
    rows += [(f"c{n}", first + timedelta(days=days - 3), 10.0) for n in range(4)]
    rows.append(("c4", first + timedelta(hours=2), 5.0))
    rows.append(("c5", first + timedelta(days=days), 100.0))
    return orders(*rows, copies=1)


@pytest.mark.parametrize("days", [90, 180, 365])
def test_a_repeat_rate_counts_later_days_within_its_time(days):
    found = measured(shop_of(orders=_lives(days)))[f"repeat_{days}"]
    assert (found["value"], found["units"]) == (4 / 10, 10)


@pytest.mark.parametrize("days", WINDOWS)
def test_the_value_of_a_customer_holds_the_first_order_and_ends_with_its_time(days):
    # 10 * 20 + 4 * 10 + 5 = 245, over ten.
    assert measured(shop_of(orders=_lives(days)))[f"ltv_{days}"]["value"] == pytest.approx(24.5)


@pytest.mark.parametrize("days", WINDOWS)
def test_the_contribution_of_a_customer_is_the_value_less_the_cost(days):
    costly = _lives(days).with_columns(cost=0.6 * pl.col("amount"))
    # 40 % of 24.5, with each cost in whole cents.
    assert measured(shop_of(orders=costly))[f"margin_{days}"]["value"] == pytest.approx(9.8)


def test_orders_in_the_first_year_hold_the_first_one():
    # 10 first orders, 4 later ones, 1 the same day: 15 over ten.
    assert measured(shop_of(orders=_lives(365)))["orders_per_year"]["value"] == pytest.approx(1.5)


def test_customers_whose_time_is_not_over_are_not_looked_at_yet():
    young = orders(*((f"c{n}", noon("2024-03-10"), 20.0) for n in range(10)), copies=1)
    found = measured(shop_of(orders=young))
    assert found["new_customers"]["value"] == 10.0
    assert found["repeat_90"]["value"] is None


def test_where_orders_are_numbered_old_customers_are_not_taken_for_new():
    numbered = _lives(90).with_columns(
        order_number=pl.when(pl.col("customer_id").is_in([f"c{n}~0" for n in range(5, 10)])).then(7).otherwise(1)
    )
    assert measured(shop_of(orders=numbered))["repeat_90"]["units"] == 5


def test_retention_and_churn_are_complements_over_the_same_customers():
    # The quarter from 4 October to 1 January, then the 90 days to the end of March. Twelve ordered in the first, three
    # of them in the second too; one new customer is in neither count.
    rows = [(f"c{n}", noon("2023-11-05"), 10.0) for n in range(12)]
    rows += [(f"c{n}", noon("2024-02-05"), 10.0) for n in range(3)]
    rows.append(("new", noon("2024-02-05"), 10.0))
    found = measured(shop_of(orders=orders(*rows, copies=1)))
    assert (found["retention_90"]["value"], found["churn_90"]["value"]) == (3 / 12, 9 / 12)
    assert found["retention_90"]["units"] == 12


@pytest.mark.parametrize(
    ("day", "counted"),
    [("2023-10-04", 1), ("2023-10-03", 0), ("2024-01-01", 1), ("2024-01-02", 0)],
)
def test_the_first_quarter_of_retention_ends_ninety_days_before_the_period_does(day, counted):
    rows = [(f"c{n}", noon("2023-11-05"), 10.0) for n in range(12)]
    found = measured(shop_of(orders=orders(*rows, ("edge", noon(day), 1.0), copies=1)))
    assert found["retention_90"]["units"] == 12 + counted


def test_retention_that_looks_back_before_the_shop_was_observed_is_not_measured():
    late = shop_of(orders=orders(("a", noon("2024-02-05"), 1.0)), since=JANUARY)
    assert measured(late)["retention_90"]["missing"] == "it looks further back than the shop was observed."


def test_participation_counts_who_was_a_member_at_the_order():
    bought = orders(*((f"c{n}", noon("2024-03-10"), 1.0) for n in range(10)), copies=1)
    joined = {0: "2024-01-01", 1: "2024-03-10", 2: "2024-03-11", 3: "2024-01-01"}
    members = pl.DataFrame(
        {
            "customer_id": [f"c{n}~0" for n in joined],
            "programme": ["points"] * 4,
            "joined_at": [noon(day) for day in joined.values()],
            "left_at": [None, None, None, noon("2024-03-01")],
        }
    )
    # c0 and c1 (who joined with the order); c2 joined later, c3 had left.
    assert measured(shop_of(orders=bought, members=members))["participation"]["value"] == pytest.approx(2 / 10)
