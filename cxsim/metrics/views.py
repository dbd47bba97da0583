"""A shop's tables in; rows that belong to a period and to a customer, with whole numbers to add up, out.

VIEWS names every view and its columns, from which metrics are made in params/metrics.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from cxsim.data.shop import Period, Shop
from cxsim.params import CENTS

WINDOWS = (30, 60, 90, 180, 365)
# Customers were active if they ordered in this time, and are kept if they order in the same time after it.
KEEPING = timedelta(days=90)
# A return is counted if it comes within this time; younger orders are not looked at yet.
_MATURE = timedelta(days=30)
# A ticket of this age without an answer that settled it was not settled by the first one.
_SETTLED = timedelta(days=7)
# An order within this time after a ticket is counted as following it.
_FOLLOWING = timedelta(days=30)
_WEEK = timedelta(days=7)
# Scores from which an answer counts as a promoter's, up to which as a detractor's, and from which as good.
_PROMOTER, _DETRACTOR = 9, 6
_GOOD = {"csat": 4, "csat_good": 1, "ces": 5}
INSTRUMENTS = ("nps", "csat", "csat_good", "ces", "effort")
_ONE = pl.lit(1, dtype=pl.Int64)

# The columns of each view. A column that a shop's tables do not have is missing from its view.
VIEWS: dict[str, tuple[str, ...]] = {
    "orders": (
        "orders", "revenue", "list_amount", "markdown", "charged", "costed", "margin", "units", "with_coupon",
        "with_incident",
    ),
    "newcomers": ("customers",),
    **{f"after_{days}": ("customers", "again", "orders", "spend", "margin") for days in WINDOWS},
    "active": ("active", "kept", "lost"),
    "buyers": ("buyers", "members"),
    "refunded": ("orders", "revenue", "refunds", "refunded", "charged"),
    "matured": ("orders", "revenue", "returned", "refunded", "units", "units_back"),
    "sessions": ("sessions", "converted", "revenue"),
    "visitors": ("visitors", "sessions", "converted", "revenue"),
    "asked": ("asked", "answered"),
    "nps": ("answers", "score", "points"),
    **dict.fromkeys(_GOOD, ("answers", "score", "above")),
    "effort": ("answers", "score"),
    "tickets": ("tickets", "reopened", "compensation"),
    "settled": ("tickets", "first"),
    "supported": ("tickets", "followed"),
    "service": ("orders", "tickets"),
}  # fmt: skip
# When the wait of a ticket is over.
WAITS = {"first_response": "first_response_at", "resolution": "resolved_at"}


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


def views_of(shop: Shop, periods: Sequence[Period], progress: Callable[[str], None]) -> Iterator[tuple[str, View]]:
    """Yield the views that a shop's tables allow, by name."""
    for step, (table, made) in _MAKERS.items():
        progress(step)
        if shop.missing(table) is None:
            yield from made(shop, periods).items()


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


