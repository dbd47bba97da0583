"""A shop's orders, returns and visits in; incidents, returns and conversion, as the tables say them, out."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from cxsim.behaviour import Experience
from cxsim.intervals import median_of
from cxsim.overview.found import AMONG, COUNTED, CUSTOMER, FEWEST, Found, Gap, Reading, gaps, share
from cxsim.overview.maturity import ripe
from cxsim.quantity import Z95
from cxsim.shop import Shop
from cxsim.units import CENTS

_LEVEL = 0.9
_RETURNS = ("returns.chance", "returns.part", "returns.days")
_CONVERSION = "sessions.conversion"
# The least that a behaviour allows.
_LEAST_CONVERSION = 0.001
_PROMISES = {"late": 1, "early": -1}


def incident_path(place: int, field: str) -> str:
    """Return the path of a number of the incident at a place, from 0."""
    return f"experience.incidents.item_{place + 1}.{field}"


def told_orders(shop: Shop) -> tuple[pl.LazyFrame, frozenset[str]] | str:
    """Return the orders with what happened to them in `incident`, and the names that they can tell; or why not.

    Where the orders name no incidents, promised and actual days of delivery tell `late` and `early`.
    """
    reason = shop.missing("orders.incident")
    orders = shop.table("orders")
    if reason is None:
        names = orders.select(pl.col("incident").unique().sort()).collect()["incident"].drop_nulls()
        return (orders, frozenset(names)) if len(names) else "no order says that anything happened to it."
    if any(shop.missing(f"orders.{name}") for name in ("promised_at", "delivered_at")):
        return reason
    return _by_promise(orders, shop.until), frozenset(_PROMISES)


def incidents(shop: Shop, experience: Experience) -> list[Found]:
    """Return the chance of each incident."""
    paths = {incident_path(place, "chance"): one.name for place, one in enumerate(experience.incidents)}
    told = told_orders(shop)
    if isinstance(told, str):
        return gaps(tuple(paths), told)
    orders, names = told
    found: list[Found] = []
    for path, name in paths.items():
        if name in names:
            happened = (pl.col("incident") == name).fill_null(value=False)
            found.append(share(path, _counted(orders, happened), of="orders"))
        else:
            found.append(Gap(path=path, reason=f"no order says '{name}': it did not happen, or is not recorded."))
    return found


def returns(shop: Shop) -> list[Found]:
    """Return how often, how much and when orders are sent back."""
    reason = shop.missing("orders") or shop.missing("returns")
    if reason is not None:
        return gaps(_RETURNS, reason)
    back = (
        shop.table("returns")
        .group_by("order_id")
        .agg(pl.col("returned_at").min(), refund=(pl.col("refund") * CENTS).round().cast(pl.Int64).sum())
    )
    orders = shop.table("orders").select("order_id", CUSTOMER, "ordered_at", "amount")
    old, wait = ripe(orders, back, "returned_at", until=shop.until)
    known = old.join(back, on="order_id", how="left").collect(engine="streaming")
    sent = known.drop_nulls("returned_at")
    if sent.is_empty():
        return gaps(_RETURNS, f"no return belongs to one of the {known.height:,} orders that are old enough.")
    paid = (pl.col("amount") * CENTS).round().cast(pl.Int64)
    of = f"orders at least {wait / timedelta(days=1):.0f} days old"
    parts = sent.lazy().select(CUSTOMER, pl.col("refund").alias(COUNTED), paid.alias(AMONG))
    return [
        share(_RETURNS[0], _counted(known.lazy(), pl.col("returned_at").is_not_null()), of=of),
        share(_RETURNS[1], parts, of="what was paid for orders that came back"),
        _days(sent.select(days=(pl.col("returned_at") - pl.col("ordered_at")).dt.total_seconds() / 86_400)["days"]),
    ]


def conversion(shop: Shop) -> list[Found]:
    """Return the share of the visits of known customers that end in an order."""
    reason = shop.missing("sessions")
    if reason is not None:
        return gaps((_CONVERSION,), reason)
    visits = shop.table("sessions").filter(pl.col(CUSTOMER).is_not_null())
    found = share(_CONVERSION, _counted(visits, pl.col("order_id").is_not_null()), of="visits of known customers")
    if isinstance(found, Reading) and found.low < _LEAST_CONVERSION:
        reason = f"measured as {found.value:.2g}, below the {_LEAST_CONVERSION:g} that a behaviour allows."
        return gaps((_CONVERSION,), reason)
    return [found]


def _counted(rows: pl.LazyFrame, yes: pl.Expr) -> pl.LazyFrame:
    return rows.select(CUSTOMER, yes.cast(pl.Int64).alias(COUNTED), pl.lit(1, dtype=pl.Int64).alias(AMONG))


def _by_promise(orders: pl.LazyFrame, until: datetime) -> pl.LazyFrame:
    """Return the orders whose promised day is over; one that has not come by then is late."""
    promised, came = pl.col("promised_at").dt.date(), pl.col("delivered_at").dt.date()
    late = (came > promised).fill_null(value=True)
    return orders.filter(promised < until.date()).with_columns(
        incident=pl.when(late).then(pl.lit("late")).when(came < promised).then(pl.lit("early"))
    )


def _days(delays: pl.Series) -> Found:
    found = median_of(delays.to_numpy(), level=_LEVEL)
    if found.value is None or found.low is None or found.high is None or found.units < FEWEST:
        return Gap(path=_RETURNS[2], reason=f"{len(delays)} returns are known; {FEWEST} are needed.")
    error = (found.high - found.low) / (2.0 * Z95)
    method = "median, order statistics"
    ends = {"low": found.low, "high": found.high}
    return Reading(path=_RETURNS[2], value=found.value, error=error, units=found.units, method=method, **ends)
