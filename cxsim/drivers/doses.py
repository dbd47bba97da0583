"""A shop in; what share of orders is followed by another, by how much of something was met, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import polars as pl

from cxsim.errors import DataError, choices
from cxsim.intervals import RatioSums, ratio
from cxsim.measured import DOSES
from cxsim.shop import Shop
from cxsim.tables import check, empty

_FEWEST = 30
_MICROSECONDS_OF_A_DAY = 86_400_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Dose:
    """Something of which there can be more or less.

    Attributes
    ----------
    unit
        As in `DOSES` of `cxsim.measured`.
    edges
        From where to where doses are looked at together, unless others are given; the last class is open.
    needs
        Columns without which it cannot be seen, as table.column.
    """

    unit: str
    edges: tuple[float, ...]
    needs: tuple[str, ...]


DOSES_OF = {
    "delivery days": Dose(
        unit="days", edges=(0, 1, 2, 3, 4, 5, 7, 10, 14), needs=("orders.ordered_at", "orders.delivered_at")
    ),
    "days to shipping": Dose(
        unit="days", edges=(0, 0.5, 1, 2, 3, 5, 7), needs=("orders.ordered_at", "orders.shipped_at")
    ),
    "hours to the first answer": Dose(
        unit="hours", edges=(0, 1, 2, 4, 8, 24, 48), needs=("tickets.created_at", "tickets.first_response_at")
    ),
    "returns so far": Dose(unit="count", edges=(0, 1, 2, 3), needs=("returns.order_id", "returns.returned_at")),
}


def dose_curve(
    shop: Shop, exposure: str, *, edges: Sequence[float] | None = None, window_days: int = 90
) -> pl.DataFrame:
    """Return the share of orders, or tickets, after which the customer ordered again, by dose.

    The days are counted from when the dose is known: the delivery, the shipping, the first answer; for returns, the
    order. Only what happened so long before the end of observation that the days are over takes part. What has no dose,
    as an order that was not delivered, does not.
    """
    dose = DOSES_OF.get(exposure)
    if dose is None:
        raise DataError(f"no dose '{exposure}'; {choices(exposure, DOSES_OF)}")
    bounds = tuple(float(edge) for edge in (dose.edges if edges is None else edges))
    if not bounds or any(low >= high for low, high in pairwise(bounds)):
        raise DataError(f"edges must ascend; found {', '.join(f'{edge:g}' for edge in bounds) or 'none'}.")
    if window_days < 1:
        raise DataError(f"window_days must be 1 or more; found {window_days}.")
    for need in ("orders.customer_id", *dose.needs):
        reason = shop.missing(need)
        if reason is not None:
            raise DataError(f"{shop.name}: {exposure} cannot be seen: {reason}")
    met = _met(shop, exposure).filter(
        pl.col("dose").is_not_null() & (pl.col("dose") >= bounds[0]) & pl.col("customer_id").is_not_null()
    )
    placed = pl.lit(bounds[0])
    for edge in bounds[1:]:
        placed = pl.when(pl.col("dose") >= edge).then(pl.lit(edge)).otherwise(placed)
    followed = _followed(shop, met.with_columns(bin=placed), window_days)
    return _summed(followed, exposure, dose.unit, bounds, f"ordered again within {window_days} days")


def _met(shop: Shop, exposure: str) -> pl.LazyFrame:
    """Return customer, dose, and the moment from which days are counted."""
    if exposure == "hours to the first answer":
        tickets = shop.table("tickets")
        return tickets.select(
            "customer_id", known_at="first_response_at", dose=24.0 * _days("created_at", "first_response_at")
        )
    orders = shop.table("orders")
    if exposure == "returns so far":
        return _returns_so_far(shop)
    known = "delivered_at" if exposure == "delivery days" else "shipped_at"
    return orders.select("customer_id", known_at=known, dose=_days("ordered_at", known))


def _returns_so_far(shop: Shop) -> pl.LazyFrame:
    orders = shop.table("orders").filter(pl.col("customer_id").is_not_null())
    returns = shop.table("returns").select("order_id", at="returned_at")
    back = returns.join(orders.select("order_id", "customer_id"), on="order_id").select("customer_id", "at")
    counted = back.sort("customer_id", "at").with_columns(
        dose=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("customer_id")
    )
    # A return at the very moment of an order counts for the next one.
    return (
        orders.select("customer_id", known_at="ordered_at")
        .sort("known_at")
        .join_asof(
            counted.sort("at"),
            left_on="known_at",
            right_on="at",
            by="customer_id",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .select("customer_id", "known_at", dose=pl.col("dose").fill_null(0).cast(pl.Float64))
    )


def _followed(shop: Shop, met: pl.LazyFrame, window_days: int) -> pl.LazyFrame:
    window = timedelta(days=window_days)
    orders = shop.table("orders").filter(pl.col("customer_id").is_not_null())
    moments = orders.select("customer_id", next_at=pl.col("ordered_at").cast(pl.Datetime("us")))
    known = met.with_columns(pl.col("known_at").cast(pl.Datetime("us")))
    return (
        known.filter(pl.col("known_at") + window <= shop.until)
        .sort("known_at")
        .join_asof(
            moments.sort("next_at"),
            left_on="known_at",
            right_on="next_at",
            by="customer_id",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(again=(pl.col("next_at") <= pl.col("known_at") + window).fill_null(value=False))
    )


def _summed(followed: pl.LazyFrame, exposure: str, unit: str, bounds: tuple[float, ...], outcome: str) -> pl.DataFrame:
    each = followed.group_by("bin", "customer_id").agg(
        x=pl.col("again").sum().cast(pl.Int64), n=pl.len().cast(pl.Int64), dose=pl.col("dose").sum()
    )
    x, n = pl.col("x"), pl.col("n")
    sums = each.sort("bin", "customer_id").group_by("bin", maintain_order=True)
    table = sums.agg(
        dose=pl.col("dose").sum() / n.sum(),
        units=pl.len(),
        x=x.sum(),
        n=n.sum(),
        xx=(x * x).sum(),
        nn=(n * n).sum(),
        xn=(x * n).sum(),
    ).collect()
    rows = {row["bin"]: row for row in table.iter_rows(named=True)}
    cells = []
    for low, high in pairwise((*bounds, float("inf"))):
        row = rows.get(low)
        if row is not None:
            sizes = {name: row[name] for name in ("units", "x", "n", "xx", "nn", "xn")}
            cells.append((exposure, unit, low, high, row["dose"], outcome, *_value(sizes), row["units"]))
    return check(pl.DataFrame(cells, schema=empty(DOSES).schema, orient="row"), DOSES)


def _value(sizes: dict[str, int]) -> tuple[float | None, float | None, float | None]:
    if sizes["units"] < _FEWEST:
        return None, None, None
    found = ratio(RatioSums(**sizes), scale=(0.0, 1.0))
    return found.value, found.low, found.high


def _days(start: str, end: str) -> pl.Expr:
    elapsed = pl.col(end).cast(pl.Datetime("us")) - pl.col(start).cast(pl.Datetime("us"))
    return elapsed.dt.total_microseconds() / _MICROSECONDS_OF_A_DAY
