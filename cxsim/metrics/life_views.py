"""Orders in; what customers did in the first days after their first order, and who came back, out.

Every customer is looked at for equally long: in the period in which the 90th day ends, say. So a shop that grows and
one that shrinks are measured alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from cxsim.metrics.view import View, cents, has, placed, yes
from cxsim.shop import Period, Shop

WINDOWS = (30, 60, 90, 180, 365)
# Customers were active if they ordered in this time, and are kept if they order in the same time after it.
KEEPING = timedelta(days=90)


def life_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `newcomers`, in the period of the first order, and `after_30` to `after_365`, when so many days are over.

    Columns of the latter: customers, again (1 for who ordered on a later day), orders, spend and margin within them.
    """
    if shop.missing("orders.customer_id") is not None:
        return {}
    lives = _lives(shop, periods).lazy()
    one = pl.lit(1, dtype=pl.Int64)
    first = pl.col("first_at")
    new = placed(lives, first, periods).select("period", "customer", customers=one)
    views = {"newcomers": View(rows=new, grain="customer")}
    for days in WINDOWS:
        ended = placed(lives, first + timedelta(days=days), periods)
        within = {name: pl.col(f"{name}_{days}") for name in ("again", "orders", "spend", "margin")}
        told = {name: column for name, column in within.items() if has(lives, f"{name}_{days}")}
        views[f"after_{days}"] = View(rows=ended.select("period", "customer", customers=one, **told), grain="customer")
    return views


def _lives(shop: Shop, periods: Sequence[Period]) -> pl.DataFrame:
    """Return one row per customer whose first days are needed."""
    orders = shop.table("orders").drop_nulls("customer_id")
    since = periods[0].start - timedelta(days=max(WINDOWS))
    firsts = _first_orders(orders).filter((pl.col("first_at") >= since) & (pl.col("first_at") < periods[-1].end))
    costed = has(orders, "cost")
    spent = {"amount": cents("amount")} | ({"margin": cents("amount") - cents("cost")} if costed else {})
    asked = orders.filter(pl.col("ordered_at") >= since).select("customer_id", "ordered_at", **spent)
    later = pl.col("ordered_at") - pl.col("first_at")
    sums = []
    for days in WINDOWS:
        within = later < timedelta(days=days)
        sums += [
            (within & (pl.col("ordered_at").dt.date() > pl.col("first_at").dt.date()))
            .any()
            .cast(pl.Int64)
            .alias(f"again_{days}"),
            within.sum().cast(pl.Int64).alias(f"orders_{days}"),
            pl.when(within).then("amount").otherwise(0).sum().alias(f"spend_{days}"),
        ]
        if costed:
            sums.append(pl.when(within).then("margin").otherwise(0).sum().alias(f"margin_{days}"))
    return (
        asked.join(firsts, on="customer_id")
        .filter(later < timedelta(days=max(WINDOWS)))
        .group_by(customer=pl.col("customer_id"))
        .agg(pl.col("first_at").first(), *sums)
        .collect(engine="streaming")
    )


def _first_orders(orders: pl.LazyFrame) -> pl.LazyFrame:
    """Return the moment of each customer's first order; where orders are numbered, of those whose first is there."""
    if not has(orders, "order_number"):
        return orders.group_by("customer_id").agg(first_at=pl.col("ordered_at").min())
    return orders.filter(pl.col("order_number") == 1).group_by("customer_id").agg(first_at=pl.col("ordered_at").min())


def kept_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `active`: who ordered 180 to 90 days before the end of a period, and who of them did in the 90 days since.

    Periods that would look back to before the shop was observed have no rows.
    """
    if shop.missing("orders.customer_id") is not None:
        return {}
    seen = {place: period for place, period in enumerate(periods) if period.end - 2 * KEEPING >= shop.since}
    return {"active": View(rows=_masked(shop.table("orders"), seen), grain="customer")} if seen else {}


def _masked(orders: pl.LazyFrame, periods: Mapping[int, Period]) -> pl.LazyFrame:
    """One bit for each period in two whole numbers per customer, so that the orders are passed over only once."""
    start, end = (when(period.end for period in periods.values()) for when in (min, max))
    start -= 2 * KEEPING
    day = (pl.col("ordered_at") - start).dt.total_days()
    was, stayed = (_bits(start, end, periods, back) for back in (2, 1))
    masks = (
        orders.filter((pl.col("ordered_at") >= start) & (pl.col("ordered_at") < end))
        .drop_nulls("customer_id")
        .select(customer="customer_id", was=pl.lit(was).gather(day), stayed=pl.lit(stayed).gather(day))
        .group_by("customer")
        .agg(pl.col("was").bitwise_or(), pl.col("stayed").bitwise_or())
        .collect(engine="streaming")
        .lazy()
    )
    return pl.concat([_of_period(masks, place) for place in periods])


def _of_period(masks: pl.LazyFrame, place: int) -> pl.LazyFrame:
    bit = pl.lit(1 << place, dtype=pl.Int64)
    stayed = yes((pl.col("stayed") & bit) != 0)
    one = pl.lit(1, dtype=pl.Int64)
    rows = masks.filter((pl.col("was") & bit) != 0)
    return rows.select("customer", period=pl.lit(place, dtype=pl.Int32), active=one, kept=stayed, lost=one - stayed)


def _bits(start: datetime, end: datetime, periods: Mapping[int, Period], back: int) -> pl.Series:
    """Return for each day the periods before whose end it lies `back` to `back - 1` times 90 days."""
    days = [start + timedelta(days=number) for number in range((end - start).days)]
    spans = {
        place: (period.end - back * KEEPING, period.end - (back - 1) * KEEPING) for place, period in periods.items()
    }
    masks = [sum(1 << place for place, (low, high) in spans.items() if low <= day < high) for day in days]
    return pl.Series(masks, dtype=pl.Int64)
