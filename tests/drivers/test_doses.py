"""Shares by dose, counted by hand."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.errors import DataError
from cxsim.metrics.drivers import dose_curve
from tests.drivers.worlds import day, orders_of, shop


def delivered(rows):
    """Return orders from (customer, day, days to delivery or None)."""
    orders = orders_of(*[(who, when, 10, None) for who, when, _ in rows])
    took = pl.Series([None if days is None else timedelta(days=days) for *_, days in rows], dtype=pl.Duration("us"))
    return orders.with_columns(delivered_at=pl.col("ordered_at") + took, shipped_at=pl.col("ordered_at") + took / 2)


@pytest.fixture
def crowd():
    """Thirty customers twice over: c0 to c29 wait a day, the first 12 order again; s0 to s29 four days, the first 6."""
    rows = [(f"c{n}", 0, 1) for n in range(30)] + [(f"s{n}", 0, 4) for n in range(30)]
    rows += [(f"c{n}", 40, None) for n in range(12)] + [(f"s{n}", 40, None) for n in range(6)]
    return delivered(rows)


def test_the_share_that_orders_again_is_counted_by_class(crowd):
    table = dose_curve(shop(crowd, days=200), "delivery days", edges=(0, 2), window_days=90)
    assert table["value"].to_list() == [12 / 30, 6 / 30]
    assert table["dose"].to_list() == [1.0, 4.0]
    assert table["customers"].to_list() == [30, 30]
    assert table["dose_high"].to_list() == [2.0, float("inf")]
    assert set(table["outcome"]) == {"ordered again within 90 days"}
    # One order a customer: sqrt(0.4 * 0.6 / 29) = 0.0909718, times t of 29 degrees of freedom, 2.0452296.
    assert_allclose(table["low"][0], 0.4 - 2.0452296 * 0.0909718, atol=1e-6)


def test_a_customer_with_several_orders_counts_once_in_the_interval():
    # Thirty customers, each with two deliveries after which all or none come back: as wide as with one order each.
    rows = [(f"c{n}", when, 1) for n in range(30) for when in (0, 10)]
    rows += [(f"c{n}", 40, None) for n in range(12)]
    rows += [(f"d{n}", 0, None) for n in range(3)]
    table = dose_curve(shop(delivered(rows), days=300), "delivery days", edges=(0,), window_days=35)
    # After the first delivery all 30 order again on day 10; after the second 12 do, on day 40.
    assert table["value"].to_list() == [42 / 60]
    # Over customers e = x - 0.7 n: 0.6 for 12, -0.4 for 18; sum e^2 = 7.2; sqrt(30 / 29 * 7.2) / 60 = 0.0454859.
    assert_allclose(table["high"][0] - table["value"][0], 2.0452296 * 0.0454859, atol=1e-6)


def test_only_deliveries_whose_days_are_over_take_part(crowd):
    # Known on day 1 and day 4; 90 days are over on day 91 and 94.
    table = dose_curve(shop(crowd, days=91), "delivery days", edges=(0, 2), window_days=90)
    assert table["dose_low"].to_list() == [0.0]


def test_an_order_on_the_last_moment_of_the_window_counts_and_one_after_it_does_not(crowd):
    # From the delivery on day 1 to the next order on day 40 are 39 days; from day 4, 36.
    late = dose_curve(shop(crowd, days=200), "delivery days", edges=(0, 2), window_days=38)
    just = dose_curve(shop(crowd, days=200), "delivery days", edges=(0, 2), window_days=39)
    assert late["value"].to_list() == [0.0, 0.2]
    assert just["value"].to_list() == [0.4, 0.2]


def test_fewer_than_thirty_customers_have_no_share(crowd):
    some = crowd.filter(pl.col("customer_id") != "c29")
    table = dose_curve(shop(some, days=200), "delivery days", edges=(0, 2))
    assert table.select("value", "low", "high", "customers").rows()[0] == (None, None, None, 29)


def test_shipping_counts_from_the_shipping(crowd):
    table = dose_curve(shop(crowd, days=200), "days to shipping", edges=(0, 1))
    assert table["dose"].to_list() == [0.5, 2.0]


def test_doses_below_the_first_edge_are_left_out(crowd):
    assert dose_curve(shop(crowd, days=200), "delivery days", edges=(2, 5))["dose"].to_list() == [4.0]


def test_tickets_count_from_their_first_answer(crowd):
    tickets = pl.DataFrame(
        {
            "ticket_id": [f"t{n}" for n in range(30)],
            "customer_id": [f"c{n}" for n in range(30)],
            "created_at": [day(2)] * 30,
            "first_response_at": [day(2.5)] * 29 + [None],
        }
    )
    made = shop(crowd, days=200, tickets=tickets)
    table = dose_curve(made, "hours to the first answer", edges=(0, 8))
    # The one who still waits has no dose, so 29 customers are left: too few for a share.
    assert table.select("dose_low", "dose", "value", "customers").rows() == [(8.0, 12.0, None, 29)]


def test_returns_count_those_made_before_the_order(crowd):
    returns = pl.DataFrame(
        {
            "return_id": ["r1", "r2"],
            "order_id": ["o0", "o0"],
            "returned_at": [day(20), day(40)],
        }
    )
    table = dose_curve(shop(crowd, days=200, returns=returns), "returns so far")
    # Of the 78 orders, one of c0 on day 40 comes after one return; the other return is made at that very moment.
    assert table.select("dose_low", "dose", "customers").rows() == [(0.0, 0.0, 60), (1.0, 1.0, 1)]
    # c0's first order and those of the 17 others who order twice are followed by another.
    assert table["value"][0] == pytest.approx(18 / 77)


@pytest.mark.parametrize(
    ("exposure", "choices", "message"),
    [
        ("delivery", {}, "no dose 'delivery'; did you mean 'delivery days'"),
        ("delivery days", {"edges": (2, 1)}, "edges must ascend; found 2, 1."),
        ("delivery days", {"edges": ()}, "edges must ascend; found none."),
        ("delivery days", {"window_days": 0}, "window_days must be 1 or more; found 0."),
        (
            "hours to the first answer",
            {},
            "S: hours to the first answer cannot be seen: there is no table of tickets.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(crowd, exposure, choices, message):
    with pytest.raises(DataError, match=message.replace(".", r"\.")):
        dose_curve(shop(crowd), exposure, **choices)


def test_a_shop_without_deliveries_says_so(crowd):
    with pytest.raises(DataError, match="delivery days cannot be seen: the orders have no column 'delivered_at'"):
        dose_curve(shop(crowd.drop("delivered_at")), "delivery days")
