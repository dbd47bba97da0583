"""Ratios that are known, ratios of nothing, selection that shows before; shares by dose, counted by hand."""

from __future__ import annotations

import dataclasses
import math
from datetime import timedelta
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.errors import DataError
from cxsim.metrics.drivers import ASSOCIATIONS, associations, dose_curve, finding
from cxsim.metrics.person_periods import person_periods
from cxsim.metrics.regression import FittedRatio, design_of, fitted_ratio
from cxsim.tables import check
from tests.metrics.worlds import causeless_shop, chance_shop, day, orders_of, shop

# Half the width of a 95 % interval, in standard errors.
Z = 1.959964
# A rate that all customers share: only then is the ratio of chances that of rates.
EQUAL = 1e6


def standard_errors(row, truth, *, prefix=""):
    """Return how far the ratio of a row lies from the truth, in standard errors of its logarithm."""
    ratio, low, high = (
        row[name] for name in ((prefix or "ratio"), f"{prefix}_low".strip("_"), f"{prefix}_high".strip("_"))
    )
    return math.log(ratio / truth) / (math.log(high / low) / (2 * Z))


@pytest.fixture(scope="module")
def causeless():
    """A world in which experiences have no effect, of 9,000 customers; those with returns, tickets and answers."""
    return person_periods(causeless_shop())


@pytest.fixture(scope="module")
def nothing(causeless):
    return associations(causeless)


def test_where_nothing_has_an_effect_every_ratio_covers_one(nothing):
    check(nothing.table, ASSOCIATIONS)
    assert set(nothing.table["label"]) == {"association"}
    assert nothing.left_out["Contact"] == "there is no table of contacts."
    assert set(nothing.table["exposure"]) == {
        "late_order", "incident_early", "incident_stock_out", "incident_defect", "ticket", "waiting", "unsolved",
        "return", "answer",
    }  # fmt: skip
    for row in nothing.table.iter_rows(named=True):
        assert abs(standard_errors(row, 1.0)) < 4, row["finding"]
        if row["before"] is not None:
            assert abs(standard_errors(row, 1.0, prefix="before")) < 4, row["finding"]


def test_a_late_order_that_halves_the_order_rate_is_recovered():
    found = associations(person_periods(chance_shop(21, ratio=0.5))).table
    for row in found.filter(pl.col("outcome") != "next order").iter_rows(named=True):
        assert abs(standard_errors(row, 0.5)) < 4
        # 4,000 customers over a year are enough to say so.
        assert row["high"] < 0.7
        assert abs(standard_errors(row, 1.0, prefix="before")) < 4


def test_the_rate_of_a_next_order_is_recovered_where_customers_are_alike():
    found = associations(person_periods(chance_shop(22, ratio=0.5, shape=EQUAL))).table.filter(outcome="next order")
    assert found["model"].to_list() == ["complementary log-log, per period"]
    for row in found.iter_rows(named=True):
        assert abs(standard_errors(row, 0.5)) < 4


def test_where_bad_customers_meet_it_the_ratio_before_is_far_from_one_and_the_finding_says_so():
    found = associations(person_periods(chance_shop(23, customers=12_000, bad=0.3, shape=EQUAL))).table.filter(
        outcome="orders"
    )
    (row,) = found.iter_rows(named=True)
    assert standard_errors(row, 1.0) < -4
    assert standard_errors(row, 1.0, prefix="before") < -4
    assert row["finding"].endswith(
        "The customers affected already differed before the event, so at least part of this is selection. "
        "An association, not an effect."
    )


def test_intervals_of_the_ratio_of_rates_hold_the_truth_as_often_as_they_say():
    held = []
    for seed in range(200):
        made = person_periods(chance_shop(1000 + seed, customers=400, periods=6, ratio=0.7, shape=EQUAL))
        found = fitted_ratio(design_of(made.table, made.exposures[0], timing="before"), "next order")
        low, high = found.interval
        held.append(low < 0.7 < high)
    # Four standard errors of 95 % among 200: 4 * sqrt(0.95 * 0.05 / 200) = 0.062.
    assert abs(np.mean(held) - 0.95) < 0.062


