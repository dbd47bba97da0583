"""What metrics are counted over: rows that belong to a period and to somebody, with whole numbers to add up."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from cxsim.data.shop import Period, Shop
from cxsim.errors import ParamError
from cxsim.metrics.intervals import Estimate, garwood
from cxsim.metrics.survival import Survival, answered_within, median, survival_from_counts
from cxsim.params import CENTS, DAYS_PER_MONTH

_WEEK = timedelta(days=7)


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


Views = Callable[[Shop, Sequence[Period]], dict[str, View]]


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


def yes(condition: pl.Expr) -> pl.Expr:
    """Return a condition as 1 or 0, unknown as 0."""
    return condition.fill_null(value=False).cast(pl.Int64)


def somebody(table: pl.LazyFrame, row: str) -> pl.Expr:
    """Return the customer of a row, and for a guest the row itself: whoever is independent of the others."""
    guest = pl.format("\0{}", row)
    return pl.coalesce("customer_id", guest) if "customer_id" in table.collect_schema() else guest


def has(table: pl.LazyFrame, column: str) -> bool:
    """Return whether a table has a column."""
    return column in table.collect_schema()


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
        sentence = {name: column for name, column in within.items() if has(lives, f"{name}_{days}")}
        views[f"after_{days}"] = View(
            rows=ended.select("period", "customer", customers=one, **sentence), grain="customer"
        )
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
    sentence = {"orders": pl.lit(1, dtype=pl.Int64), "revenue": cents("amount"), "customer": somebody(rows, "order_id")}
    if has(rows, "refunded"):
        refunded = {"refunds": yes(pl.col("refunded") > 0), "refunded": cents("refunded"), "charged": cents("charged")}
        if not has(rows, "charged"):
            refunded["charged"] = cents("amount")
        views["refunded"] = View(rows=rows.select("period", **sentence, **refunded))
    if shop.returns is not None:
        units = {"units": pl.col("units")} if has(rows, "units") and has(shop.returns, "units") else {}
        kept = rows.select("period", "order_id", "ordered_at", **sentence, **units)
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
    sentence = visitors.with_columns(visitors=one, converted=pl.col("converted").clip(0, 1))
    return {"sessions": View(rows=sessions.drop("order_id")), "visitors": View(rows=sentence, grain="customer")}


# Lowest and highest score of each instrument, as SURVEYS in cxsim.data.contracts has them.
SCALES = {"nps": (0, 10), "csat": (1, 5), "csat_good": (0, 1), "ces": (1, 7), "effort": (1, 5)}
PROMOTER, DETRACTOR = 9, 6
CONTENT, EASY = 4, 5


def survey_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `asked`, one row per survey that was sent, and for each instrument one row per answer.

    `nps` has points (1 for a promoter, -1 for a detractor), the others score and, where a line is drawn, above.
    """
    if shop.surveys is None:
        return {}
    rows = placed(shop.surveys, pl.col("sent_at"), periods)
    who, score = somebody(shop.surveys, "survey_id"), pl.col("score")
    one = pl.lit(1, dtype=pl.Int64)
    views = {"asked": View(rows=rows.select("period", customer=who, asked=one, answered=yes(score.is_not_null())))}
    above = {"csat": score >= CONTENT, "csat_good": score == 1, "ces": score >= EASY}
    for instrument in SCALES:
        answers = rows.filter((pl.col("instrument") == instrument) & score.is_not_null())
        sentence = {"answers": one, "score": score}
        if instrument in above:
            sentence["above"] = yes(above[instrument])
        if instrument == "nps":
            sentence["points"] = yes(score >= PROMOTER) - yes(score <= DETRACTOR)
        views[instrument] = View(rows=answers.select("period", customer=who, **sentence))
    return views


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
    sentence = {"reopened": yes(pl.col("reopens") > 0)} if has(rows, "reopens") else {}
    if has(rows, "compensation"):
        sentence["compensation"] = cents("compensation")
    views = {"tickets": View(rows=rows.select("period", customer=who, tickets=one, **sentence))}
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
    sentence = asked.join(followed, on="ticket_id", how="left")
    one = pl.lit(1, dtype=pl.Int64)
    return sentence.select("period", customer="customer_id", tickets=one, followed=pl.col("followed").fill_null(0))


Family = Literal[
    "Orders",
    "Keeping customers",
    "Value of a customer",
    "Satisfaction",
    "Support",
    "Returns",
    "Visits",
    "Winning customers",
]
Unit = Literal["share", "money", "score", "hours", "days", "ratio", "months", "count"]
Direction = Literal["higher", "lower", "neither"]
Kind = Literal[
    "share", "ratio", "mean", "score", "total", "median wait", "answered in time", "cost", "efficiency", "payback"
]

