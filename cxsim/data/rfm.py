"""Clean order lines go in; one row per customer under RFM comes out."""

from __future__ import annotations

from datetime import date

import polars as pl

from cxsim.data.order_days import Orders, collected, order_days
from cxsim.data.transactions import Transactions
from cxsim.errors import DataError
from cxsim.tables import RFM, check
from cxsim.units import CENTS


def summarise(transactions: Orders, *, until: date | None = None) -> pl.DataFrame:
    """Summarise the orders of each customer as they stood at the end of one day.

    Orders of one day count once. Customers whose first order is after `until` are left out.

    Parameters
    ----------
    transactions
        Clean lines: what `read_transactions` returns, or a frame under TRANSACTIONS.
    until
        Last day that counts. By default the end of observation; for a frame, the last day with an order.

    Returns
    -------
    pl.DataFrame
        Under RFM, sorted by customer: frequency (repeat order days), recency_days (from the first to the last order
        day), age_days (from the first order day to `until`), monetary_value (mean amount of the *repeat* order days,
        in units of the currency; null where there is none). It depends neither on the order of the rows nor on the
        number of threads, for money is summed in whole cents.

    Raises
    ------
    DataError
        When there is no order up to `until`, when `until` is after the end of observation, or when a frame holds
        lines that no clean table has.
    TableError
        When a frame does not keep TRANSACTIONS.

    References
    ----------
    Fader & Hardie (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", table 1.

    Examples
    --------
    >>> days = [date(2024, 1, 1), date(2024, 1, 11), date(2024, 1, 31)]
    >>> orders = pl.DataFrame({"customer_id": ["a"] * 3, "ordered_at": days, "amount": [50.0, 20.0, 25.0]})
    >>> summarise(orders, until=date(2024, 3, 1)).row(0, named=True)
    {'customer_id': 'a', 'frequency': 2, 'recency_days': 30, 'age_days': 60, 'monetary_value': 22.5}
    """
    end = transactions.until if until is None and isinstance(transactions, Transactions) else until
    customers = collected(_customers(order_days(transactions, end)))
    if customers.is_empty():
        raise DataError("there is no order to summarise" + ("." if end is None else f" up to {end.isoformat()}."))
    last_day = pl.col("last_day").max() if end is None else pl.lit(end)
    frequency = pl.col("days") - 1
    repeat_cents = pl.col("cents") - pl.col("first_cents")
    summary = customers.sort("customer_id").select(
        "customer_id",
        frequency=frequency,
        recency_days=(pl.col("last_day") - pl.col("first_day")).dt.total_days(),
        age_days=(last_day - pl.col("first_day")).dt.total_days(),
        monetary_value=pl.when(frequency > 0).then(repeat_cents / (frequency * CENTS)),
    )
    return check(summary, RFM)


def _customers(days: pl.LazyFrame) -> pl.LazyFrame:
    """Return per customer the number of order days, the first and the last, and what was spent on them."""
    return days.group_by("customer_id").agg(
        days=pl.len().cast(pl.Int64),
        first_day=pl.col("day").min(),
        last_day=pl.col("day").max(),
        cents=pl.col("cents").sum(),
        first_cents=pl.col("cents").sort_by("day").first(),
        unusable=pl.col("unusable").sum(),
    )