def test_what_is_clear_is_so_among_all_comparisons_and_the_finding_says_where_not(nothing):
    clear = associations(person_periods(chance_shop(21, ratio=0.5))).table
    for table in (nothing.table, clear):
        for row in table.iter_rows(named=True):
            assert row["clear"] == ("chance alone could explain it" not in row["finding"])
        # By Benjamini and Hochberg (1995), eq. 1, as it is written: the largest k with p(k) <= 0.05 k / n.
        distances = [abs(standard_errors(row, 1.0)) for row in table.iter_rows(named=True)]
        chances = [2.0 * NormalDist().cdf(-distance) for distance in distances]
        most = max((k for k, p in enumerate(sorted(chances), 1) if p <= 0.05 * k / len(chances)), default=0)
        assert table["clear"].sum() == most
        assert table.filter("clear").height == 0 or max(
            chance for chance, clear in zip(chances, table["clear"], strict=True) if clear
        ) <= 0.05 * most / len(chances)
    assert clear["clear"].all()


def test_the_same_shop_gives_the_same_table_whatever_the_order_of_its_rows():
    made = chance_shop(24, customers=600, periods=6)
    mixed = dataclasses.replace(made, orders=made.orders.collect().sample(fraction=1.0, shuffle=True, seed=1).lazy())
    tables = [associations(person_periods(one)).table for one in (made, mixed)]
    assert tables[0].equals(tables[1])


def test_a_shop_in_which_nothing_can_be_compared_gives_an_empty_table_and_the_reasons():
    few = orders_of(*[(f"c{n}", 3 * n, 10, "late" if n == 1 else None) for n in range(40)])
    found = associations(person_periods(shop(few)))
    assert found.table.is_empty()
    assert found.left_out["Late order"] == "1 customers with exposure; at least 30 are needed."


def test_a_negative_amount_leaves_out_spend_alone():
    made = chance_shop(26, customers=1000, periods=6)
    orders = made.orders.with_columns(
        amount=pl.when(pl.int_range(pl.len()) == pl.len() - 1).then(-5000.0).otherwise("amount")
    )
    found = associations(person_periods(dataclasses.replace(made, orders=orders)))
    assert found.table["outcome"].to_list() == ["next order", "orders"]
    assert found.left_out["Late order: spend"] == "an outcome is negative, so a ratio of outcomes has no meaning."


def test_where_too_few_meet_it_later_nothing_is_said_of_before():
    made = chance_shop(27, customers=1000, periods=3)
    found = associations(person_periods(made)).table
    assert found["before"].to_list() == [None] * 3
    assert "before" not in found["finding"][0]


def delivered(rows):
    """Return orders from (customer, day, days to delivery or None)."""
    orders = orders_of(*[(who, when, 10, None) for who, when, _ in rows])
    took = pl.Series([None if days is None else timedelta(days=days) for *_, days in rows], dtype=pl.Duration("us"))
    return orders.with_columns(delivered_at=pl.col("ordered_at") + took, shipped_at=pl.col("ordered_at") + took / 2)


@pytest.fixture
def crowd():
    """Thirty customers twice over: c0 to c29 wait a day, the first 12 order again; s0 to s29 four days, the first 6."""
    return again_on(40)


def again_on(again):
    rows = [(f"c{n}", 0, 1) for n in range(30)] + [(f"s{n}", 0, 4) for n in range(30)]
    rows += [(f"c{n}", again, None) for n in range(12)] + [(f"s{n}", again, None) for n in range(6)]
    return delivered(rows)


def test_the_share_that_orders_again_is_counted_by_class(crowd):
    table = dose_curve(shop(crowd, days=200), "delivery days")
    assert table["value"].to_list() == [12 / 30, 6 / 30]
    assert table["dose"].to_list() == [1.0, 4.0]
    assert table["customers"].to_list() == [30, 30]
    assert table.select("dose_low", "dose_high").rows() == [(1.0, 2.0), (4.0, 5.0)]
    assert set(table["outcome"]) == {"ordered again within 90 days"}
    # One order a customer: sqrt(0.4 * 0.6 / 29) = 0.0909718, times t of 29 degrees of freedom, 2.0452296.
    assert_allclose(table["low"][0], 0.4 - 2.0452296 * 0.0909718, atol=1e-6)


