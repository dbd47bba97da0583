"""What metrics are counted over: rows that belong to a period and to somebody, with whole numbers to add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import polars as pl

from cxsim.shop import Period, Shop
from cxsim.units import CENTS

_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class View:
    """Rows to be added up.

    Attributes
    ----------
    rows
        period (place among the periods, from 0), customer (whoever is independent of the others: a customer, or a guest
        order, or a visitor), and columns of whole numbers: counts, cents, seconds, scores.
    grain
        `customer` if there is one row for each period and customer already, else `row`.
    """

    rows: pl.LazyFrame
    grain: Literal["row", "customer"] = "row"


Views = Callable[[Shop, Sequence[Period]], dict[str, View]]


def placed(rows: pl.LazyFrame, at: pl.Expr, periods: Sequence[Period]) -> pl.LazyFrame:
    """Return the rows whose moment lies within the periods, with the place of theirs in a column `period`."""
    first, last = periods[0], periods[-1]
    inside = rows.filter((at >= first.start) & (at < last.end))
    if first.end - first.start == _WEEK:
        place = (at - first.start).dt.total_days() // 7
    else:
        place = 12 * at.dt.year().cast(pl.Int32) + at.dt.month() - (12 * first.start.year + first.start.month)
    return inside.with_columns(period=place.cast(pl.Int32))


def cents(amount: str) -> pl.Expr:
    """Return a column of money in whole cents, none as 0."""
    return (pl.col(amount).fill_null(0.0) * CENTS).round().cast(pl.Int64)


def yes(condition: pl.Expr) -> pl.Expr:
    """Return a condition as 1 or 0, unknown as 0."""
    return condition.fill_null(value=False).cast(pl.Int64)


def somebody(table: pl.LazyFrame, row: str) -> pl.Expr:
    """Return the customer of a row, and for a guest the row itself: whoever is independent of the others."""
    guest = pl.format("\0{}", row)
    return pl.coalesce("customer_id", guest) if "customer_id" in table.collect_schema() else guest


def has(table: pl.LazyFrame, column: str) -> bool:
    """Return whether a table has a column."""
    return column in table.collect_schema()
