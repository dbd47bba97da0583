"""Tickets and orders in; what support did, by period and customer, and how long customers waited, out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from cxsim.metrics.view import View, cents, has, placed, somebody, yes
from cxsim.shop import Period, Shop

# A ticket of this age without an answer that settled it was not settled by the first one.
SETTLED = timedelta(days=7)
# An order within this time after a ticket is counted as following it.
FOLLOWING = timedelta(days=30)
WAITS = {"first_response": "first_response_at", "resolution": "resolved_at"}


def ticket_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `tickets`, `settled`, `supported` and, where there are orders, `service`: tickets beside orders."""
    if shop.tickets is None:
        return {}
    one = pl.lit(1, dtype=pl.Int64)
    who = somebody(shop.tickets, "ticket_id")
    rows = placed(shop.tickets, pl.col("created_at"), periods)
    told = {"reopened": yes(pl.col("reopens") > 0)} if has(rows, "reopens") else {}
    if has(rows, "compensation"):
        told["compensation"] = cents("compensation")
    views = {"tickets": View(rows=rows.select("period", customer=who, tickets=one, **told))}
    if has(rows, "solved_at_first"):
        week_old = placed(shop.tickets, pl.col("created_at") + SETTLED, periods)
        first = yes(pl.col("solved_at_first"))
        views["settled"] = View(rows=week_old.select("period", customer=who, tickets=one, first=first))
    if shop.orders is not None:
        orders = placed(shop.orders, pl.col("ordered_at"), periods)
        bought = orders.select("period", customer=somebody(shop.orders, "order_id"), orders=one, tickets=0 * one)
        asked = rows.select("period", customer=who, orders=0 * one, tickets=one)
        views["service"] = View(rows=pl.concat([bought, asked]))
        views["supported"] = View(rows=_supported(shop.tickets, shop.orders, periods))
    return views


def waits(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return how long the tickets of each period waited: period, seconds, ended (0 while it still waits), tickets.

    Two tables, `first_response` and `resolution`; a ticket that waits at the end has waited until then.
    """
    if shop.tickets is None:
        return {}
    rows = placed(shop.tickets, pl.col("created_at"), periods)
    found = {}
    for name, column in WAITS.items():
        if has(rows, column):
            ended = (pl.col(column) < shop.until).fill_null(value=False)
            until = pl.when(ended).then(pl.col(column)).otherwise(pl.lit(shop.until))
            waited = rows.select("period", ended=ended, seconds=(until - pl.col("created_at")).dt.total_seconds())
            found[name] = waited.group_by("period", "seconds", "ended").agg(tickets=pl.len())
    return found


def _supported(tickets: pl.LazyFrame, orders: pl.LazyFrame, periods: Sequence[Period]) -> pl.LazyFrame:
    asked = placed(tickets, pl.col("created_at") + FOLLOWING, periods).drop_nulls("customer_id")
    asked = asked.select("period", "ticket_id", "customer_id", "created_at")
    span = (pl.col("ordered_at") > periods[0].start - FOLLOWING) & (pl.col("ordered_at") < periods[-1].end)
    since = pl.col("ordered_at") - pl.col("created_at")
    followed = (
        orders.filter(span)
        .select("customer_id", "ordered_at")
        .join(asked.select("ticket_id", "customer_id", "created_at"), on="customer_id")
        .filter((since > timedelta()) & (since <= FOLLOWING))
        .select("ticket_id")
        .unique()
        .with_columns(followed=pl.lit(1, dtype=pl.Int64))
    )
    told = asked.join(followed, on="ticket_id", how="left")
    one = pl.lit(1, dtype=pl.Int64)
    return told.select("period", customer="customer_id", tickets=one, followed=pl.col("followed").fill_null(0))