INTERVALS: dict[Kind, str] = {
    "share": "Wilson; with the effective number of customers where one counts several times",
    "ratio": "delta method over customers, Student's t",
    "mean": "Student's t over customers",
    "score": "adjusted Wald; by the delta method over customers where one customer answers several times",
    "total": "Garwood's limits of a count; compound Poisson where one customer counts several times",
    "median wait": "Kaplan-Meier with log-log limits, read at one half (Brookmeyer and Crowley)",
    "answered in time": "Kaplan-Meier with log-log limits",
    "cost": "Garwood's limits of the number of new customers",
    "efficiency": "compound Poisson over customers",
    "payback": "the ends of the intervals of cost and of margins",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric of the catalogue.

    Attributes
    ----------
    name, title
        Identifier; name for readers.
    family
        The heading under which it stands.
    definition
        What it says, in one sentence.
    numerator, denominator
        What is counted or added up, over what.
    unit
        Of the value.
    direction
        Which way is better, if either is.
    window
        Which moments belong to a period.
    scale
        Lowest and highest possible value, and where lines are drawn between.
    pitfalls
        What it does not say, and where it misleads.
    variant
        Another formula of the same name that is in use, and what is wrong with it or different.
    kind
        How the value and its interval come from the sums.
    view, over, per
        The view that holds its rows, and the columns of it that are added up: `over` above, `per` below the line.
    factor
        What the ratio of the two is multiplied by; 0.01 where cents become money.
    needs
        What a shop must have, by table or table.column.
    """

    name: str
    title: str
    family: Family
    definition: str
    numerator: str
    denominator: str
    unit: Unit
    direction: Direction
    window: str
    scale: str
    pitfalls: str
    variant: str
    kind: Kind
    view: str
    over: str
    per: str
    factor: float = 1.0
    needs: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in INTERVALS:
            raise ParamError(f"metric {self.name}: no kind '{self.kind}'; possible: {', '.join(INTERVALS)}.")

    @property
    def interval(self) -> str:
        """How its interval is made."""
        return INTERVALS[self.kind]


HOUR = 3600.0
# An answer within this many hours is in time.
IN_TIME = 24.0


def waited(waits: pl.LazyFrame) -> dict[int, Survival]:
    """Return for each period, by its place, what share of its tickets still waited after how many hours."""
    counted = waits.collect(engine="streaming").sort("period", "seconds")
    found = {}
    for (place,), rows in counted.group_by("period", maintain_order=True):
        ended = pl.when("ended").then("tickets").otherwise(0)
        open_ = pl.when("ended").then(0).otherwise("tickets")
        at = rows.group_by("seconds", maintain_order=True).agg(ended=ended.sum(), waiting=open_.sum())
        hours = at["seconds"].to_numpy() / HOUR
        found[int(place)] = survival_from_counts(hours, at["ended"].to_numpy(), at["waiting"].to_numpy())
    return found


def estimated_waits(metric: Metric, waits: Mapping[int, Survival], place: int) -> Estimate:
    """Return the median wait, or the share answered in time, of the tickets of one period."""
    if place not in waits:
        return Estimate(value=None, low=None, high=None, units=0, method="", caution="nobody")
    if metric.kind == "median wait":
        return median(waits[place])
    return answered_within(waits[place], IN_TIME)


NONE = Estimate(value=None, low=None, high=None, units=0, method="", caution="nothing was spent, or nobody came")


def marketing_spend(shop: Shop, periods: Sequence[Period]) -> dict[int, float]:
    """Return what was spent on marketing in each period, by its place, in units of the currency."""
    if shop.marketing is None:
        return {}
    rows = placed(shop.marketing, pl.col("spent_at"), periods).select("period", spent=cents("amount"))
    spent = rows.group_by("period").agg(pl.col("spent").sum()).collect()
    return {row["period"]: row["spent"] / CENTS for row in spent.iter_rows(named=True)}


def acquisition_cost(spent: float, newcomers: int) -> Estimate:
    """Return spend per new customer; how many came is a Poisson count.

    >>> found = acquisition_cost(900.0, 30)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (30.0, 21.01, 44.46)
    """
    if newcomers == 0 or spent <= 0.0:
        return NONE
    rate = garwood(newcomers, 1.0)
    if rate.low is None or rate.high is None:
        return NONE
    return Estimate(
        value=spent / newcomers, low=spent / rate.high, high=spent / rate.low, units=newcomers, method="Garwood"
    )


def efficiency(revenue: Estimate, spent: float) -> Estimate:
    """Return revenue per unit of marketing spend, the marketing efficiency ratio."""
    if spent <= 0.0 or revenue.value is None or revenue.low is None or revenue.high is None:
        return NONE
    ends = (revenue.value / spent, revenue.low / spent, revenue.high / spent)
    return Estimate(value=ends[0], low=ends[1], high=ends[2], units=revenue.units, method=revenue.method)


def payback(cost: Estimate, margins: Mapping[int, Estimate]) -> Estimate:
    """Return after how many months the margin of a new customer covers what it cost to win one.

    Margin grows in a straight line between the ages at which it is known. The interval pairs the ends: low cost with
    high margins, and high cost with low ones, so it holds both uncertainties.
    """
    months = [_months(cost, margins, ends) for ends in (("value", "value"), ("low", "high"), ("high", "low"))]
    units = min((margin.units for margin in margins.values()), default=0)
    caution = "" if months[0] is not None else "not paid back within a year"
    return Estimate(
        value=months[0], low=months[1], high=months[2], units=units, method="ends of intervals", caution=caution
    )


def _months(cost: Estimate, margins: Mapping[int, Estimate], ends: tuple[str, str]) -> float | None:
    target, earlier, before = getattr(cost, ends[0]), 0, 0.0
    for days in WINDOWS:
        reached = getattr(margins[days], ends[1]) if days in margins else None
        if target is None or reached is None:
            continue
        if reached >= target:
            part = (target - before) / (reached - before) if reached > before else 1.0
            return (earlier + part * (days - earlier)) / DAYS_PER_MONTH
        earlier, before = days, max(reached, before)
    return None


def money_of(spent: Mapping[int, float], place: int) -> float:
    """Return what was spent in a period, 0 where nothing was; never not a number."""
    found = spent.get(place, 0.0)
    return found if math.isfinite(found) else 0.0