def waits(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return how long the tickets of each period waited: period, seconds, ended (0 while it still waits), tickets.

    Tables by the names of WAITS; a ticket that waits at the end of observation has waited until then.
    """
    if shop.tickets is None:
        return {}
    rows = placed(shop.tickets, pl.col("created_at"), periods)
    tables = {}
    for name, column in WAITS.items():
        if _has(rows, column):
            ended = (pl.col(column) < shop.until).fill_null(value=False)
            until = pl.when(ended).then(pl.col(column)).otherwise(pl.lit(shop.until))
            waited = rows.select("period", ended=ended, seconds=(until - pl.col("created_at")).dt.total_seconds())
            tables[name] = waited.group_by("period", "seconds", "ended").agg(tickets=pl.len())
    return tables


def marketing_spend(shop: Shop, periods: Sequence[Period]) -> dict[int, float]:
    """Return what was spent on marketing in each period, by its place, in units of the currency."""
    if shop.marketing is None:
        return {}
    rows = placed(shop.marketing, pl.col("spent_at"), periods).select("period", spent=cents("amount"))
    spent = rows.group_by("period").agg(pl.col("spent").sum()).collect()
    return {row["period"]: row["spent"] / CENTS for row in spent.iter_rows(named=True)}


def _indicator(condition: pl.Expr) -> pl.Expr:
    """Return a condition as 1 or 0, unknown as 0."""
    return condition.fill_null(value=False).cast(pl.Int64)


def _customer_or_row(table: pl.LazyFrame, row: str) -> pl.Expr:
    """Return the customer of a row, and for a guest the row itself: whoever is independent of the others."""
    guest = pl.format("\0{}", row)
    return pl.coalesce("customer_id", guest) if _has(table, "customer_id") else guest


def _has(table: pl.LazyFrame, column: str) -> bool:
    return column in table.collect_schema()


def _life_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `newcomers`, in the period of the first order, and `after_30` to `after_365`, when so many days are over.

    Columns of the latter: customers, again (1 for who ordered on a later day), orders, spend and margin within them.
    """
    lives = _lives(shop, periods).lazy()
    first = pl.col("first_at")
    views = {"newcomers": placed(lives, first, periods).select("period", "customer", customers=_ONE)}
    for days in WINDOWS:
        ended = placed(lives, first + timedelta(days=days), periods)
        columns = [name for name in ("again", "orders", "spend", "margin") if _has(lives, f"{name}_{days}")]
        views[f"after_{days}"] = ended.select(
            "period", "customer", customers=_ONE, **{name: pl.col(f"{name}_{days}") for name in columns}
        )
    return {name: View(rows=rows, grain="customer") for name, rows in views.items()}


def _lives(shop: Shop, periods: Sequence[Period]) -> pl.DataFrame:
    """Return one row per customer whose first days are needed."""
    orders = shop.table("orders").drop_nulls("customer_id")
    since = periods[0].start - timedelta(days=max(WINDOWS))
    # Where orders are numbered, customers whose first one is there.
    begun = orders.filter(pl.col("order_number") == 1) if _has(orders, "order_number") else orders
    firsts = begun.group_by("customer_id").agg(first_at=pl.col("ordered_at").min())
    firsts = firsts.filter((pl.col("first_at") >= since) & (pl.col("first_at") < periods[-1].end))
    amounts = {"spend": cents("amount")} | ({"margin": cents("amount") - cents("cost")} if _has(orders, "cost") else {})
    recent = orders.filter(pl.col("ordered_at") >= since).select("customer_id", "ordered_at", **amounts)
    later = pl.col("ordered_at") - pl.col("first_at")
    next_day = pl.col("ordered_at").dt.date() > pl.col("first_at").dt.date()
    sums: dict[str, pl.Expr] = {}
    for days in WINDOWS:
        within = later < timedelta(days=days)
        sums[f"again_{days}"] = (within & next_day).any().cast(pl.Int64)
        sums[f"orders_{days}"] = within.sum().cast(pl.Int64)
        sums |= {f"{name}_{days}": pl.when(within).then(name).otherwise(0).sum() for name in amounts}
    return (
        recent.join(firsts, on="customer_id")
        .filter(later < timedelta(days=max(WINDOWS)))
        .group_by(customer=pl.col("customer_id"))
        .agg(pl.col("first_at").first(), **sums)
        .collect(engine="streaming")
    )


def _kept_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `active`: who ordered 180 to 90 days before the end of a period, and who of them did in the 90 days since.

    Periods that would look back to before the shop was observed have no rows.
    """
    observed = {place: period for place, period in enumerate(periods) if period.end - 2 * KEEPING >= shop.since}
    if not observed:
        return {}
    masks = _activity_masks(shop.table("orders"), observed)
    return {"active": View(rows=pl.concat([_of_period(masks, place) for place in observed]), grain="customer")}


def _activity_masks(orders: pl.LazyFrame, periods: Mapping[int, Period]) -> pl.LazyFrame:
    """One bit for each period in two whole numbers per customer, so that the orders are passed over only once."""
    start, end = (when(period.end for period in periods.values()) for when in (min, max))
    start -= 2 * KEEPING
    day = (pl.col("ordered_at") - start).dt.total_days()
    was, stayed = (pl.lit(_bits(start, end, periods, back)).gather(day) for back in (2, 1))
    return (
        orders.filter((pl.col("ordered_at") >= start) & (pl.col("ordered_at") < end))
        .drop_nulls("customer_id")
        .select(customer="customer_id", was=was, stayed=stayed)
        .group_by("customer")
        .agg(pl.col("was").bitwise_or(), pl.col("stayed").bitwise_or())
        .collect(engine="streaming")
        .lazy()
    )


def _of_period(masks: pl.LazyFrame, place: int) -> pl.LazyFrame:
    bit = pl.lit(1 << place, dtype=pl.Int64)
    stayed = _indicator((pl.col("stayed") & bit) != 0)
    rows = masks.filter((pl.col("was") & bit) != 0)
    return rows.select("customer", period=pl.lit(place, dtype=pl.Int32), active=_ONE, kept=stayed, lost=_ONE - stayed)


def _bits(start: datetime, end: datetime, periods: Mapping[int, Period], back: int) -> pl.Series:
    """Return for each day the periods before whose end it lies `back` to `back - 1` times 90 days."""
    days = [start + timedelta(days=number) for number in range((end - start).days)]
    spans = {
        place: (period.end - back * KEEPING, period.end - (back - 1) * KEEPING) for place, period in periods.items()
    }
    masks = [sum(1 << place for place, (low, high) in spans.items() if low <= day < high) for day in days]
    return pl.Series(masks, dtype=pl.Int64)


def _order_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `orders`: one row per order, in the period in which it was placed."""
    rows = placed(shop.table("orders"), pl.col("ordered_at"), periods)
    columns = {"orders": _ONE, "revenue": cents("amount")}
    columns |= {name: cents(name) for name in ("list_amount", "markdown", "charged") if _has(rows, name)}
    if _has(rows, "cost"):
        known = pl.col("cost").is_not_null()
        columns["costed"] = _indicator(known)
        columns["margin"] = pl.when(known).then(cents("amount") - cents("cost")).otherwise(0)
    if _has(rows, "units"):
        columns["units"] = pl.col("units")
    columns |= {
        f"with_{name}": _indicator(pl.col(name).is_not_null()) for name in ("coupon", "incident") if _has(rows, name)
    }
    return {"orders": View(rows=rows.select("period", customer=_customer_or_row(rows, "order_id"), **columns))}


def _member_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `buyers`: one row per customer and period with an order, and whether they were members then."""
    if shop.missing("orders.customer_id") is not None:
        return {}
    bought = placed(shop.table("orders"), pl.col("ordered_at"), periods).drop_nulls("customer_id")
    spans = shop.table("members").select("customer_id", "joined_at", "left_at")
    stays = pl.col("left_at").is_null() | (pl.col("left_at") > pl.col("ordered_at"))
    member = (pl.col("joined_at") <= pl.col("ordered_at")) & stays
    rows = (
        bought.select("period", "customer_id", "ordered_at")
        .join(spans, on="customer_id", how="left")
        .group_by("period", customer=pl.col("customer_id"))
        .agg(members=_indicator(member.any()))
        .with_columns(buyers=_ONE)
    )
    return {"buyers": View(rows=rows, grain="customer")}


def _return_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `refunded` and `matured`: orders when they become 30 days old, and what came back of them by then."""
    views: dict[str, View] = {}
    rows = placed(shop.table("orders"), pl.col("ordered_at") + _MATURE, periods)
    columns = {"orders": _ONE, "revenue": cents("amount"), "customer": _customer_or_row(rows, "order_id")}
    if _has(rows, "refunded"):
        charged = cents("charged" if _has(rows, "charged") else "amount")
        refunds = {"refunds": _indicator(pl.col("refunded") > 0), "refunded": cents("refunded"), "charged": charged}
        views["refunded"] = View(rows=rows.select("period", **columns, **refunds))
    if shop.returns is not None:
        units = ["units"] if _has(rows, "units") and _has(shop.returns, "units") else []
        views["matured"] = View(
            rows=_with_returns(rows.select("period", "order_id", "ordered_at", *units, **columns), shop.returns, units)
        )
    return views


def _with_returns(orders: pl.LazyFrame, returns: pl.LazyFrame, units: list[str]) -> pl.LazyFrame:
    back = {"parcels": pl.len(), "refunded": cents("refund").sum()}
    if units:
        back["units_back"] = pl.col("units").sum()
    soon = (
        returns.select("order_id", "returned_at", "refund", *units)
        .join(orders.select("order_id", "ordered_at"), on="order_id")
        .filter(pl.col("returned_at") < pl.col("ordered_at") + _MATURE)
        .group_by("order_id")
        .agg(**back)
    )
    joined = orders.join(soon, on="order_id", how="left")
    returned = _indicator(pl.col("parcels").is_not_null())
    numbers = pl.col("refunded", *units, *(["units_back"] if units else [])).fill_null(0)
    return joined.select("period", "customer", "orders", "revenue", numbers, returned=returned)


def _session_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `sessions`, one row per visit, and `visitors`, one row per visitor and period."""
    rows = placed(shop.table("sessions"), pl.col("started_at"), periods)
    known = [name for name in ("visitor_id", "customer_id") if _has(rows, name)]
    who = pl.coalesce(*known, pl.format("\0{}", "session_id"))
    converted = _indicator(pl.col("order_id").is_not_null())
    sessions = rows.select("period", "order_id", customer=who, sessions=_ONE, converted=converted)
    if shop.orders is not None:
        # A visit may begin in one period and its order come in the next, so the orders are not cut to the periods.
        paid = shop.orders.filter(pl.col("ordered_at") >= periods[0].start).select("order_id", revenue=cents("amount"))
        sessions = sessions.join(paid, on="order_id", how="left").with_columns(pl.col("revenue").fill_null(0))
    sessions = sessions.drop("order_id")
    visitors = sessions.group_by("period", "customer").agg(pl.all().sum())
    visitors = visitors.with_columns(visitors=_ONE, converted=pl.col("converted").clip(0, 1))
    return {"sessions": View(rows=sessions), "visitors": View(rows=visitors, grain="customer")}


def _survey_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `asked`, one row per survey that was sent, and for each instrument one row per answer.

    `nps` has points (1 for a promoter, -1 for a detractor), the others score and, where a line is drawn, above.
    """
    surveys = shop.table("surveys")
    rows = placed(surveys, pl.col("sent_at"), periods)
    who, score = _customer_or_row(surveys, "survey_id"), pl.col("score")
    answered = _indicator(score.is_not_null())
    views = {"asked": View(rows=rows.select("period", customer=who, asked=_ONE, answered=answered))}
    for instrument in INSTRUMENTS:
        answers = rows.filter((pl.col("instrument") == instrument) & score.is_not_null())
        columns = {"answers": _ONE, "score": score}
        if instrument in _GOOD:
            columns["above"] = _indicator(score >= _GOOD[instrument])
        if instrument == "nps":
            columns["points"] = _indicator(score >= _PROMOTER) - _indicator(score <= _DETRACTOR)
        views[instrument] = View(rows=answers.select("period", customer=who, **columns))
    return views


def _ticket_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `tickets`, `settled`, `supported` and, where there are orders, `service`: tickets beside orders."""
    tickets = shop.table("tickets")
    who = _customer_or_row(tickets, "ticket_id")
    rows = placed(tickets, pl.col("created_at"), periods)
    columns = {"reopened": _indicator(pl.col("reopens") > 0)} if _has(rows, "reopens") else {}
    if _has(rows, "compensation"):
        columns["compensation"] = cents("compensation")
    views = {"tickets": View(rows=rows.select("period", customer=who, tickets=_ONE, **columns))}
    if _has(rows, "solved_at_first"):
        week_old = placed(tickets, pl.col("created_at") + _SETTLED, periods)
        first = _indicator(pl.col("solved_at_first"))
        views["settled"] = View(rows=week_old.select("period", customer=who, tickets=_ONE, first=first))
    if shop.orders is not None:
        orders = placed(shop.orders, pl.col("ordered_at"), periods)
        customer = _customer_or_row(shop.orders, "order_id")
        bought = orders.select("period", customer=customer, orders=_ONE, tickets=0 * _ONE)
        opened = rows.select("period", customer=who, orders=0 * _ONE, tickets=_ONE)
        views["service"] = View(rows=pl.concat([bought, opened]))
        views["supported"] = View(rows=_supported(tickets, shop.orders, periods))
    return views


def _supported(tickets: pl.LazyFrame, orders: pl.LazyFrame, periods: Sequence[Period]) -> pl.LazyFrame:
    asked = placed(tickets, pl.col("created_at") + _FOLLOWING, periods).drop_nulls("customer_id")
    asked = asked.select("period", "ticket_id", "customer_id", "created_at")
    span = (pl.col("ordered_at") > periods[0].start - _FOLLOWING) & (pl.col("ordered_at") < periods[-1].end)
    since = pl.col("ordered_at") - pl.col("created_at")
    followed = (
        orders.filter(span)
        .select("customer_id", "ordered_at")
        .join(asked.select("ticket_id", "customer_id", "created_at"), on="customer_id")
        .filter((since > timedelta()) & (since <= _FOLLOWING))
        .select("ticket_id")
        .unique()
        .with_columns(followed=_ONE)
    )
    columns = {"customer": pl.col("customer_id"), "tickets": _ONE, "followed": pl.col("followed").fill_null(0)}
    return asked.join(followed, on="ticket_id", how="left").select("period", **columns)


# By step: without which table or column a view is not made, and what makes it.
_MAKERS: dict[str, tuple[str, Callable[[Shop, Sequence[Period]], dict[str, View]]]] = {
    "orders": ("orders", _order_views),
    "members": ("members", _member_views),
    "first days": ("orders.customer_id", _life_views),
    "keeping": ("orders.customer_id", _kept_views),
    "returns": ("orders", _return_views),
    "tickets": ("tickets", _ticket_views),
    "surveys": ("surveys", _survey_views),
    "visits": ("sessions", _session_views),
}
