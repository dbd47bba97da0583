"""Clean order lines go in; one row per customer and day with an order comes out, its amount in whole cents."""

from __future__ import annotations

from datetime import date

import polars as pl

from cxsim.data.parsing import whole_cents
from cxsim.data.transactions import Transactions, as_date
from cxsim.errors import DataError
from cxsim.tables import TRANSACTIONS, check

Orders = Transactions | pl.DataFrame | pl.LazyFrame


def order_days(orders: Orders, until: date | None) -> pl.DataFrame:
    """Merge the lines of a customer on one day to one order day.

    Whole cents are summed, so the result depends neither on the order of the rows nor on the number of threads.
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
    return _merged(_usable(lines.collect(engine="streaming")))


def first_of_customer() -> pl.Expr:
    """Whether a row of order days is its customer's first."""
    return _differs("customer_id", 1)


def last_of_customer() -> pl.Expr:
    """Whether a row of order days is its customer's last."""
    return _differs("customer_id", -1)


def _usable(lines: pl.DataFrame) -> pl.DataFrame:
    """Refuse lines that no clean table has; they are counted on any day."""
    unusable = lines["unusable"].sum()
    if unusable:
        raise DataError(
            f"{unusable:,} lines have no customer, no date, or an amount that is missing, negative or not finite; "
            "pass the orders through read_transactions, which counts such lines and leaves them out."
        )
    return lines.drop("unusable")


def _merged(lines: pl.DataFrame) -> pl.DataFrame:
    """Sort lines by customer and day, and sum up those of one day."""
    # Two sorts, the second one stable: polars takes twice as long to sort once by two columns, and as much to group.
    ordered = lines.sort("day").sort("customer_id", maintain_order=True)
    last_line = last_of_customer() | _differs("day", -1)
    cents = pl.col("cents")
    return (
        ordered.lazy()
        .with_columns(cents.cum_sum())
        .filter(last_line)
        .with_columns(cents - cents.shift(1, fill_value=0))
        .collect()
    )


def _differs(name: str, by: int) -> pl.Expr:
    return pl.col(name).ne_missing(pl.col(name).shift(by))


def _within(orders: Orders, until: date) -> date:
    """Return `until` if the orders were observed so long: silence that nobody watched is no silence."""
    as_date("until", until)
    if isinstance(orders, Transactions) and until > orders.until:
        raise DataError(
            f"until {until.isoformat()} is after the end of observation, {orders.until.isoformat()}; give an earlier "
            "day, or say in read_transactions(..., until=...) how long the orders were observed."
        )
    return until
