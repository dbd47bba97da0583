"""Clean order lines go in; one row per customer under RFM comes out."""

from __future__ import annotations

from datetime import date

import polars as pl

from cxsim.data.order_days import Orders, first_of_customer, last_of_customer, order_days
from cxsim.data.transactions import Transactions
from cxsim.errors import DataError
from cxsim.tables import RFM, check
from cxsim.units import CENTS

# Logarithms are summed in whole units of 2**-30, so that no order of summing can make a difference. A power of two,
# because polars divides by others through their reciprocal, and not always to the same last bit.
_LOG_UNITS = 2**30


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
    end = transactions.until if until is None and isinstance(transactions, Transactions) else until
    days = order_days(transactions, end)
    if days.is_empty():
        raise DataError("there is no order to summarise" + ("." if end is None else f" up to {end.isoformat()}."))
    return check(_customers(days, end), RFM)


def _customers(days: pl.DataFrame, end: date | None) -> pl.DataFrame:
    """Return the summary of order days that are sorted by customer and day.

    A sum over a customer's repeat orders is the running sum at the last order less the one at the first.
    """
    day, first, last = pl.col("day"), first_of_customer(), last_of_customer()

    def between(running: pl.Expr) -> pl.Expr:
        return running.filter(last) - running.filter(first)

    gap = (day - day.shift(1)).dt.total_days()
    # The gap to another customer's order, which no sum holds, may be any number.
    log_gap = (gap.clip(lower_bound=1).log().fill_null(0) * _LOG_UNITS).round().cast(pl.Int64)
    summary = days.lazy().select(
        customer_id=pl.col("customer_id").filter(first),
        frequency=between(pl.int_range(pl.len(), dtype=pl.Int64)),
        recency_days=between(day).dt.total_days(),
        age_days=((day.max() if end is None else pl.lit(end)) - day.filter(first)).dt.total_days(),
        cents=between(pl.col("cents").cum_sum()),
        log_gaps=between(log_gap.cum_sum()) / _LOG_UNITS,
    )
    frequency = pl.col("frequency")
    mean = pl.when(frequency > 0).then(pl.col("cents") / (frequency * CENTS))
    names = ("customer_id", "frequency", "recency_days", "age_days", "monetary_value", "log_gaps")
    return summary.with_columns(monetary_value=mean).select(names).collect()
