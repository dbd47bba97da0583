"""The metrics of orders and of returns against tables that were reckoned by hand."""

from __future__ import annotations

import polars as pl
import pytest

from tests.by_unit import ratio_of
from tests.metrics.toys import copied, measured, noon, shop_of

# customer, list, discount, cost, units, coupon, incident: amounts 50, 50, 30, 40, 40, 40, 90, 60 = 400.
_LINES = [
    ("a", 60.0, 10.0, 30.0, 2, "X", None),
    ("a", 50.0, 0.0, 20.0, 1, None, None),
    ("b", 30.0, 0.0, 25.0, 3, None, "late"),
    ("c", 40.0, 0.0, 20.0, 1, None, None),
    ("c", 40.0, 0.0, 20.0, 1, None, None),
    ("c", 40.0, 0.0, None, 1, None, None),
    ("d", 100.0, 10.0, 40.0, 5, "Y", None),
    ("e", 60.0, 0.0, 30.0, 1, None, None),
]


def _orders() -> pl.DataFrame:
    names = ("customer_id", "list_amount", "markdown", "cost", "units", "coupon", "incident")
    rows = [
        dict(zip(names, line, strict=True))
        | {"order_id": f"o{place}", "ordered_at": noon("2024-03-10"), "amount": line[1] - line[2]}
        for place, line in enumerate(_LINES)
    ]
    return copied(rows, "order_id", "customer_id")


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, object]]:
    return measured(shop_of(orders=_orders()))


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("orders", 32.0),  # 8 orders, four times
        ("revenue", 1600.0),  # 400, four times
        ("aov_net", 50.0),  # 400 / 8
        ("aov_gross", 52.5),  # (60 + 50 + 30 + 3 * 40 + 100 + 60) / 8 = 420 / 8
        ("discount_share", 20 / 420),
        ("coupon_share", 2 / 8),
        ("items_per_order", 15 / 8),  # 2 + 1 + 3 + 1 + 1 + 1 + 5 + 1 = 15
        ("margin_per_order", 25.0),  # (20 + 30 + 5 + 20 + 20 + 50 + 30) / 7; the cost of one is not known
        ("incident_share", 1 / 8),
    ],
)
def test_a_metric_of_orders_is_the_number_reckoned_by_hand(found, metric, value):
    assert found[metric]["value"] == pytest.approx(value, rel=1e-12)
    assert found[metric]["missing"] is None


def test_the_interval_of_order_value_is_over_customers_not_over_orders(found):
    # The worked example of the delta method has five customers; here each lives four times.
    expected = ratio_of([100, 30, 120, 90, 60] * 4, [2, 1, 3, 1, 1] * 4)
    ends = (found["aov_net"]["low"], found["aov_net"]["high"])
    assert ends == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert found["aov_net"]["units"] == 20


def test_five_customers_have_the_published_interval_of_order_value():
    # Sums of 5 customers: 400 over 8; SE 7.654655, t(4) 2.776445.
    expected = ratio_of([100, 30, 120, 90, 60], [2, 1, 3, 1, 1])
    assert (expected.value, expected.low, expected.high) == pytest.approx((50.0, 28.7473, 71.2527), abs=5e-5)


def test_the_error_of_a_total_is_the_root_of_the_sum_of_squares_over_customers(found):
    # Orders per customer 2, 1, 3, 1, 1: squares 16, four times, so 64; 32 -+ 1.959964 * 8.
    assert found["orders"]["low"] == pytest.approx(32 - 1.959964 * 8, abs=1e-5)
    assert found["orders"]["high"] == pytest.approx(32 + 1.959964 * 8, abs=1e-5)


def test_where_nothing_was_sold_before_a_total_rises_from_nothing_and_a_mean_has_no_change(found):
    assert (found["orders"]["previous"], found["orders"]["change"]) == (0.0, 32.0)
    assert found["aov_net"]["previous"] is None
    assert found["aov_net"]["change"] is None


