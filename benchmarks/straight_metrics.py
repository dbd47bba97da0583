"""The dashboard's sums written straight in polars, week by week, as an analyst would who wants these numbers alone.

The same metrics with the same sums over customers, from which values and intervals follow; no catalogue, no estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import polars as pl

from cxsim.data.shop import Period, Shop
from cxsim.metrics.views import KEEPING, WINDOWS

_MONTH = timedelta(days=30)
_WEEK = timedelta(days=7)


def straight(shop: Shop, weeks: Sequence[Period]) -> dict[str, pl.DataFrame]:
    """Return the sums of each part of the dashboard by week."""
    orders, tickets, surveys, returns = (shop.table(name) for name in ("orders", "tickets", "surveys", "returns"))
    return {
        "orders": _orders(orders, weeks),
        **_lives(orders, weeks),
        "retention": _retention(orders, weeks),
        "returns": _returns(orders, returns, weeks),
        **_tickets(tickets, orders, weeks),
        "waits": _waits(shop, weeks),
        "surveys": _surveys(surveys, weeks),
    }


def _in_weeks(table: pl.LazyFrame, at: pl.Expr, weeks: Sequence[Period]) -> pl.LazyFrame:
    inside = table.filter((at >= weeks[0].start) & (at < weeks[-1].end))
    return inside.with_columns(week=(at - weeks[0].start).dt.total_days() // 7)


def _sums(rows: pl.LazyFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return sums, squares and products of all columns with the first, over customers; also of the last two weeks."""
    grouped = rows.group_by("week", "customer_id").agg(pl.col(list(columns)).sum())
    by_customer = grouped.collect(engine="streaming")
    first = pl.col(columns[0])
    squares = [(pl.col(name) ** 2).sum().alias(f"{name}_squared") for name in columns]
    products = [(pl.col(name) * first).sum().alias(f"{name}_product") for name in columns]
    sentence = by_customer.lazy().group_by("week").agg(pl.col(list(columns)).sum(), *squares, *products)
    last = by_customer["week"].max()
    now, before = (by_customer.lazy().filter(pl.col("week") == week) for week in (last, last - 1))
    shared = now.join(before, on="customer_id", suffix="_before").select(
        [(pl.col(name) * pl.col(f"{name}_before")).sum().alias(f"{name}_shared") for name in columns]
    )
    both = pl.collect_all([sentence, shared], engine="streaming")
    return both[0].join(both[1], how="cross").sort("week")


def _orders(orders: pl.LazyFrame, weeks: Sequence[Period]) -> pl.DataFrame:
    rows = _in_weeks(orders, pl.col("ordered_at"), weeks).with_columns(
        number=pl.lit(1), margin=pl.col("amount") - pl.col("cost")
    )
    return _sums(rows, ("number", "amount", "list_amount", "markdown", "margin", "units"))


def _lives(orders: pl.LazyFrame, weeks: Sequence[Period]) -> Mapping[str, pl.DataFrame]:
    since = weeks[0].start - timedelta(days=365)
    first = orders.group_by("customer_id").agg(first_at=pl.col("ordered_at").min())
    first = first.filter((pl.col("first_at") >= since) & (pl.col("first_at") < weeks[-1].end))
    age = pl.col("ordered_at") - pl.col("first_at")
    later = pl.col("ordered_at").dt.date() > pl.col("first_at").dt.date()
    sums = []
    for days in WINDOWS:
        soon = age < timedelta(days=days)
        sums += [
            (soon & later).any().cast(pl.Float64).alias(f"again_{days}"),
            soon.sum().cast(pl.Float64).alias(f"orders_{days}"),
            pl.when(soon).then("amount").otherwise(0.0).sum().alias(f"spend_{days}"),
            pl.when(soon).then(pl.col("amount") - pl.col("cost")).otherwise(0.0).sum().alias(f"margin_{days}"),
        ]
    lives = (
        orders.filter(pl.col("ordered_at") >= since)
        .join(first, on="customer_id")
        .filter(age < timedelta(days=365))
        .group_by("customer_id")
        .agg(pl.col("first_at").first(), *sums)
        .collect(engine="streaming")
        .lazy()
    )
    parts = {"new": _in_weeks(lives, pl.col("first_at"), weeks).group_by("week").agg(pl.len())}
    for days in WINDOWS:
        names = [f"{name}_{days}" for name in ("again", "orders", "spend", "margin")]
        squares = [(pl.col(name) ** 2).sum().alias(f"{name}_squared") for name in names]
        ended = _in_weeks(lives, pl.col("first_at") + timedelta(days=days), weeks)
        parts[f"after_{days}"] = ended.group_by("week").agg(pl.len(), pl.col(names).sum(), *squares)
    return {name: part.collect().sort("week") for name, part in parts.items()}


