"""Clean order lines go in; one row per customer and day with an order comes out, its amount in whole cents."""

from __future__ import annotations

from datetime import date

import polars as pl

from cxsim.data.parsing import whole_cents
from cxsim.data.transactions import Transactions, as_date
from cxsim.errors import DataError
from cxsim.tables import TRANSACTIONS, check

Orders = Transactions | pl.DataFrame | pl.LazyFrame


def order_days(orders: Orders, until: date | None) -> pl.LazyFrame:
    """Merge the lines of a customer on one day to one order day.

    Whole cents are summed, so the result depends neither on the order of the rows nor on the number of threads.

    Parameters
    ----------
    orders
        Clean lines: Transactions, or a frame under TRANSACTIONS.
    until
        Last day that counts; None for all of them.

    Returns
    -------
    pl.LazyFrame
        customer_id, day (Date), cents (Int64), and unusable (number of lines that no clean table has, on any day):
        sum it up to the table that is collected, and let `collected` refuse it.

    Raises
    ------
    DataError
        When `until` is after the end of observation, or no day.
    TableError
        When a frame does not keep TRANSACTIONS.
    """
    table = orders.table if isinstance(orders, Transactions) else orders.lazy()
    check(pl.DataFrame(schema=table.collect_schema()), TRANSACTIONS)
    amount = pl.col("amount")
    lines = table.select(
        "customer_id",
        day=pl.col("ordered_at").dt.date(),
        cents=whole_cents(amount),
        unusable=(
            pl.col("customer_id").is_null()
            | pl.col("ordered_at").is_null()
            | ~(amount.is_finite() & (amount >= 0)).fill_null(value=False)
        ),
    )
    if until is not None:
        lines = lines.filter((pl.col("day") <= _within(orders, until)) | pl.col("unusable"))
    return lines.group_by("customer_id", "day").agg(pl.col("cents").sum(), pl.col("unusable").sum().cast(pl.Int64))


def collected(customers: pl.LazyFrame) -> pl.DataFrame:
    """Collect a table that carries a count of `unusable` lines, and return it without; refuse when there are any.

    Raises
    ------
    DataError
        When a line has no customer, no date, or an amount that is missing, negative or not finite.
    """
    table = customers.collect(engine="streaming")
    unusable = table["unusable"].sum()
    if unusable:
        raise DataError(
            f"{unusable:,} lines have no customer, no date, or an amount that is missing, negative or not finite; "
            "pass the orders through read_transactions, which counts such lines and leaves them out."
        )
    return table.drop("unusable")


def _within(orders: Orders, until: date) -> date:
    """Return `until` if the orders were observed so long: silence that nobody watched is no silence."""
    as_date("until", until)
    if isinstance(orders, Transactions) and until > orders.until:
        raise DataError(
            f"until {until.isoformat()} is after the end of observation, {orders.until.isoformat()}; give an earlier "
            "day, or say in read_transactions(..., until=...) how long the orders were observed."
        )
    return until