def test_customers_of_both_months_make_the_change_surer():
    # The same 20 customers spend 2 more than the month before, each in the order of their own size.
    before = _orders().with_columns(ordered_at=pl.lit(noon("2024-02-10")), order_id=pl.col("order_id") + "-before")
    now = _orders().with_columns(amount=pl.col("amount") + 2.0)
    same = measured(shop_of(orders=pl.concat([before, now])))["aov_net"]
    others = before.with_columns(customer_id=pl.col("customer_id") + "-other")
    apart = measured(shop_of(orders=pl.concat([others, now])))["aov_net"]
    assert same["change"] == apart["change"] == pytest.approx(2.0)
    assert same["change_low"] == pytest.approx(2.0, abs=1e-6)  # each gained exactly 2, so nothing is left to chance
    assert apart["change_low"] < 0.0 < apart["change_high"]


def test_a_guest_order_counts_and_is_independent_of_every_other():
    guests = _orders().with_columns(customer_id=pl.lit(None, dtype=pl.String))
    found = measured(shop_of(orders=guests))
    assert found["aov_net"]["value"] == pytest.approx(50.0)
    assert found["aov_net"]["units"] == 32


def _sold(day: str) -> pl.DataFrame:
    rows = [
        {"order_id": f"o{n}", "customer_id": f"c{n}", "ordered_at": noon(day), "amount": 10.0 * (n + 1), "units": 2}
        for n in range(4)
    ]
    return copied(rows, "order_id", "customer_id")


def _sent_back(*orders: tuple[str, float, float]) -> pl.DataFrame:
    rows = [
        {
            "return_id": f"r{place}",
            "order_id": order,
            "returned_at": noon("2024-02-05", after),
            "refund": refund,
            "units": 1,
        }
        for place, (order, after, refund) in enumerate(orders)
    ]
    return copied(rows, "return_id", "order_id")


def test_returns_are_counted_by_order_by_value_and_by_item_once_thirty_days_are_over():
    # Orders of 10, 20, 30 and 40 on 5 February are 30 days old on 6 March. o0 comes back in two parcels, o3 in one; o1
    # comes back on day 31, too late.
    back = _sent_back(("o0", 3.0, 4.0), ("o0", 9.0, 6.0), ("o3", 29.0, 20.0), ("o1", 31.0, 20.0))
    found = measured(shop_of(orders=_sold("2024-02-05"), returns=back))
    assert found["return_rate_orders"]["value"] == pytest.approx(2 / 4)
    assert found["return_rate_value"]["value"] == pytest.approx(30 / 100)
    assert found["return_rate_items"]["value"] == pytest.approx(3 / 8)


def test_orders_younger_than_thirty_days_are_not_looked_at_for_returns():
    found = measured(shop_of(orders=_sold("2024-03-10"), returns=_sent_back(("o0", 40.0, 4.0))))
    assert found["return_rate_orders"]["value"] is None


def test_refunds_without_a_date_are_counted_by_order_and_by_value():
    sold = _sold("2024-02-05").with_columns(
        refunded=pl.when(pl.col("amount") > 30.0).then(20.0), charged=pl.col("amount") + 5.0
    )
    found = measured(shop_of(orders=sold))
    assert found["refund_rate_orders"]["value"] == pytest.approx(1 / 4)
    assert found["refund_rate_value"]["value"] == pytest.approx(20 / 120)  # 15 + 25 + 35 + 45 = 120


def test_a_month_without_orders_has_a_count_with_a_limit_and_a_revenue_without_one():
    found = measured(shop_of(orders=_orders().with_columns(ordered_at=pl.lit(noon("2024-02-10")))))
    # Garwood's upper limit of nothing: -log(0.025) = 3.6889.
    assert (found["orders"]["value"], found["orders"]["low"]) == (0.0, 0.0)
    assert found["orders"]["high"] == pytest.approx(3.6889, abs=5e-5)
    assert (found["revenue"]["value"], found["revenue"]["high"], found["revenue"]["caution"]) == (0.0, None, "nobody")
