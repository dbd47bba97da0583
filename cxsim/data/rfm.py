"""Clean order lines go in; one row per customer under RFM comes out."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.data.orders import Transactions, as_date, money, transactions_of, whole_cents
from cxsim.data.shop import Shop
from cxsim.errors import DataError
from cxsim.params import CENTS
from cxsim.tables import RFM, TRANSACTIONS, check

Orders = Transactions | Shop | pl.DataFrame | pl.LazyFrame
# The days and sums behind a summary, which models do not take.
TO_DATE = ("first_order", "last_order", "orders_to_date", "spend_to_date")
# Segments by score of recency (from 1, down) and by the mean score of frequency and spend (from 1, across).
GRID = (
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("About to sleep", "About to sleep", "Need attention", "Loyal", "Loyal"),
    ("Promising", "Potential loyalists", "Potential loyalists", "Loyal", "Loyal"),
    ("New", "Potential loyalists", "Potential loyalists", "Champions", "Champions"),
)
_SCORES = len(GRID)
_NAMES = pl.Series([name for row in GRID for name in row])
# From the best customers to those long gone.
_SEGMENT = pl.Enum(_NAMES.reverse().unique(maintain_order=True))


def clean_orders(orders: Orders) -> Transactions | pl.DataFrame | pl.LazyFrame:
    """Return orders as a model takes them, those of a shop among them."""
    if isinstance(orders, Shop):
        return transactions_of(orders)
    if not isinstance(orders, Transactions | pl.DataFrame | pl.LazyFrame):
        raise DataError(
            f"orders are {type(orders).__name__}; pass them through read_transactions, which reads such tables."
        )
    return orders


def order_days(orders: Orders, until: date | None) -> pl.DataFrame:
    """Merge the lines of a customer on one day to one order day.

    Whole cents are summed, so the result depends neither on the order of the rows nor on the number of threads.
    """
    orders = clean_orders(orders)
    table = orders.table if isinstance(orders, Transactions) else orders.lazy()
    check(pl.DataFrame(schema=table.collect_schema()), TRANSACTIONS)
    amount = pl.col("amount")
    cents = whole_cents(amount)
    lines = table.select(
        "customer_id",
        day=pl.col("ordered_at").dt.date(),
        cents=cents,
        unusable=pl.any_horizontal(pl.col("customer_id", "ordered_at").is_null(), cents.is_null(), amount < 0),
    )
    if until is not None:
        if isinstance(orders, Transactions) and as_date("until", until) > orders.until:
            raise DataError(
                f"until {until} is after the end of observation, {orders.until}; give an earlier day, or set the end "
                "of observation in read_transactions(..., until=...)."
            )
        lines = lines.filter((pl.col("day") <= as_date("until", until)) | pl.col("unusable"))
    found = lines.collect(engine="streaming")
    # They are counted on any day.
    unusable = found["unusable"].sum()
    if unusable:
        raise DataError(
            f"{unusable:,} lines have no customer, no date, or an amount that is missing, negative or not finite; "
            "pass the orders through read_transactions, which counts such lines and leaves them out."
        )
    running = pl.col("cents")
    return (
        _by_customer(found.drop("unusable"))
        .lazy()
        .with_columns(running.cum_sum())
        .filter(_differs("customer_id", -1) | _differs("day", -1))
        .with_columns(running - running.shift(1, fill_value=0))
        .collect()
    )


def _by_customer(lines: pl.DataFrame) -> pl.DataFrame:
    """Return lines by customer and day: numbers by two sorts, of which the second is stable; texts as a stream."""
    if lines.schema["customer_id"].is_integer():
        return lines.sort("day").sort("customer_id", maintain_order=True)
    return lines.lazy().sort("customer_id", "day").collect(engine="streaming")


def _differs(name: str, by: int) -> pl.Expr:
    """Whether a row of order days differs from the one before it (1) or behind it (-1)."""
    return pl.col(name).ne_missing(pl.col(name).shift(by))


# Logarithms are summed in whole units of 2**-30, so that no order of summing can make a difference. A power of two,
# because polars divides by others through their reciprocal, and not always to the same last bit.
_LOG_UNITS = 2**30


def summarise(transactions: Orders, *, until: date | None = None) -> pl.DataFrame:
    """Summarise the orders of each customer as they stood at the end of one day.

    Orders of one day count once. Customers whose first order is after `until` are left out.

    Parameters
    ----------
    transactions
        Clean orders: what `read_transactions` or `read_shop` returns, or a frame under TRANSACTIONS.
    until
        Last day that counts. By default the end of observation; for a frame, the last day with an order.

    Returns
    -------
    pl.DataFrame
        Under RFM, sorted by customer: frequency (repeat order days), recency_days (from the first to the last order
        day), age_days (from the first order day to `until`), monetary_value (mean amount of the *repeat* order days,
        in units of the currency; null where there is none), log_gaps (sum of the natural logarithms of the gaps in days
        between a customer's successive order days, each to 1e-9; 0 where there is none). It depends neither on the
        order of the rows nor on the number of threads, for money is summed in whole cents and logarithms in whole
        units of 2**-30.

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
    Platzer & Reutterer (2016), "Ticking Away the Moments", Marketing Science 35(5), for the sum of logarithms.

    Examples
    --------
    >>> days = [date(2024, 1, 1), date(2024, 1, 11), date(2024, 1, 31)]
    >>> orders = pl.DataFrame({"customer_id": ["a"] * 3, "ordered_at": days, "amount": [50.0, 20.0, 25.0]})
    >>> summarise(orders, until=date(2024, 3, 1)).row(0)
    ('a', 2, 30, 60, 22.5, 5.298317367210984)
    """
    return _summary(transactions, until, ())


def history(transactions: Orders) -> pl.DataFrame:
    """Summarise the orders of each customer as `summarise` does, with what they came to so far.

    Also first_order and last_order (days), orders_to_date (order days) and spend_to_date (sum of all amounts).
    """
    return _summary(transactions, None, TO_DATE)


def segments(customers: pl.DataFrame) -> pl.Series:
    """Return the RFM segment of each row of a `history`.

    Recency, frequency and spend are scored from 1 to 5 by fifths of the customers; customers with equal numbers score
    the same, whatever the order of the rows.

    References
    ----------
    Hughes (1994), "Strategic Database Marketing", for scores by fifths. Putler, "RFM Analysis for Successful Customer
    Segmentation", for the grid of recency against the mean of frequency and spend, here without its overlaps.
    """
    idle, orders, spend = (
        _score(customers[name].to_physical().to_numpy()) for name in ("last_order", "orders_to_date", "spend_to_date")
    )
    return _NAMES.cast(_SEGMENT).gather(_SCORES * idle + (orders + spend) // 2).alias("segment")


def _score(strength: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return how many whole fifths of the customers do worse, by the four numbers between the fifths."""
    ends = [-(-fifth * strength.size // _SCORES) - 1 for fifth in range(1, _SCORES)]
    return np.searchsorted(np.partition(strength, ends)[ends], strength)


def _summary(transactions: Orders, until: date | None, more: tuple[str, ...]) -> pl.DataFrame:
    transactions = clean_orders(transactions)
    end = transactions.until if until is None and isinstance(transactions, Transactions) else until
    days = order_days(transactions, end)
    if days.is_empty():
        raise DataError("there is no order to summarise" + ("." if end is None else f" up to {end}."))
    names = (*RFM.columns, *RFM.optional, *more)
    return check(_customers(days, end).select(names).collect(), RFM)


def _customers(days: pl.DataFrame, end: date | None) -> pl.LazyFrame:
    """Return the summary of order days that are sorted by customer and day.

    A sum over a customer's repeat orders is the running sum at the last order less the one at the first.
    """
    day, first, last = pl.col("day"), _differs("customer_id", 1), _differs("customer_id", -1)

    def between(running: pl.Expr) -> pl.Expr:
        return running.filter(last) - running.filter(first)

    gap = (day - day.shift(1)).dt.total_days()
    # The gap to another customer's order, which no sum holds, may be any number.
    log_gap = (gap.clip(lower_bound=1).log().fill_null(0) * _LOG_UNITS).round().cast(pl.Int64)
    cents = pl.col("cents")
    summary = days.lazy().select(
        customer_id=pl.col("customer_id").filter(first),
        first_order=day.filter(first),
        last_order=day.filter(last),
        first_cents=cents.filter(first),
        frequency=between(pl.int_range(pl.len(), dtype=pl.Int64)),
        recency_days=between(day).dt.total_days(),
        age_days=((day.max() if end is None else pl.lit(end)) - day.filter(first)).dt.total_days(),
        cents=between(cents.cum_sum()),
        log_gaps=between(log_gap.cum_sum()) / _LOG_UNITS,
    )
    frequency = pl.col("frequency")
    return summary.with_columns(
        monetary_value=pl.when(frequency > 0).then(cents / (frequency * CENTS)),
        orders_to_date=frequency + 1,
        spend_to_date=money(cents + pl.col("first_cents")),
    )


def holdout(transactions: Orders, *, after: date, until: date) -> pl.DataFrame:
    """Count what each customer known at the end of `after` ordered later, up to and including `until`.

    Parameters
    ----------
    transactions
        Clean orders: what `read_transactions` or `read_shop` returns, or a frame under TRANSACTIONS.
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
        raise DataError(f"after must be before until; found {after} and {until}.")
    later = pl.col("day") > after
    customers = (
        order_days(transactions, until)
        .group_by("customer_id", maintain_order=True)
        .agg(
            first_day=pl.col("day").first(),
            holdout_orders=later.sum().cast(pl.Int64),
            cents=pl.col("cents").filter(later).sum(),
        )
    )
    known = customers.filter(pl.col("first_day") <= after)
    if known.is_empty():
        raise DataError(f"there is no customer with an order up to {after}.")
    return known.select("customer_id", "holdout_orders", holdout_amount=money(pl.col("cents")))


def cumulative_repeat_orders(transactions: Orders, *, until: date) -> pl.DataFrame:
    """Count repeat orders along the calendar, for a tracking plot.

    Parameters
    ----------
    transactions
        Clean orders: what `read_transactions` or `read_shop` returns, or a frame under TRANSACTIONS.
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
        days.with_columns(first=_differs("customer_id", 1))
        .group_by("day")
        .agg(orders=pl.len().cast(pl.Int64), firsts=pl.col("first").sum().cast(pl.Int64))
    )
    if counts.is_empty():
        raise DataError(f"there is no order up to {until}.")
    calendar = counts.select(day=pl.date_range(pl.col("day").min(), pl.lit(until), interval="1d"))
    return (
        calendar.join(counts, on="day", how="left", maintain_order="left")
        .fill_null(0)
        .select("day", repeat_orders=(pl.col("orders") - pl.col("firsts")).cum_sum(), first_orders="firsts")
    )
