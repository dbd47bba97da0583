"""A shop's tables in; rows that belong to a period and to a customer, with whole numbers to add up, out.

VIEWS names every view and its columns, from which metrics are made in params/metrics.yaml. Beside them, every row has a
period (place among the periods, from 0) and a customer (whoever is independent of the others: a customer, or a guest
order, or a visitor); columns are whole numbers: counts, cents, seconds, scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

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
_ORDERED, _CREATED, _FIRST = pl.col("ordered_at"), pl.col("created_at"), pl.col("first_at")

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
# Views of one row for each period and customer; the others have several.
BY_CUSTOMER = frozenset({"newcomers", *(f"after_{days}" for days in WINDOWS), "active", "buyers", "visitors"})
# When the wait of a ticket is over.
WAITS = {"first_response": "first_response_at", "resolution": "resolved_at"}


def views_of(
    shop: Shop, periods: Sequence[Period], progress: Callable[[str], None]
) -> Iterator[tuple[str, pl.LazyFrame]]:
    """Yield the views that a shop's tables allow, by name."""
    for step, (needs, made) in _MAKERS.items():
        progress(step)
        if all(shop.missing(need) is None for need in needs):
            yield from made(shop, periods).items()


def placed(rows: pl.LazyFrame, at: pl.Expr, periods: Sequence[Period]) -> pl.LazyFrame:
    """Return the rows whose moment lies within the periods, with the place of theirs in a column `period`."""
    first, last = periods[0], periods[-1]
    inside = rows.filter(at.is_between(first.start, last.end, closed="left"))
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
    tables = {}
    for name, column in WAITS.items():
        if shop.missing(f"tickets.{column}") is None:
            ended = (pl.col(column) < shop.until).fill_null(value=False)
            until = pl.when(ended).then(pl.col(column)).otherwise(pl.lit(shop.until))
            rows = placed(shop.table("tickets"), _CREATED, periods)
            waited = rows.select("period", ended=ended, seconds=(until - _CREATED).dt.total_seconds())
            tables[name] = waited.group_by("period", "seconds", "ended").agg(tickets=pl.len())
    return tables


def marketing_spend(shop: Shop, periods: Sequence[Period]) -> dict[int, float]:
    """Return what was spent on marketing in each period, by its place, in units of the currency."""
    if shop.marketing is None:
        return {}
    rows = placed(shop.marketing, pl.col("spent_at"), periods)
    return dict(rows.group_by("period").agg(cents("amount").sum() / CENTS).collect().rows())


def _indicator(condition: pl.Expr) -> pl.Expr:
    """Return a condition as 1 or 0, unknown as 0."""
    return condition.fill_null(value=False).cast(pl.Int64)


def _who(table: pl.LazyFrame, row: str, *names: str) -> pl.Expr:
    """Return the customer (or visitor) of a row, and for a guest the row itself: whoever is independent of others."""
    present = table.collect_schema()
    return pl.coalesce(*(name for name in names if name in present), pl.concat_str(pl.lit("\0"), row)).alias("customer")


def _possible(table: pl.LazyFrame, **columns: pl.Expr) -> dict[str, pl.Expr]:
    """Return the columns that can be made of those that a table has."""
    present = set(table.collect_schema())
    return {name: made for name, made in columns.items() if present.issuperset(made.meta.root_names())}


