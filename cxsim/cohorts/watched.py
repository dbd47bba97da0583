"""A shop in; its customers with their first orders, and how long after it each order came, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import DataError
from cxsim.shop import Shop
from cxsim.units import MICROS

Money = Literal["revenue", "margin"]
IntArray = npt.NDArray[np.int64]

MICROSECONDS_PER_DAY = 86_400_000_000
# Above this share of orders without a customer, what customers do over time is told of too few of them.
_TOO_MANY_GUESTS = 0.2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Watched:
    """Customers and their orders; both in no particular order, so that only exact sums may be taken over them.

    Attributes
    ----------
    customers
        `customer_id`; `customer`, their place; `first`, the moment of the first order that is seen; `left`, in
        microseconds, the time from there to the end; `new`: yes, no, or uncertain.
    customer
        Of each order, the place of its customer.
    since
        Of each order, microseconds after the first one.
    money
        Of each order, by what is counted, in millionths of the currency.
    caution
        What holds for all that is measured of them; empty where there is nothing.
    """

    customers: pl.DataFrame
    customer: IntArray
    since: IntArray
    money: Mapping[str, IntArray]
    caution: str


def watched(
    shop: Shop, *, money: Sequence[Money] = (), margin_share: float | None = None, uncertain_days: int = 90
) -> Watched:
    """Return the customers of a shop, and how long after their first order each order came."""
    if uncertain_days < 0:
        raise DataError(f"uncertain_days is {uncertain_days}; it must be at least 0.")
    named, guests = _named(shop)
    customers = _customers(shop, named, uncertain_days)
    places = customers.lazy().select("customer_id", "customer", "first")
    since = (_moment() - pl.col("first")).dt.total_microseconds()
    worth = [_worth(shop, what, margin_share).alias(what) for what in money]
    rows = named.join(places, on="customer_id").select("customer", *worth, since=since).collect(engine="streaming")
    for what in money:
        _refuse_unknown(shop, rows[what])
    return Watched(
        customers=customers,
        customer=rows["customer"].to_numpy(),
        since=rows["since"].to_numpy(),
        money={what: rows[what].to_numpy() for what in money},
        caution=f"{guests:.0%} of the orders name no customer" if guests > _TOO_MANY_GUESTS else "",
    )


def first_values(shop: Shop, seen: Watched, column: str) -> pl.Series:
    """Return what the first order of each customer has in a column, as text; null where it has nothing.

    Of several orders at the same first moment, the value that comes first in the alphabet counts.
    """
    named, _ = _named(shop)
    places = seen.customers.lazy().select("customer_id", "customer", "first")
    values = (
        named.select("customer_id", at=_moment(), value=pl.col(column).cast(pl.String))
        .join(places, on="customer_id")
        .filter(pl.col("at") == pl.col("first"))
        .group_by("customer")
        .agg(pl.col("value").min())
        .sort("customer")
        .collect(engine="streaming")
    )
    return values["value"]


def _named(shop: Shop) -> tuple[pl.LazyFrame, float]:
    """Return the orders that name a customer, and the share of those that do not."""
    reason = shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason}")
    inside = pl.col("ordered_at").is_between(shop.since, shop.until, closed="left")
    orders = shop.table("orders").filter(inside)
    total, named = (
        orders.select(pl.len(), pl.col("customer_id").count().alias("named")).collect(engine="streaming").row(0)
    )
    if named == 0:
        raise DataError(
            f"{shop.name}: none of {total:,} orders from {shop.since:%Y-%m-%d} to before {shop.until:%Y-%m-%d} names a "
            "customer; cohorts need at least one that does."
        )
    return orders.filter(pl.col("customer_id").is_not_null()), 1 - named / total


def _customers(shop: Shop, named: pl.LazyFrame, uncertain_days: int) -> pl.DataFrame:
    numbered = "order_number" in named.collect_schema()
    number = {"number": pl.col("order_number").min()} if numbered else {}
    left = (pl.lit(shop.until, dtype=pl.Datetime("us")) - pl.col("first")).dt.total_microseconds()
    if numbered:
        new = pl.when(pl.col("number") == 1).then(pl.lit("yes")).otherwise(pl.lit("no"))
    elif shop.opening:
        new = pl.lit("yes")
    else:
        certain = pl.col("first") >= shop.since + timedelta(days=uncertain_days)
        new = pl.when(certain).then(pl.lit("yes")).otherwise(pl.lit("uncertain"))
    return (
        named.group_by("customer_id")
        .agg(first=_moment().min(), **number)
        .with_row_index("customer")
        .select("customer_id", pl.col("customer").cast(pl.Int64), "first", left=left, new=new.cast(_NEW))
        .collect(engine="streaming")
    )


def _moment() -> pl.Expr:
    return pl.col("ordered_at").dt.cast_time_unit("us")


def _worth(shop: Shop, what: Money, margin_share: float | None) -> pl.Expr:
    amount = pl.col("amount")
    if what == "revenue":
        worth = amount
    elif margin_share is not None:
        if not 0 < margin_share <= 1:
            raise DataError(f"the margin share lies above 0 and is 1 at most, as 0.6; found {margin_share}.")
        worth = amount * margin_share
    else:
        reason = shop.missing("orders.cost")
        if reason is not None:
            raise DataError(f"{shop.name}: the margin is not known: {reason} Hand in margin_share, such as 0.6.")
        worth = amount - pl.col("cost")
    return (worth * MICROS).round().cast(pl.Int64)


def _refuse_unknown(shop: Shop, worth: pl.Series) -> None:
    if worth.null_count():
        raise DataError(
            f"{shop.name}: the cost of {worth.null_count():,} of {worth.len():,} orders is missing, and with it their "
            "margin; hand in margin_share, such as 0.6, or leave the margin out."
        )


def as_day(moment: datetime) -> str:
    """Return the day of a moment as it is written in a caution.

    >>> as_day(datetime(2024, 3, 1, 12))
    '2024-03-01'
    """
    return f"{moment:%Y-%m-%d}"


_NEW = pl.Enum(["yes", "no", "uncertain"])
