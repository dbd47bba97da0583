"""The dashboard as a whole: catalogue, periods, what is missing, what is unusual, and that nothing moves a digit."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.errors import DataError
from cxsim.metrics.catalogue import load_metrics
from cxsim.metrics.dashboard import DASHBOARD, SERIES, dashboard
from cxsim.tables import check
from tests.metrics.toys import APRIL, measured, noon, orders, shop_of


def _weekly(numbers: list[int]) -> pl.DataFrame:
    """Return so many orders in each week, the last of which ends with March's last Sunday."""
    monday = datetime.fromisoformat("2024-03-25T09:00")
    rows = [
        (f"c{week}-{n}", monday - timedelta(weeks=len(numbers) - 1 - week), 10.0)
        for week, number in enumerate(numbers)
        for n in range(number)
    ]
    return orders(*rows, copies=1)


def test_a_shop_of_orders_alone_says_of_every_other_metric_why_it_is_missing():
    found = measured(shop_of(orders=orders(("a", noon("2024-03-10"), 1.0))))
    assert found["nps"]["missing"] == "there is no table of surveys."
    assert found["items_per_order"]["missing"] == "the orders have no column 'units'."
    assert found["cac"]["missing"] == "there is no table of marketing."
    assert {row["metric"] for row in found.values()} == set(load_metrics())
    # What a source lacks is explained in its own words.
    shop = shop_of(orders=orders(("a", noon("2024-03-10"), 1.0)))
    shop = dataclasses.replace(shop, lacks={"orders.customer_id": "the export hides buyers."})
    assert measured(shop)["repeat_90"]["missing"] == "the export hides buyers."


def test_only_periods_that_are_over_are_shown_and_one_period_has_no_change():
    found = measured(shop_of(orders=orders(("a", noon("2024-03-10"), 1.0))), periods=1)
    assert (found["orders"]["value"], found["orders"]["change"]) == (4.0, None)
    bought = orders(*((f"c{n}", noon("2024-03-10"), 1.0) for n in range(10)))
    found = dashboard(shop_of(orders=bought, until=noon("2024-03-31")), every="month", periods=2)
    assert found.table["period_end"][0] == datetime.fromisoformat("2024-03-01T00:00")


def test_a_shop_without_a_complete_period_is_refused():
    short = shop_of(orders=orders(("a", noon("2024-03-10"), 1.0)), since=noon("2024-03-09"), until=noon("2024-03-12"))
    with pytest.raises(DataError, match="toy: no complete week between 2024-03-09 and 2024-03-12"):
        dashboard(short)


@pytest.mark.parametrize("periods", [0, 61])
def test_a_number_of_periods_that_is_not_possible_is_refused(periods):
    with pytest.raises(DataError, match=f"periods must be 1 to 60; found {periods}"):
        dashboard(shop_of(orders=orders(("a", noon("2024-03-10"), 1.0))), periods=periods)


def test_a_week_far_outside_of_eight_calm_ones_is_an_alert():
    # Eight weeks of 20 and 21 in turn: mean 20.5, mean moving range 1, and 3 over d2 = 2 / sqrt(pi) is 2.658681.
    calm = [20, 21] * 4
    series = dashboard(shop_of(orders=_weekly([*calm, 24])), periods=9).series.filter(pl.col("metric") == "orders")
    last = series.row(-1, named=True)
    assert (last["usual_low"], last["usual_high"]) == pytest.approx((17.841319, 23.158681), abs=1e-6)
    assert last["alert"] == "above"
    table = dashboard(shop_of(orders=_weekly([*calm, 17])), periods=9).table
    assert table.row(by_predicate=pl.col("metric") == "orders", named=True)["alert"] == "below"


def test_within_the_usual_range_or_before_eight_periods_there_is_no_alert():
    for numbers in ([20, 21] * 4 + [23], [20, 21, 20, 21, 20, 21, 20, 60]):
        table = dashboard(shop_of(orders=_weekly(numbers)), periods=len(numbers)).table
        assert table.row(by_predicate=pl.col("metric") == "orders", named=True)["alert"] is None


def test_the_series_ends_with_the_dashboard():
    found = dashboard(shop_of(orders=_weekly([20, 21, 22])), periods=3)
    check(found.table, DASHBOARD)
    series = check(found.series, SERIES).filter(pl.col("metric") == "aov_net")
    shown = found.table.row(by_predicate=pl.col("metric") == "aov_net", named=True)
    assert series["value"].to_list()[-2:] == [shown["previous"], shown["value"]]


def test_the_order_of_rows_moves_no_digit():
    rows = [(f"c{n % 37}", noon("2024-02-03", n % 57), 0.1 + n / 7) for n in range(400)]
    table = orders(*rows, copies=1)
    found = dashboard(shop_of(orders=table), every="month")
    mixed = dashboard(shop_of(orders=table.sample(fraction=1.0, shuffle=True, seed=3)), every="month")
    assert found.table.equals(mixed.table)
    assert found.series.equals(mixed.series)


def test_weeks_begin_on_monday_and_months_on_the_first():
    shop = shop_of(orders=orders(("c", noon("2024-02-29"), 1.0)))
    weekly, monthly = (dashboard(shop, every=every).table for every in ("week", "month"))
    assert weekly["period_start"][0] == datetime.fromisoformat("2024-03-25T00:00")
    assert (monthly["period_start"][0], monthly["period_end"][0]) == (datetime.fromisoformat("2024-03-01T00:00"), APRIL)