def _life_views(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return `newcomers`, in the period of the first order, and `after_30` to `after_365`, when so many days are over.

    Columns of the latter: customers, again (1 for who ordered on a later day), orders, spend and margin within them.
    """
    lives = _lives(shop, periods)
    views = {"newcomers": placed(lives, _FIRST, periods).select("period", "customer", customers=_ONE)}
    for days in WINDOWS:
        ended = placed(lives, _FIRST + timedelta(days=days), periods)
        columns = {name: pl.col(f"{name}_{days}") for name in ("again", "orders", "spend", "margin")}
        views[f"after_{days}"] = ended.select("period", "customer", customers=_ONE, **_possible(lives, **columns))
    return views


def _lives(shop: Shop, periods: Sequence[Period]) -> pl.LazyFrame:
    """Return one row per customer whose first days are needed."""
    orders = shop.table("orders").drop_nulls("customer_id")
    since = periods[0].start - timedelta(days=max(WINDOWS))
    # Where orders are numbered, customers whose first one is there.
    numbered = "order_number" in orders.collect_schema()
    begun = orders.filter(pl.col("order_number") == 1) if numbered else orders
    firsts = begun.group_by("customer_id").agg(first_at=_ORDERED.min())
    firsts = firsts.filter(_FIRST.is_between(since, periods[-1].end, closed="left"))
    amounts = _possible(orders, spend=cents("amount"), margin=cents("amount") - cents("cost"))
    recent = orders.filter(_ORDERED.ge(since)).select("customer_id", "ordered_at", **amounts)
    later = _ORDERED - _FIRST
    next_day = _ORDERED.dt.date() > _FIRST.dt.date()
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
        .agg(_FIRST.first(), **sums)
        .collect(engine="streaming")
        .lazy()
    )


def _kept_views(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return `active`: who ordered 180 to 90 days before the end of a period, and who of them did in the 90 days since.

    Periods that would look back to before the shop was observed have no rows.
    """
    ends = {place: period.end for place, period in enumerate(periods) if period.end - 2 * KEEPING >= shop.since}
    if not ends:
        return {}
    # One bit for each period in two whole numbers per customer, so that the orders are passed over only once.
    start, end = min(ends.values()) - 2 * KEEPING, max(ends.values())
    day = (_ORDERED - start).dt.total_days()
    masks = (
        shop.table("orders")
        .filter(_ORDERED.is_between(start, end, closed="left"))
        .drop_nulls("customer_id")
        .select(customer="customer_id", was=_bits(start, ends, 2).gather(day), stayed=_bits(start, ends, 1).gather(day))
        .group_by("customer")
        .agg(pl.col("was", "stayed").bitwise_or())
        .collect(engine="streaming")
        .lazy()
    )
    rows = []
    for place in ends:
        was, stayed = ((pl.col(name) & pl.lit(1 << place, dtype=pl.Int64)) != 0 for name in ("was", "stayed"))
        kept, number = _indicator(stayed), pl.lit(place, dtype=pl.Int32)
        rows.append(masks.filter(was).select("customer", period=number, active=_ONE, kept=kept, lost=_ONE - kept))
    return {"active": pl.concat(rows)}


def _bits(start: datetime, ends: Mapping[int, datetime], back: int) -> pl.Expr:
    """Return for each day the periods before whose end it lies `back` to `back - 1` times 90 days."""
    days = [start + timedelta(days=number) for number in range((max(ends.values()) - start).days)]
    spans = {place: (end - back * KEEPING, end - (back - 1) * KEEPING) for place, end in ends.items()}
    masks = [sum(1 << place for place, (low, high) in spans.items() if low <= day < high) for day in days]
    return pl.lit(pl.Series(masks, dtype=pl.Int64))


def _order_views(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return `orders`: one row per order, in the period in which it was placed."""
    rows = placed(shop.table("orders"), _ORDERED, periods)
    known, revenue = pl.col("cost").is_not_null(), cents("amount")
    columns = _possible(
        rows,
        orders=_ONE,
        revenue=revenue,
        **{name: cents(name) for name in ("list_amount", "markdown", "charged")},
        costed=_indicator(known),
        margin=pl.when(known).then(revenue - cents("cost")).otherwise(0),
        units=pl.col("units"),
        **{f"with_{name}": _indicator(pl.col(name).is_not_null()) for name in ("coupon", "incident")},
    )
    return {"orders": rows.select("period", _who(rows, "order_id", "customer_id"), **columns)}


def _member_views(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return `buyers`: one row per customer and period with an order, and whether they were members then."""
    bought = placed(shop.table("orders"), _ORDERED, periods).drop_nulls("customer_id")
    spans = shop.table("members").select("customer_id", "joined_at", "left_at")
    stays = pl.col("left_at").is_null() | (pl.col("left_at") > _ORDERED)
    member = (pl.col("joined_at") <= _ORDERED) & stays
    rows = (
        bought.select("period", "customer_id", "ordered_at")
        .join(spans, on="customer_id", how="left")
        .group_by("period", customer=pl.col("customer_id"))
        .agg(members=_indicator(member.any()))
        .with_columns(buyers=_ONE)
    )
    return {"buyers": rows}


def _return_views(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return `refunded` and `matured`: orders when they become 30 days old, and what came back of them by then."""
    rows = placed(shop.table("orders"), _ORDERED + _MATURE, periods)
    present = rows.collect_schema()
    counted = rows.with_columns(_who(rows, "order_id", "customer_id"), orders=_ONE, revenue=cents("amount"))
    views, shared = {}, ("period", "customer", "orders", "revenue")
    if "refunded" in present:
        refunds = _indicator(pl.col("refunded") > 0)
        charged = cents("charged" if "charged" in present else "amount")
        views["refunded"] = counted.select(*shared, refunds=refunds, refunded=cents("refunded"), charged=charged)
    if shop.returns is not None:
        units = ["units"] if "units" in present and shop.missing("returns.units") is None else []
        back = {f"{name}_back": pl.col(name).sum() for name in units}
        soon = (
            shop.returns.select("order_id", "returned_at", "refund", *units)
            .join(rows.select("order_id", "ordered_at"), on="order_id")
            .filter(pl.col("returned_at") < _ORDERED + _MATURE)
            .group_by("order_id")
            .agg(returned=_ONE.first(), refunded=cents("refund").sum(), **back)
        )
        joined = counted.select(*shared, "order_id", *units).join(soon, on="order_id", how="left")
        views["matured"] = joined.select(*shared, pl.col("returned", "refunded", *units, *back).fill_null(0))
    return views


def _session_views(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return `sessions`, one row per visit, and `visitors`, one row per visitor and period."""
    rows = placed(shop.table("sessions"), pl.col("started_at"), periods)
    who, converted = _who(rows, "session_id", "visitor_id", "customer_id"), _indicator(pl.col("order_id").is_not_null())
    sessions = rows.select("period", "order_id", who, sessions=_ONE, converted=converted)
    if shop.orders is not None:
        # A visit may begin in one period and its order come in the next, so the orders are not cut to the periods.
        paid = shop.orders.filter(_ORDERED.ge(periods[0].start)).select("order_id", revenue=cents("amount"))
        sessions = sessions.join(paid, on="order_id", how="left").with_columns(pl.col("revenue").fill_null(0))
    sessions = sessions.drop("order_id")
    visitors = sessions.group_by("period", "customer").agg(pl.all().sum())
    visitors = visitors.with_columns(visitors=_ONE, converted=pl.col("converted").clip(0, 1))
    return {"sessions": sessions, "visitors": visitors}


def _survey_views(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return `asked`, one row per survey that was sent, and for each instrument one row per answer.

    `nps` has points (1 for a promoter, -1 for a detractor), the others score and, where a line is drawn, above.
    """
    surveys, score = placed(shop.table("surveys"), pl.col("sent_at"), periods), pl.col("score")
    who = _who(surveys, "survey_id", "customer_id")
    views = {"asked": surveys.select("period", who, asked=_ONE, answered=_indicator(score.is_not_null()))}
    for instrument in INSTRUMENTS:
        columns = {"answers": _ONE, "score": score}
        if instrument in _GOOD:
            columns["above"] = _indicator(score >= _GOOD[instrument])
        if instrument == "nps":
            columns["points"] = _indicator(score >= _PROMOTER) - _indicator(score <= _DETRACTOR)
        answers = surveys.filter(pl.col("instrument") == instrument).drop_nulls("score")
        views[instrument] = answers.select("period", who, **columns)
    return views


def _ticket_views(shop: Shop, periods: Sequence[Period]) -> dict[str, pl.LazyFrame]:
    """Return `tickets`, `settled`, `supported` and, where there are orders, `service`: tickets beside orders."""
    tickets = shop.table("tickets")
    who = _who(tickets, "ticket_id", "customer_id")
    rows = placed(tickets, _CREATED, periods)
    columns = _possible(
        rows, tickets=_ONE, reopened=_indicator(pl.col("reopens") > 0), compensation=cents("compensation")
    )
    views = {"tickets": rows.select("period", who, **columns)}
    if shop.missing("tickets.solved_at_first") is None:
        first = _indicator(pl.col("solved_at_first"))
        week_old = placed(tickets, _CREATED + _SETTLED, periods)
        views["settled"] = week_old.select("period", who, tickets=_ONE, first=first)
    if shop.orders is not None:
        bought = placed(shop.orders, _ORDERED, periods)
        customer = _who(shop.orders, "order_id", "customer_id")
        views["service"] = pl.concat(
            [
                bought.select("period", customer, orders=_ONE, tickets=0 * _ONE),
                rows.select("period", who, orders=0 * _ONE, tickets=_ONE),
            ]
        )
        views["supported"] = _supported(tickets, shop.orders, periods)
    return views


def _supported(tickets: pl.LazyFrame, orders: pl.LazyFrame, periods: Sequence[Period]) -> pl.LazyFrame:
    asked = placed(tickets, _CREATED + _FOLLOWING, periods).drop_nulls("customer_id")
    asked = asked.select("period", "ticket_id", "customer_id", "created_at")
    span = _ORDERED.is_between(periods[0].start - _FOLLOWING, periods[-1].end, closed="none")
    since = _ORDERED - _CREATED
    followed = (
        orders.filter(span)
        .select("customer_id", "ordered_at")
        .join(asked.select("ticket_id", "customer_id", "created_at"), on="customer_id")
        .filter((since > timedelta()) & (since <= _FOLLOWING))
        .select("ticket_id", followed=_ONE)
        .unique()
    )
    joined = asked.join(followed, on="ticket_id", how="left")
    return joined.select("period", customer="customer_id", tickets=_ONE, followed=pl.col("followed").fill_null(0))


# By step: without which tables or columns a view is not made, and what makes it.
_MAKERS: dict[str, tuple[tuple[str, ...], Callable[[Shop, Sequence[Period]], dict[str, pl.LazyFrame]]]] = {
    "orders": (("orders",), _order_views),
    "members": (("members", "orders.customer_id"), _member_views),
    "first days": (("orders.customer_id",), _life_views),
    "keeping": (("orders.customer_id",), _kept_views),
    "returns": (("orders",), _return_views),
    "tickets": (("tickets",), _ticket_views),
    "surveys": (("surveys",), _survey_views),
    "visits": (("sessions",), _session_views),
}
