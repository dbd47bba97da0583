"""Orders in; what each of them counts, by period and customer, out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from cxsim.metrics.view import View, cents, has, placed, somebody, yes
from cxsim.shop import Period, Shop

# A return is counted if it comes within this time; younger orders are not looked at yet.
MATURE = timedelta(days=30)


def order_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `orders`: one row per order, in the period in which it was placed."""
    if shop.orders is None:
        return {}
    rows = placed(shop.orders, pl.col("ordered_at"), periods)
    columns = {"orders": pl.lit(1, dtype=pl.Int64), "revenue": cents("amount")}
    columns |= {name: cents(name) for name in ("list_amount", "markdown", "charged") if has(rows, name)}
    if has(rows, "cost"):
        known = pl.col("cost").is_not_null()
        columns |= {"costed": yes(known), "margin": pl.when(known).then(cents("amount") - cents("cost")).otherwise(0)}
    if has(rows, "units"):
        columns["units"] = pl.col("units")
    if has(rows, "coupon"):
        columns["with_coupon"] = yes(pl.col("coupon").is_not_null())
    if has(rows, "incident"):
        columns["with_incident"] = yes(pl.col("incident").is_not_null())
    return {"orders": View(rows=rows.select("period", customer=somebody(rows, "order_id"), **columns))}


def member_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `buyers`: one row per customer and period with an order, and whether they were members then."""
    if shop.orders is None or shop.members is None:
        return {}
    bought = placed(shop.orders, pl.col("ordered_at"), periods).drop_nulls("customer_id")
    spans = shop.members.select("customer_id", "joined_at", "left_at")
    member = (pl.col("joined_at") <= pl.col("ordered_at")) & (
        pl.col("left_at").is_null() | (pl.col("left_at") > pl.col("ordered_at"))
    )
    rows = (
        bought.select("period", "customer_id", "ordered_at")
        .join(spans, on="customer_id", how="left")
        .group_by("period", customer=pl.col("customer_id"))
        .agg(members=yes(member.any()))
        .with_columns(buyers=pl.lit(1, dtype=pl.Int64))
    )
    return {"buyers": View(rows=rows, grain="customer")}


def return_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `matured`: orders in the period in which they became 30 days old, and what came back of them by then."""
    views: dict[str, View] = {}
    if shop.orders is None:
        return views
    rows = placed(shop.orders, pl.col("ordered_at") + MATURE, periods)
    told = {"orders": pl.lit(1, dtype=pl.Int64), "revenue": cents("amount"), "customer": somebody(rows, "order_id")}
    if has(rows, "refunded"):
        refunded = {"refunds": yes(pl.col("refunded") > 0), "refunded": cents("refunded"), "charged": cents("charged")}
        if not has(rows, "charged"):
            refunded["charged"] = cents("amount")
        views["refunded"] = View(rows=rows.select("period", **told, **refunded))
    if shop.returns is not None:
        units = {"units": pl.col("units")} if has(rows, "units") and has(shop.returns, "units") else {}
        kept = rows.select("period", "order_id", "ordered_at", **told, **units)
        views["matured"] = View(rows=_with_returns(kept, shop.returns))
    return views


def _with_returns(orders: pl.LazyFrame, returns: pl.LazyFrame) -> pl.LazyFrame:
    back = [pl.len().alias("parcels"), cents("refund").sum().alias("refunded")]
    if has(orders, "units"):
        back.append(pl.col("units").sum().alias("units_back"))
    soon = (
        returns.select("order_id", "returned_at", "refund", *(["units"] if has(orders, "units") else []))
        .join(orders.select("order_id", "ordered_at"), on="order_id")
        .filter(pl.col("returned_at") < pl.col("ordered_at") + MATURE)
        .group_by("order_id")
        .agg(back)
    )
    joined = orders.join(soon, on="order_id", how="left").with_columns(returned=yes(pl.col("parcels").is_not_null()))
    numbers = [name for name in ("refunded", "units", "units_back") if has(joined, name)]
    return joined.select("period", "customer", "orders", "revenue", "returned", pl.col(numbers).fill_null(0))
