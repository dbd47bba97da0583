"""A shop's orders and tickets in; who writes, how soon the shop answers and how well, as the tables say, out."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import polars as pl

from cxsim.behaviour import Experience
from cxsim.errors import DataError
from cxsim.overview.found import AMONG, COUNTED, CUSTOMER, FEWEST, Found, Gap, Reading, gaps, linear, share
from cxsim.overview.lognormal import fit_lognormal
from cxsim.overview.maturity import ripe
from cxsim.overview.measured_orders import incident_path, told_orders
from cxsim.quantity import Z95
from cxsim.shop import Shop

_CONTACT, _FIRST = "experience.contact", "experience.first_contact"
_HOURS = ("experience.response_hours", "experience.response_spread")
_SECONDS_PER_HOUR = 3_600.0
# A matter is old enough to be judged when so many of all resolutions have come by that age.
_OVER = 0.995


def tickets(shop: Shop, experience: Experience) -> list[Found]:
    """Return who writes to support, how soon the first answer comes, and how often it settles the matter."""
    writing = (_CONTACT, *(incident_path(place, "ticket") for place in range(len(experience.incidents))))
    reason = shop.missing("tickets")
    if reason is not None:
        return gaps((*writing, _FIRST, *_HOURS), reason)
    rows = shop.table("tickets").filter(pl.col("created_at") < shop.until)
    return [*_writing(shop, experience, writing), _first_contact(shop, rows), *_response(rows, shop.until)]


def _writing(shop: Shop, experience: Experience, paths: tuple[str, ...]) -> list[Found]:
    reason = shop.missing("tickets.order_id")
    if reason is not None:
        return gaps(paths, f"{reason} Which orders are written about is not known.")
    told = told_orders(shop)
    if isinstance(told, str):
        return gaps(paths, f"{told} What was written about is not known.")
    orders, names = told
    written = shop.table("tickets").drop_nulls("order_id").group_by("order_id").agg(pl.col("created_at").min())
    old, _ = ripe(
        orders.select("order_id", CUSTOMER, "ordered_at", "incident"), written, "created_at", until=shop.until
    )
    known = old.join(written, on="order_id", how="left").collect(engine="streaming").lazy()
    wrote = pl.col("created_at").is_not_null().cast(pl.Int64).alias(COUNTED)

    def among(which: pl.Expr) -> pl.LazyFrame:
        return known.filter(which).select(CUSTOMER, wrote, pl.lit(1, dtype=pl.Int64).alias(AMONG))

    found: list[Found] = []
    if shop.missing("orders.incident") is None:
        found.append(share(paths[0], among(pl.col("incident").is_null()), of="orders to which nothing happened"))
    else:
        reason = "days of delivery do not tell to which orders nothing happened."
        found.append(Gap(path=paths[0], reason=reason))
    for path, one in zip(paths[1:], experience.incidents, strict=True):
        if one.name in names:
            found.append(share(path, among(pl.col("incident") == one.name), of=f"orders with '{one.name}'"))
        else:
            found.append(Gap(path=path, reason=f"no order says '{one.name}'."))
    return found


def _first_contact(shop: Shop, rows: pl.LazyFrame) -> Found:
    """Return the share of matters that the first answer settles, among those old enough to be settled."""
    at_first = _solved_at_first(shop)
    if at_first is None:
        return Gap(path=_FIRST, reason="the tickets say neither that nor how many answers and reopenings there were.")
    took = (pl.col("resolved_at") - pl.col("created_at")).quantile(_OVER, "higher")
    wait = rows.select(took).collect().item()
    if wait is None:
        return Gap(path=_FIRST, reason="no ticket is resolved.")
    old = rows.filter(pl.col("created_at") <= shop.until - wait)
    # A matter that is open after so long was not settled by the first answer.
    settled = pl.when(pl.col("resolved_at").is_null()).then(statement=False).otherwise(at_first)
    judged = old.select(CUSTOMER, settled.cast(pl.Int64).alias(COUNTED), pl.lit(1, dtype=pl.Int64).alias(AMONG))
    of = f"tickets at least {wait / timedelta(days=1):.0f} days old"
    return share(_FIRST, judged.drop_nulls(COUNTED), of=of)


def _solved_at_first(shop: Shop) -> pl.Expr | None:
    if shop.missing("tickets.solved_at_first") is None:
        return pl.col("solved_at_first")
    if shop.missing("tickets.replies") is None and shop.missing("tickets.reopens") is None:
        return (pl.col("replies") == 1) & (pl.col("reopens") == 0)
    return None


def _response(rows: pl.LazyFrame, until: datetime) -> list[Found]:
    # An answer that was still to come at the end was not known then, whatever the table says.
    over = (pl.col("first_response_at") < until).fill_null(value=False)
    ends = pl.when(over).then("first_response_at").otherwise(pl.lit(until))
    # Times are whole seconds, so that an answer within the first one took half of it.
    seconds = (ends - pl.col("created_at")).dt.total_seconds() + 0.5
    waits = (
        rows.select(hours=seconds / _SECONDS_PER_HOUR, over=over)
        .filter(pl.col("hours") > 0.0)
        .collect(engine="streaming")
        .sort("over", "hours")
    )
    answered = waits.filter("over")["hours"].to_numpy()
    waiting = waits.filter(~pl.col("over"))["hours"].to_numpy()
    if len(answered) < FEWEST:
        return gaps(_HOURS, f"{len(answered)} tickets are answered; {FEWEST} are needed.")
    try:
        found = fit_lognormal(answered, waiting)
    except DataError as cause:
        return gaps(_HOURS, str(cause))
    method = f"lognormal, {len(waiting):,} open tickets right-censored"
    half = math.exp(Z95 * found.log_error)
    return [
        Reading(
            path=_HOURS[0],
            value=found.median,
            error=found.median_error,
            low=found.median / half,
            high=found.median * half,
            units=waits.height,
            method=method,
        ),
        linear(_HOURS[1], found.spread, found.spread_error, units=waits.height, method=method),
    ]
