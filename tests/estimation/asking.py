"""Customers and fits in; every table that a fit gives about them, and the claim that its numbers can be, out."""

from __future__ import annotations

import polars as pl

from cxsim.clv.values import customer_value

RATE = {"annual_discount_rate": 0.1}


def answers(rfm, purchases, spend):
    """Return every table that a fit gives about customers."""
    return {
        "now": purchases.prob_alive(rfm),
        "in a century": purchases.prob_alive(rfm, 36_525),
        "no time": purchases.expected_purchases(rfm, 0),
        "a millisecond": purchases.expected_purchases(rfm, 1e-8),
        "a million years": purchases.expected_purchases(rfm, 3.65e8),
        "new": purchases.expected_purchases_new([0, 1, 3.65e8]),
        "counts": purchases.purchase_distribution(rfm, days=30, from_days=10, most=3),
        "counts of new": purchases.purchase_distribution(days=30, most=3),
        "next": purchases.days_to_next_purchase(rfm, [1e-9, 0.5, 1.0 - 1e-9]),
        "for ever": purchases.clv(rfm, spend, **RATE),
        "all but undiscounted": purchases.clv(rfm, spend, annual_discount_rate=1e-9),
        "discounted away": purchases.clv(rfm, spend, annual_discount_rate=1e9),
        "a moment": purchases.clv(rfm, spend, **RATE, horizon_days=1e-8),
        "a year": purchases.clv(rfm, spend, annual_discount_rate=0.0, horizon_days=365),
        "value of new": purchases.clv_new(spend, **RATE, acquisition_cost=5),
        "best first": customer_value(rfm, purchases, spend, horizon_days=365, **RATE),
        "estimates": purchases.estimates(),
        "intervals": purchases.conf_int(0.999),
    }


def assert_right(tables):
    """Hold that all numbers are finite and none negative, and that chances are chances."""
    for name, table in tables.items():
        for column in table.select(pl.selectors.float()):
            place = f"{name}: {column.name} {column.to_list()}"
            assert column.drop_nulls().is_finite().all(), place
            # Only what takes more than a century is left open.
            assert column.null_count() == 0 or column.name.startswith("days_p"), place
            assert column.drop_nulls().min() is None or column.drop_nulls().min() >= 0.0 or "net" in column.name, place
            if column.name.startswith("prob"):
                assert column.is_empty() or column.max() <= 1.0, place
