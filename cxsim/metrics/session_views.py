"""Visits and orders in; who visited and who bought, by period and visitor, out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cxsim.metrics.view import View, cents, has, placed, yes
from cxsim.shop import Period, Shop


def session_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `sessions`, one row per visit, and `visitors`, one row per visitor and period."""
    if shop.sessions is None:
        return {}
    rows = placed(shop.sessions, pl.col("started_at"), periods)
    known = [name for name in ("visitor_id", "customer_id") if has(rows, name)]
    who = pl.coalesce(*known, pl.format("\0{}", "session_id"))
    one = pl.lit(1, dtype=pl.Int64)
    sessions = rows.select(
        "period", "order_id", customer=who, sessions=one, converted=yes(pl.col("order_id").is_not_null())
    )
    summed = ["sessions", "converted"]
    if shop.orders is not None:
        # A visit may begin in one period and its order come in the next, so the orders are not cut to the periods.
        paid = shop.orders.filter(pl.col("ordered_at") >= periods[0].start).select("order_id", revenue=cents("amount"))
        sessions = sessions.join(paid, on="order_id", how="left").with_columns(pl.col("revenue").fill_null(0))
        summed.append("revenue")
    visitors = sessions.group_by("period", "customer").agg(pl.col(summed).sum())
    told = visitors.with_columns(visitors=one, converted=pl.col("converted").clip(0, 1))
    return {"sessions": View(rows=sessions.drop("order_id")), "visitors": View(rows=told, grain="customer")}