def test_a_customer_with_several_orders_counts_once_in_the_interval():
    # Thirty customers, each with two deliveries after which all or none come back: as wide as with one order each.
    rows = [(f"c{n}", when, 1) for n in range(30) for when in (0, 10)]
    rows += [(f"c{n}", 95, None) for n in range(12)]
    rows += [(f"d{n}", 0, None) for n in range(3)]
    table = dose_curve(shop(delivered(rows), days=300), "delivery days")
    # After the first delivery all 30 order again on day 10; after the second 12 do, on day 95.
    assert table["value"].to_list() == [42 / 60]
    # Over customers e = x - 0.7 n: 0.6 for 12, -0.4 for 18; sum e^2 = 7.2; sqrt(30 / 29 * 7.2) / 60 = 0.0454859.
    assert_allclose(table["high"][0] - table["value"][0], 2.0452296 * 0.0454859, atol=1e-6)


def test_only_deliveries_whose_days_are_over_take_part(crowd):
    # Known on day 1 and day 4; 90 days are over on day 91 and 94.
    assert dose_curve(shop(crowd, days=91), "delivery days")["dose_low"].to_list() == [1.0]


def test_an_order_on_the_last_moment_of_the_window_counts_and_one_after_it_does_not():
    # From the delivery on day 1 to the next order on day 91 are 90 days.
    late, just = (dose_curve(shop(again_on(day), days=200), "delivery days") for day in (92, 91))
    assert late["value"].to_list() == [0.0, 0.2]
    assert just["value"].to_list() == [0.4, 0.2]


def test_fewer_than_thirty_customers_have_no_share_and_shipping_counts_from_the_shipping(crowd):
    made = shop(crowd.filter(pl.col("customer_id") != "c29"), days=200)
    assert dose_curve(made, "delivery days").select("value", "low", "high", "customers").row(0) == (
        None,
        None,
        None,
        29,
    )
    assert dose_curve(made, "days to shipping")["dose"].to_list() == [0.5, 2.0]


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
    table = dose_curve(made, "hours to the first answer")
    # The one who still waits has no dose, so 29 customers are left: too few for a share.
    assert table.select("dose_low", "dose", "value", "customers").rows() == [(8.0, 12.0, None, 29)]


def test_returns_count_those_made_before_the_order(crowd):
    returns = pl.DataFrame({"return_id": ["r1", "r2"], "order_id": ["o0", "o0"], "returned_at": [day(20), day(40)]})
    table = dose_curve(shop(crowd, days=200, returns=returns), "returns so far")
    # Of the 78 orders, one of c0 on day 40 comes after one return; the other return is made at that very moment.
    assert table.select("dose_low", "dose", "customers").rows() == [(0.0, 0.0, 60), (1.0, 1.0, 1)]
    # c0's first order and those of the 17 others who order twice are followed by another.
    assert table["value"][0] == pytest.approx(18 / 77)


@pytest.mark.parametrize(
    ("exposure", "message"),
    [
        ("delivery", "no dose 'delivery'; did you mean 'delivery days'"),
        ("hours to the first answer", "S: hours to the first answer is not recorded: there is no table of tickets."),
        ("delivery days", "delivery days is not recorded: the orders have no column 'delivered_at'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(crowd, exposure, message):
    with pytest.raises(DataError, match=message.replace(".", r"\.")):
        dose_curve(shop(crowd.drop("delivered_at")), exposure)


def test_a_finding_says_the_ratio_its_interval_the_ratio_before_and_the_time():
    exposure = person_periods(chance_shop(1, customers=50, periods=3)).exposures[0]
    now, before = (
        FittedRatio(log_ratio=math.log(ratio), error=error, customers=10_000, exposed=100)
        for ratio, error in ((0.87, 0.04), (0.98, 0.03))
    )
    # 0.87 * exp(-+1.96 * 0.04) = 0.804 and 0.941; 0.98 * exp(-+1.96 * 0.03) = 0.924 and 1.039.
    assert finding(exposure, "orders", now, before, days=28) == (
        "After a late order, customers order 0.87 times as often in the next four weeks (0.80 to 0.94); the same "
        "customers ordered 0.98 times as often before it (0.92 to 1.04)"
    )
    assert finding(exposure, "spend", now, None, days=10) == (
        "After a late order, customers spend 0.87 times as much in the next ten days (0.80 to 0.94)"
    )
