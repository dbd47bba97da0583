"""A shop in; one row per customer and period after the first order out: what was met before, what was ordered then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import polars as pl

from cxsim.data.shop import Shop
from cxsim.errors import DataError

# So many kinds of incidents, the most frequent ones, are looked at; and so many periods, the latest ones.
_KINDS = 6
_MOST_PERIODS = 26
_FEWEST_PERIODS = 3
_DAY = 86_400_000_000
# Between a period and what is met after it lies one period, so that the period's own orders cannot bring it about.
_LATER = -2
# The multiplier and the shifts of the finaliser of MurmurHash3 (Appleby 2011), which moves every bit of what goes in.
_MIX = 0xFF51AFD7ED558CCD
_HALF = 2**32
_WORD = 8
_RANGE = 2**64


class Exposure(NamedTuple):
    """Something that customers meet.

    Attributes
    ----------
    name, title
        Identifier; for readers, such as "Late order".
    opening
        How a finding begins, such as "After a late order".
    kind
        What one unit is: an event of a `count`, a day of `waiting` from `at` to `ended_at`, or being in a `state` from
        `at` to `ended_at`.
    events
        One row each: `customer_id`, `at`, `ended_at`.
    concerns_orders
        Whether it takes an order to meet it, so that orders of the same time are held equal.
    occasions
        What else gives occasion to it and is held equal: `customer_id`, `at`; None for nothing.
    """

    name: str
    title: str
    opening: str
    events: pl.LazyFrame
    kind: Literal["count", "waiting", "state"] = "count"
    concerns_orders: bool = True
    occasions: pl.LazyFrame | None = None


class PersonPeriods(NamedTuple):
    """Customers through time.

    Attributes
    ----------
    table
        One row per customer and complete period that began after the first order: `customer` (a number), `period`;
        outcomes in it `orders`, `spend` and `first_day` (days from its start to the first order); history at its start
        `orders_so_far`, `spend_so_far`, `age_days`, `idle_days`, `recent` (orders of the period before); and for each
        exposure X how much of it was met in the period just before: `X`, and two periods later: `X.later`, with
        occasions `X.occasions` and `X.occasions.later`. `recent.between` and `recent.later` count the orders of the
        period after, and of the one in which later exposures count; what is not over by the end of observation is null.
    exposures
        What the tables record.
    unseen
        Why other exposures are not recorded, by title.
    every_days
        Length of a period.
    customers, of_customers
        How many customers were looked at, of how many who ordered and are known.
    """

    table: pl.DataFrame
    exposures: tuple[Exposure, ...]
    unseen: Mapping[str, str]
    every_days: int
    customers: int
    of_customers: int


def person_periods(shop: Shop, *, every_days: int = 28, most_customers: int = 200_000) -> PersonPeriods:
    """Return what customers met and ordered, period by period."""
    calendar = _calendar(shop, every_days)
    known = _known_orders(shop)
    everyone = known.select("customer_id").unique()
    chosen = sampled_customers(everyone, most=most_customers)
    if chosen.is_empty():
        raise DataError(f"{shop.name}: none of its orders names a customer, so no customer can be followed.")
    numbered = chosen.with_row_index("customer").lazy()
    orders = known.join(numbered, on="customer_id").select("customer", "ordered_at", "amount").collect()
    orders = orders.sort("customer", "ordered_at", "amount").with_columns(window=calendar.place("ordered_at"))
    rows = _with_history(_with_outcomes(orders, calendar), orders)
    for name, shift in {"recent": 1, "recent.later": _LATER, "recent.between": -1}.items():
        rows = _joined(rows, _by_window(orders), name, shift, calendar)
    exposures, unseen = recorded_exposures(shop)
    for exposure in exposures:
        rows = _with_exposure(rows, exposure, numbered, calendar)
    return PersonPeriods(
        table=rows.sort("customer", "period"),
        exposures=exposures,
        unseen=unseen,
        every_days=every_days,
        customers=chosen.height,
        of_customers=int(everyone.select(pl.len()).collect().item()),
    )


def recorded_exposures(shop: Shop) -> tuple[tuple[Exposure, ...], dict[str, str]]:
    """Return what a shop's tables record of what its customers met, and why the rest is not recorded, by title.

    - Late order and other incidents: at the order; without a column of incidents, an order that was delivered after it
      was promised is late from the moment of the promise.
    - Ticket: at its creation. Waiting for the first answer: from then, in days; tickets of that time are held equal.
    - Ticket not solved at first contact: at the first answer, beside other answered tickets.
    - Return: at the return. Answered survey: when it was sent, beside other surveys. Contact: when it was sent.
    - Membership: at the end of a period.
    """
    late = _incidents(shop)
    exposures, unseen = ([], {"Late order": late}) if isinstance(late, str) else (late, dict[str, str]())
    for title, (needs, make) in _MAKERS.items():
        reason = next((why for need in needs if (why := shop.missing(need)) is not None), None)
        found = make(shop, title) if reason is None else reason
        if isinstance(found, str):
            unseen[title] = found
        else:
            exposures.append(found)
    return tuple(exposures), unseen


def _incidents(shop: Shop) -> list[Exposure] | str:
    orders, reason = shop.table("orders"), shop.missing("orders.incident")
    if reason is None:
        named = orders.filter(pl.col("incident").is_not_null() & (pl.col("incident") != ""))
        kinds = named.group_by("incident").len().sort("len", "incident", descending=[True, False]).collect()
        # Late orders come first, whatever their number.
        frequent = sorted(kinds["incident"].head(_KINDS).to_list(), key=lambda kind: kind != "late")
        return [_incident(kind, _events(named.filter(pl.col("incident") == kind), "ordered_at")) for kind in frequent]
    for column in ("promised_at", "delivered_at"):
        lack = shop.missing(f"orders.{column}")
        if lack is not None:
            return f"{reason} {lack[0].upper()}{lack[1:]}"
    return [_incident("late", _events(orders.filter(pl.col("delivered_at") > pl.col("promised_at")), "promised_at"))]


def _incident(kind: str, events: pl.LazyFrame) -> Exposure:
    if kind == "late":
        return Exposure(name="late_order", title="Late order", opening="After a late order", events=events)
    words = kind.replace("_", " ").replace("-", " ")
    opening = f"After an order with the incident “{words}”"
    return Exposure(name=f"incident_{kind}", title=f"Incident: {words}", opening=opening, events=events)


def _ticket(shop: Shop, title: str) -> Exposure:
    return Exposure(name="ticket", title=title, opening="After a ticket", events=_created(shop))


def _waiting(shop: Shop, title: str) -> Exposure:
    created, opening = _created(shop), "For each day of waiting for the first answer"
    title = f"{title}, days"
    return Exposure(name="waiting", title=title, opening=opening, kind="waiting", events=created, occasions=created)


def _created(shop: Shop) -> pl.LazyFrame:
    return _events(shop.table("tickets"), "created_at", "first_response_at")


def _unsolved(shop: Shop, title: str) -> Exposure:
    answered = shop.table("tickets").drop_nulls("solved_at_first")
    events = _events(answered.filter(~pl.col("solved_at_first")), "first_response_at")
    opening, occasions = "After a ticket that was not solved at first contact", _events(answered, "first_response_at")
    return Exposure(name="unsolved", title=title, opening=opening, events=events, occasions=occasions)


def _return(shop: Shop, title: str) -> Exposure | str:
    returns = shop.table("returns")
    if shop.missing("returns.customer_id") is not None:
        reason = shop.missing("orders.order_id")
        if reason is not None:
            return f"the returns have no column 'customer_id', and {reason}"
        buyers = shop.table("orders").select("order_id", "customer_id")
        returns = returns.join(buyers, on="order_id", how="left")
    return Exposure(name="return", title=title, opening="After a return", events=_events(returns, "returned_at"))


def _answer(shop: Shop, title: str) -> Exposure:
    asked, opening = shop.table("surveys"), "After answering a survey"
    answers, occasions = _events(asked.drop_nulls("score"), "sent_at"), _events(asked, "sent_at")
    return Exposure(name="answer", title=title, opening=opening, events=answers, occasions=occasions)


def _contact(shop: Shop, title: str) -> Exposure:
    events, opening = _events(shop.table("contacts"), "sent_at"), "After a contact from the shop"
    return Exposure(name="contact", title=title, opening=opening, events=events, concerns_orders=False)


def _membership(shop: Shop, title: str) -> Exposure:
    events, opening = _events(shop.table("members"), "joined_at", "left_at"), "As members of a programme"
    return Exposure(name="member", title=title, opening=opening, kind="state", events=events, concerns_orders=False)


# By title: what an exposure needs, and what makes it, or says why not.
_MAKERS: dict[str, tuple[tuple[str, ...], Callable[[Shop, str], Exposure | str]]] = {
    "Ticket": (("tickets",), _ticket),
    "Waiting for the first answer": (("tickets",), _waiting),
    "Ticket not solved at first contact": (("tickets", "tickets.solved_at_first"), _unsolved),
    "Return": (("returns",), _return),
    "Answered survey": (("surveys",), _answer),
    "Contact": (("contacts",), _contact),
    "Membership": (("members",), _membership),
}


def _events(rows: pl.LazyFrame, at: str, ended_at: str | None = None) -> pl.LazyFrame:
    ended = pl.lit(None) if ended_at is None else pl.col(ended_at)
    moments = rows.select("customer_id", at=_moment(pl.col(at)), ended_at=_moment(ended))
    return moments.drop_nulls(["customer_id", "at"])


def _moment(moment: pl.Expr) -> pl.Expr:
    return moment.cast(pl.Datetime("us"))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Calendar:
    """So many complete periods of equal length, numbered from 0; at most one period after the observation began."""

    start: datetime
    every_days: int
    count: int

    def place(self, moment: str) -> pl.Expr:
        """Return the number of the period that a moment lies in; below 0 before the first one."""
        since = (_moment(pl.col(moment)) - _moment(pl.lit(self.start))).dt.total_microseconds()
        return since.floordiv(self.every_days * _DAY).cast(pl.Int64)

    def end(self, place: str) -> pl.Expr:
        """Return the moment at which a period ends."""
        return _moment(pl.lit(self.start)) + pl.duration(days=(pl.col(place) + 1) * self.every_days)


def _calendar(shop: Shop, every_days: int) -> _Calendar:
    """Return the complete periods of a shop's observation."""
    length = timedelta(days=every_days)
    count = max(0, (shop.until - shop.since) // length)
    if count < _FEWEST_PERIODS:
        periods = "period" if count == 1 else "periods"
        raise DataError(
            f"{shop.name}: observed from {shop.since:%Y-%m-%d} to {shop.until:%Y-%m-%d}, with {count} complete "
            f"{periods} of {every_days} days; at least {_FEWEST_PERIODS} are needed. Choose shorter periods."
        )
    return _Calendar(start=shop.until - count * length, every_days=every_days, count=count)


def sampled_customers(customers: pl.LazyFrame, *, most: int) -> pl.DataFrame:
    """Return at most about `most` of the customers, by identifier, drawn by a number `lot` of each.

    The hash of polars differs from release to release; this one is fixed by what is written here.
    """
    everyone = customers.collect()
    width = everyone["customer_id"].str.len_bytes().max()
    words = max(1, -(-(width if isinstance(width, int) else 1) // _WORD))
    padded = pl.col("customer_id").str.pad_end(words * _WORD, "\x00").cast(pl.Binary)
    lot = pl.col("lot")
    lots = everyone.with_columns(lot=pl.lit(1, dtype=pl.UInt64))
    # Step by step: one expression over all words would name each step twice in the next, and double with each word.
    for place in range(words):
        word = padded.bin.slice(place * _WORD, _WORD).bin.reinterpret(dtype=pl.UInt64, endianness="little")
        lots = lots.with_columns(lot=_mixed(lot ^ word)).with_columns(lot=_mixed(lot))
    if everyone.height > most:
        lots = lots.filter(pl.col("lot") < _RANGE * most // everyone.height)
    return lots.sort("customer_id")


def _mixed(number: pl.Expr) -> pl.Expr:
    product = number * pl.lit(_MIX, dtype=pl.UInt64)
    return product ^ (product // pl.lit(_HALF, dtype=pl.UInt64))


def _known_orders(shop: Shop) -> pl.LazyFrame:
    reason = shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason} No customer can be followed from order to order.")
    orders = shop.table("orders").drop_nulls("customer_id").filter(pl.col("ordered_at") < shop.until)
    return orders.select("customer_id", "amount", ordered_at=_moment(pl.col("ordered_at")))


def _with_outcomes(orders: pl.DataFrame, calendar: _Calendar) -> pl.DataFrame:
    """Return the periods of each customer that began after the first order, with what was ordered in them."""
    first = pl.lit(max(1, calendar.count - _MOST_PERIODS), dtype=pl.Int64)
    since = pl.max_horizontal(pl.col("entered") + 1, first)
    placed = orders.group_by("customer", "window", maintain_order=True).agg(
        orders=pl.len().cast(pl.Int64), spend=pl.col("amount").sum(), placed_at=pl.col("ordered_at").min()
    )
    return (
        orders.group_by("customer", maintain_order=True)
        .agg(entered=pl.col("window").min(), first_at=pl.col("ordered_at").min())
        .with_columns(period=pl.int_ranges(since, calendar.count, dtype=pl.Int64))
        .explode("period", empty_as_null=True)
        .drop_nulls("period")
        .join(placed, left_on=["customer", "period"], right_on=["customer", "window"], how="left")
        .with_columns(before=pl.col("period") - 1)
        .with_columns(start=calendar.end("before"))
        .with_columns(
            pl.col("orders").fill_null(0),
            pl.col("spend").fill_null(0.0),
            first_day=_days("start", "placed_at"),
            age_days=_days("first_at", "start"),
        )
        .drop("entered", "placed_at", "first_at")
    )


def _days(start: str, end: str) -> pl.Expr:
    return (pl.col(end) - pl.col(start)).dt.total_microseconds() / _DAY


def _with_history(rows: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Join what each customer had ordered by the end of the period before."""
    so_far = (
        orders.with_columns(
            orders_so_far=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("customer"),
            spend_so_far=pl.col("amount").cum_sum().over("customer"),
        )
        .group_by("customer", "window", maintain_order=True)
        .agg(pl.col("orders_so_far", "spend_so_far").last(), last_at=pl.col("ordered_at").last())
        .sort("window", "customer")
    )
    # Sorted by period alone: join_asof looks for the latest one of the same customer.
    joined = rows.sort("before", "customer").join_asof(
        so_far, left_on="before", right_on="window", by="customer", strategy="backward", check_sortedness=False
    )
    return joined.with_columns(idle_days=_days("last_at", "start")).drop(
        "last_at", "before", "window", "start", strict=False
    )


def _with_exposure(rows: pl.DataFrame, exposure: Exposure, numbered: pl.LazyFrame, calendar: _Calendar) -> pl.DataFrame:
    events = _of_chosen(exposure.events, numbered, calendar)
    met = begun = _by_window(events)
    if exposure.kind == "state":
        ends = calendar.place("ended_at").fill_null(calendar.count)
        held = events.select("customer", window=pl.int_ranges("window", ends, dtype=pl.Int64))
        met = held.explode("window", empty_as_null=True).drop_nulls().unique().with_columns(amount=pl.lit(1.0))
    elif exposure.kind == "waiting":
        # The days that were known by the end of the period in which each wait began.
        ended = events.with_columns(ended_at=pl.min_horizontal("ended_at", calendar.end("window")))
        met = begun = _by_window(ended, _days("at", "ended_at").sum())
    amounts = [(met, "", 1), (begun, ".later", _LATER)]
    if exposure.occasions is not None:
        counts = _by_window(_of_chosen(exposure.occasions, numbered, calendar))
        amounts += [(counts, ".occasions", 1), (counts, ".occasions.later", _LATER)]
    for table, suffix, shift in amounts:
        rows = _joined(rows, table, f"{exposure.name}{suffix}", shift, calendar)
    return rows


def _of_chosen(events: pl.LazyFrame, numbered: pl.LazyFrame, calendar: _Calendar) -> pl.DataFrame:
    chosen = events.join(numbered, on="customer_id").select("customer", "at", "ended_at").collect()
    return chosen.sort("customer", "at", "ended_at").with_columns(window=calendar.place("at"))


def _by_window(events: pl.DataFrame, amount: pl.Expr | None = None) -> pl.DataFrame:
    """Return an amount, or how many events there are, of each customer and period."""
    number = pl.len().cast(pl.Float64) if amount is None else amount
    return events.group_by("customer", "window", maintain_order=True).agg(amount=number)


def _joined(rows: pl.DataFrame, amounts: pl.DataFrame, name: str, shift: int, calendar: _Calendar) -> pl.DataFrame:
    """Join amounts of a window so many periods earlier: 0 where there is none, null where it is not over."""
    moved = amounts.select("customer", period=pl.col("window") + shift, moved="amount")
    over = pl.col("period") - shift < calendar.count
    joined = rows.join(moved, on=["customer", "period"], how="left")
    return joined.with_columns(pl.when(over).then(pl.col("moved").fill_null(0.0)).alias(name)).drop("moved")