def _retention(orders: pl.LazyFrame, weeks: Sequence[Period]) -> pl.DataFrame:
    at = pl.col("ordered_at")
    flags = []
    for place, week in enumerate(weeks):
        middle = week.end - KEEPING
        flags.append(((at >= middle - KEEPING) & (at < middle)).any().alias(f"was_{place}"))
        flags.append(((at >= middle) & (at < week.end)).any().alias(f"is_{place}"))
    people = orders.filter((at >= weeks[0].end - 2 * KEEPING) & (at < weeks[-1].end)).group_by("customer_id").agg(flags)
    counts = []
    for place in range(len(weeks)):
        was = pl.col(f"was_{place}")
        counts += [was.sum(), (was & pl.col(f"is_{place}")).sum().alias(f"kept_{place}")]
    return people.select(counts).collect(engine="streaming")


def _returns(orders: pl.LazyFrame, returns: pl.LazyFrame, weeks: Sequence[Period]) -> pl.DataFrame:
    rows = _in_weeks(orders, pl.col("ordered_at") + _MONTH, weeks)
    back = (
        returns.join(rows.select("order_id", "ordered_at"), on="order_id")
        .filter(pl.col("returned_at") < pl.col("ordered_at") + _MONTH)
        .group_by("order_id")
        .agg(pl.col("refund").sum(), returned=pl.lit(1))
    )
    sentence = rows.join(back, on="order_id", how="left").with_columns(pl.col("refund", "returned").fill_null(0))
    return _sums(sentence.with_columns(number=pl.lit(1)), ("number", "amount", "returned", "refund"))


def _tickets(tickets: pl.LazyFrame, orders: pl.LazyFrame, weeks: Sequence[Period]) -> Mapping[str, pl.DataFrame]:
    one, none = pl.lit(1), pl.lit(0)
    asked = _in_weeks(tickets, pl.col("created_at"), weeks).select("week", "customer_id", orders=none, tickets=one)
    bought = _in_weeks(orders, pl.col("ordered_at"), weeks).select("week", "customer_id", orders=one, tickets=none)
    old = _in_weeks(tickets, pl.col("created_at") + _WEEK, weeks)
    settled = old.select("week", "customer_id", tickets=one, first=pl.col("solved_at_first").cast(pl.Int64))
    month_old = _in_weeks(tickets, pl.col("created_at") + _MONTH, weeks)
    since = pl.col("ordered_at") - pl.col("created_at")
    followed = (
        orders.filter((pl.col("ordered_at") > weeks[0].start - _MONTH) & (pl.col("ordered_at") < weeks[-1].end))
        .select("customer_id", "ordered_at")
        .join(month_old.select("ticket_id", "customer_id", "created_at"), on="customer_id")
        .filter((since > timedelta()) & (since <= _MONTH))
        .select("ticket_id", followed=one)
        .unique()
    )
    supported = month_old.join(followed, on="ticket_id", how="left").select(
        "week", "customer_id", tickets=one, followed=pl.col("followed").fill_null(0)
    )
    return {
        "tickets": _sums(asked, ("tickets",)),
        "service": _sums(pl.concat([asked, bought]), ("orders", "tickets")),
        "settled": _sums(settled, ("tickets", "first")),
        "supported": _sums(supported, ("tickets", "followed")),
    }


def _waits(shop: Shop, weeks: Sequence[Period]) -> pl.DataFrame:
    rows = _in_weeks(shop.table("tickets"), pl.col("created_at"), weeks)
    parts = []
    for column in ("first_response_at", "resolved_at"):
        ended = (pl.col(column) < shop.until).fill_null(value=False)
        until = pl.when(ended).then(pl.col(column)).otherwise(pl.lit(shop.until))
        waited = rows.select("week", ended=ended, seconds=(until - pl.col("created_at")).dt.total_seconds())
        parts.append(waited.group_by("week", "seconds", "ended").agg(pl.len()))
    return pl.concat(pl.collect_all(parts, engine="streaming")).sort("week", "seconds")


def _surveys(surveys: pl.LazyFrame, weeks: Sequence[Period]) -> pl.DataFrame:
    score = pl.col("score")
    points = (score >= 9).cast(pl.Int64) - (score <= 6).cast(pl.Int64)
    rows = _in_weeks(surveys, pl.col("sent_at"), weeks).select(
        "week",
        "customer_id",
        asked=pl.lit(1),
        answered=score.is_not_null().cast(pl.Int64),
        points=points.fill_null(0),
    )
    return _sums(rows, ("asked", "answered", "points"))
