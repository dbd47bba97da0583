"""Clean order lines go in; what customers did after a day, and repeat orders along the calendar, come out."""

from __future__ import annotations

from datetime import date

import polars as pl

from cxsim.data.order_days import Orders, first_of_customer, order_days
from cxsim.data.parsing import money
from cxsim.data.transactions import as_date
from cxsim.errors import DataError


def holdout(transactions: Orders, *, after: date, until: date) -> pl.DataFrame:
    """Count what each customer known at the end of `after` ordered later, up to and including `until`.

    Parameters
    ----------
    transactions
        Clean lines: what `read_transactions` returns, or a frame under TRANSACTIONS.
    after
        Last day of calibration; the `until` of the `summarise` that goes with it.
    until
        Last day that counts.

    Returns
    -------
    pl.DataFrame
        customer_id, holdout_orders (order days in (after, until], Int64) and holdout_amount (in units of the
        currency); sorted by customer, the same customers as `summarise(transactions, until=after)`.

    Raises
    ------
    DataError
        When `after` is not before `until`, `until` is after the end of observation, or there is no order up to
        `after`.
    TableError
        When a frame does not keep TRANSACTIONS.
    """
    if as_date("after", after) >= as_date("until", until):
        raise DataError(f"after must be before until; found {after.isoformat()} and {until.isoformat()}.")
    later = pl.col("day") > after
    customers = (
        order_days(transactions, until)
        .group_by("customer_id", maintain_order=True)
        .agg(
            first_day=pl.col("day").first(),
            holdout_orders=later.sum().cast(pl.Int64),
            cents=pl.when(later).then(pl.col("cents")).otherwise(0).sum(),
        )
    )
    known = customers.filter(pl.col("first_day") <= after)
    if known.is_empty():
        raise DataError(f"there is no customer with an order up to {after.isoformat()}.")
    return known.select("customer_id", "holdout_orders", holdout_amount=money(pl.col("cents")))


def cumulative_repeat_orders(transactions: Orders, *, until: date) -> pl.DataFrame:
    """Count repeat orders along the calendar, for a tracking plot.

    Parameters
    ----------
    transactions
        Clean lines: what `read_transactions` returns, or a frame under TRANSACTIONS.
    until
        Last day of the table.

    Returns
    -------
    pl.DataFrame
        One row for each day from the first order to `until`: day (Date), repeat_orders (repeat order days of all
        customers up to and including this day, Int64), first_orders (customers whose first order is on this day,
        Int64).

    Raises
    ------
    DataError
        When there is no order up to `until`, or `until` is after the end of observation.
    TableError
        When a frame does not keep TRANSACTIONS.
    """
    days = order_days(transactions, until)
    counts = (
        days.with_columns(first=first_of_customer())
        .group_by("day")
        .agg(orders=pl.len().cast(pl.Int64), firsts=pl.col("first").sum().cast(pl.Int64))
    )
    if counts.is_empty():
        raise DataError(f"there is no order up to {until.isoformat()}.")
    first_orders = pl.col("firsts").fill_null(0)
    return (
        counts.select(day=pl.date_range(pl.col("day").min(), pl.lit(until), interval="1d"))
        .join(counts, on="day", how="left")
        .sort("day")
        .select(
            "day",
            repeat_orders=(pl.col("orders").fill_null(0) - first_orders).cum_sum(),
            first_orders=first_orders,
        )
    )
