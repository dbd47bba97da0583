"""A shop in; one row per customer and period after the first order out: what was met before, what was ordered then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from cxsim.data.shop import Shop
from cxsim.errors import DataError

Kind = Literal["count", "waiting", "state"]
# So many kinds of incidents, the most frequent ones, are looked at.
_KINDS = 6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Exposure:
    """Something that customers meet.

    Attributes
    ----------
    name
        Identifier.
    title
        For readers, such as "Late order".
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
    kind: Kind
    events: pl.LazyFrame
    concerns_orders: bool = True
    occasions: pl.LazyFrame | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sight:
    """What can be seen of what customers meet.

    Attributes
    ----------
    exposures
        In the order in which they are shown.
    unseen
        Why the others cannot be seen, by title.
    """

    exposures: tuple[Exposure, ...]
    unseen: Mapping[str, str]


def exposures_of(shop: Shop) -> Sight:
    """Return what a shop's tables say of what its customers met.

    - Late order and other incidents: at the order; without a column of incidents, an order that was delivered after it
      was promised is late from the moment of the promise.
    - Ticket: at its creation. Waiting for the first answer: from then, in days; tickets of that time are held equal.
    - Ticket not solved at first contact: at the first answer, beside other answered tickets.
    - Return: at the return. Answered survey: when it was sent, beside other surveys. Contact: when it was sent.
    - Membership: at the end of a period.
    """
    seen = [*_incidents(shop), *_tickets(shop), *_others(shop)]
    return Sight(
        exposures=tuple(found for _, found in seen if isinstance(found, Exposure)),
        unseen={title: found for title, found in seen if isinstance(found, str)},
    )


def _incidents(shop: Shop) -> list[tuple[str, Exposure | str]]:
    reason = shop.missing("orders.incident")
    if reason is None:
        orders = shop.table("orders")
        named = orders.filter(pl.col("incident").is_not_null() & (pl.col("incident") != ""))
        kinds = named.group_by("incident").len().sort("len", "incident", descending=[True, False]).collect()
        # Late orders come first, whatever their number.
        first = sorted(kinds["incident"].head(_KINDS).to_list(), key=lambda kind: kind != "late")
        return [_incident(kind, named.filter(pl.col("incident") == kind)) for kind in first]
    for column in ("promised_at", "delivered_at"):
        lack = shop.missing(f"orders.{column}")
        if lack is not None:
            return [("Late order", f"{reason} {lack[0].upper()}{lack[1:]}")]
    late = shop.table("orders").filter(pl.col("delivered_at") > pl.col("promised_at"))
    return [("Late order", _late(_events(late, "promised_at")))]


def _incident(kind: str, orders: pl.LazyFrame) -> tuple[str, Exposure | str]:
    events = _events(orders, "ordered_at")
    if kind == "late":
        return "Late order", _late(events)
    words = kind.replace("_", " ").replace("-", " ")
    title = f"Incident: {words}"
    opening = f"After an order with the incident “{words}”"
    return title, Exposure(name=f"incident_{kind}", title=title, opening=opening, kind="count", events=events)


def _late(events: pl.LazyFrame) -> Exposure:
    return Exposure(name="late_order", title="Late order", opening="After a late order", kind="count", events=events)


def _tickets(shop: Shop) -> list[tuple[str, Exposure | str]]:
    titles = ("Ticket", "Waiting for the first answer", "Ticket not solved at first contact")
    reason = shop.missing("tickets")
    if reason is not None:
        return [(title, reason) for title in titles]
    tickets = shop.table("tickets")
    created = _events(tickets, "created_at", "first_response_at")
    wrote = Exposure(name="ticket", title=titles[0], opening="After a ticket", kind="count", events=created)
    waited = Exposure(
        name="waiting",
        title=f"{titles[1]}, days",
        opening="For each day of waiting for the first answer",
        kind="waiting",
        events=created,
        occasions=created,
    )
    found: list[tuple[str, Exposure | str]] = [(titles[0], wrote), (titles[1], waited)]
    unknown = shop.missing("tickets.solved_at_first")
    if unknown is not None:
        return [*found, (titles[2], unknown)]
    answered = tickets.filter(pl.col("solved_at_first").is_not_null())
    unsolved = Exposure(
        name="unsolved",
        title=titles[2],
        opening="After a ticket that was not solved at first contact",
        kind="count",
        events=_events(answered.filter(~pl.col("solved_at_first")), "first_response_at"),
        occasions=_events(answered, "first_response_at"),
    )
    return [*found, (titles[2], unsolved)]


def _others(shop: Shop) -> list[tuple[str, Exposure | str]]:
    builders = {
        "Return": ("returns", _return),
        "Answered survey": ("surveys", _answer),
        "Contact": ("contacts", _contact),
        "Membership": ("members", _membership),
    }
    found: list[tuple[str, Exposure | str]] = []
    for title, (table, build) in builders.items():
        reason = shop.missing(table)
        found.append((title, build(shop) if reason is None else reason))
    return found


def _return(shop: Shop) -> Exposure | str:
    returns = shop.table("returns")
    if shop.missing("returns.customer_id") is not None:
        reason = shop.missing("orders.order_id")
        if reason is not None:
            return f"the returns have no column 'customer_id', and {reason}"
        buyers = shop.table("orders").select("order_id", "customer_id")
        returns = returns.join(buyers, on="order_id", how="left")
    events = _events(returns, "returned_at")
    return Exposure(name="return", title="Return", opening="After a return", kind="count", events=events)


def _answer(shop: Shop) -> Exposure:
    asked = _events(shop.table("surveys"), "sent_at")
    answers = _events(shop.table("surveys").filter(pl.col("score").is_not_null()), "sent_at")
    title, opening = "Answered survey", "After answering a survey"
    return Exposure(name="answer", title=title, opening=opening, kind="count", events=answers, occasions=asked)


def _contact(shop: Shop) -> Exposure:
    events = _events(shop.table("contacts"), "sent_at")
    title, opening = "Contact", "After a contact from the shop"
    return Exposure(name="contact", title=title, opening=opening, kind="count", events=events, concerns_orders=False)


def _membership(shop: Shop) -> Exposure:
    events = _events(shop.table("members"), "joined_at", "left_at")
    title, opening = "Membership", "As members of a programme"
    return Exposure(name="member", title=title, opening=opening, kind="state", events=events, concerns_orders=False)


def _events(rows: pl.LazyFrame, at: str, ended_at: str | None = None) -> pl.LazyFrame:
    ended = pl.lit(None, dtype=pl.Datetime("us")) if ended_at is None else pl.col(ended_at).cast(pl.Datetime("us"))
    moments = rows.select("customer_id", at=pl.col(at).cast(pl.Datetime("us")), ended_at=ended)
    return moments.filter(pl.col("customer_id").is_not_null() & pl.col("at").is_not_null())


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """Complete periods of equal length, numbered from 0.

    Attributes
    ----------
    start
        Start of period 0; at most one period after the observation began.
    every_days
        Length of a period.
    count
        How many there are.
    """

    start: datetime
    every_days: int
    count: int

    @classmethod
    def of(cls, shop: Shop, every_days: int) -> Windows:
        """Return the complete periods of a shop's observation."""
        if every_days < 1:
            raise DataError(f"every_days must be 1 or more; found {every_days}.")
        length = timedelta(days=every_days)
        count = max(0, (shop.until - shop.since) // length)
        if count < _FEWEST:
            periods = "period" if count == 1 else "periods"
            raise DataError(
                f"{shop.name}: observed from {shop.since:%Y-%m-%d} to {shop.until:%Y-%m-%d}, which holds {count} "
                f"complete {periods} of {every_days} days; at least {_FEWEST} are "
                "needed. Choose shorter periods."
            )
        return cls(start=shop.until - count * length, every_days=every_days, count=count)

    def place(self, moment: str) -> pl.Expr:
        """Return the number of the period that a moment lies in; below 0 before the first one."""
        since = (pl.col(moment).cast(pl.Datetime("us")) - pl.lit(self.start, dtype=pl.Datetime("us"))).dt
        return since.total_microseconds().floordiv(self.every_days * _MICROSECONDS).cast(pl.Int64)

    def end(self, place: str) -> pl.Expr:
        """Return the moment at which a period ends."""
        return pl.lit(self.start, dtype=pl.Datetime("us")) + pl.duration(days=(pl.col(place) + 1) * self.every_days)


_FEWEST = 3
_MICROSECONDS = 86_400_000_000


# The multiplier and the shifts of the finaliser of MurmurHash3 (Appleby 2011), which moves every bit of what goes in.
_MIX = 0xFF51AFD7ED558CCD
_HALF = 2**32
_WORD = 8
_RANGE = 2**64


def lot(customer: str, width: int, seed: int) -> pl.Expr:
    """Return a number from 0 to 2**64 - 1 for each customer, as good as drawn by chance.

    The hash of polars differs from release to release; this one is fixed by what is written here.
    """
    words = max(1, -(-width // _WORD))
    padded = pl.col(customer).str.pad_end(words * _WORD, "\x00").cast(pl.Binary)
    mixed: pl.Expr = pl.lit((seed * 2 + 1) % _RANGE, dtype=pl.UInt64)
    for place in range(words):
        word = padded.bin.slice(place * _WORD, _WORD).bin.reinterpret(dtype=pl.UInt64, endianness="little")
        mixed = _stirred(_stirred(mixed ^ word))
    return mixed


def drawn(customers: pl.LazyFrame, *, most: int, seed: int) -> pl.DataFrame:
    """Return at most about `most` of the customers, with their number `lot`; by identifier."""
    everyone = customers.collect()
    width = everyone["customer_id"].str.len_bytes().max()
    lots = everyone.with_columns(lot=lot("customer_id", width if isinstance(width, int) else 1, seed))
    if everyone.height > most:
        lots = lots.filter(pl.col("lot") < _RANGE * most // everyone.height)
    return lots.sort("customer_id")


def _stirred(number: pl.Expr) -> pl.Expr:
    mixed = number * pl.lit(_MIX, dtype=pl.UInt64)
    return mixed ^ (mixed // pl.lit(_HALF, dtype=pl.UInt64))


_DAY = 86_400_000_000
# Between a period and what is met after it lies one period, so that the period's own orders cannot bring it about.
_GAP = 1


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PersonPeriods:
    """Customers through time.

    Attributes
    ----------
    table
        One row per customer and complete period that began after the first order: `customer` (a number), `lot` (drawn
        by chance), `period`; outcomes in it `orders`, `spend` and `first_day` (days from its start to the first order);
        history at its start `orders_so_far`, `spend_so_far`, `age_days`, `idle_days`, `recent` (orders of the periods
        in which exposures count); and for each exposure X how much of it was met in the periods just before: `X`, and
        long after: `X.later`, with occasions `X.occasions` and `X.occasions.later`. `recent.between` and
        `recent.later` count the orders of the period after, and of those in which later exposures count; what is not
        over by the end of observation is null.
    exposures
        What can be seen.
    unseen
        Why other exposures cannot be seen, by title.
    every_days
        Length of a period.
    lags
        In how many periods before exposures count.
    customers, of_customers
        How many customers were looked at, of how many who ordered and are known.
    """

    table: pl.DataFrame
    exposures: tuple[Exposure, ...]
    unseen: Mapping[str, str]
    every_days: int
    lags: int
    customers: int
    of_customers: int


def person_periods(
    shop: Shop,
    *,
    every_days: int = 28,
    lags: int = 1,
    most_periods: int = 26,
    most_customers: int = 200_000,
    seed: int = 0,
) -> PersonPeriods:
    """Return what customers met and ordered, period by period."""
    for name, number in {"lags": lags, "most_periods": most_periods, "most_customers": most_customers}.items():
        if number < 1:
            raise DataError(f"{name} must be 1 or more; found {number}.")
    if seed < 0:
        raise DataError(f"seed must be 0 or more; found {seed}.")
    windows = Windows.of(shop, every_days)
    known = _known_orders(shop)
    everyone = known.select("customer_id").unique()
    chosen = drawn(everyone, most=most_customers, seed=seed)
    if chosen.is_empty():
        raise DataError(f"{shop.name}: none of its orders has a customer, so nobody can be followed.")
    numbered = chosen.with_row_index("customer").lazy()
    orders = known.join(numbered, on="customer_id").select("customer", "ordered_at", "amount").collect()
    orders = orders.sort("customer", "ordered_at", "amount").with_columns(window=windows.place("ordered_at"))
    first = max(lags, windows.count - most_periods)
    rows = _with_history(_with_outcomes(_grid(orders, windows, first), orders, windows), orders)
    rows = rows.join(numbered.select("customer", "lot").collect(), on="customer", how="left")
    rows = _with_orders_around(rows, _counts(orders), lags, windows)
    sight = exposures_of(shop)
    for exposure in sight.exposures:
        rows = _with_exposure(rows, exposure, numbered, lags=lags, windows=windows)
    return PersonPeriods(
        table=rows.sort("customer", "period"),
        exposures=sight.exposures,
        unseen=sight.unseen,
        every_days=every_days,
        lags=lags,
        customers=chosen.height,
        of_customers=int(everyone.select(pl.len()).collect().item()),
    )


def _known_orders(shop: Shop) -> pl.LazyFrame:
    reason = shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason} Nobody can be followed from order to order.")
    moment = pl.col("ordered_at").cast(pl.Datetime("us"))
    orders = shop.table("orders").filter(pl.col("customer_id").is_not_null() & (pl.col("ordered_at") < shop.until))
    return orders.select("customer_id", "amount", ordered_at=moment)


def _grid(orders: pl.DataFrame, windows: Windows, first: int) -> pl.DataFrame:
    """Return the periods of each customer that began after the first order."""
    entered = orders.group_by("customer", maintain_order=True).agg(
        entered=pl.col("window").min(), first_at=pl.col("ordered_at").min()
    )
    since = pl.max_horizontal(pl.col("entered") + 1, pl.lit(first, dtype=pl.Int64))
    return (
        entered.with_columns(period=pl.int_ranges(since, windows.count, dtype=pl.Int64))
        .explode("period", empty_as_null=True)
        .drop_nulls("period")
        .select("customer", "period", "first_at")
    )


def _with_outcomes(grid: pl.DataFrame, orders: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    placed = orders.group_by("customer", "window", maintain_order=True).agg(
        orders=pl.len().cast(pl.Int64), spend=pl.col("amount").sum(), placed_at=pl.col("ordered_at").min()
    )
    start = windows.end("before")
    return (
        grid.join(placed, left_on=["customer", "period"], right_on=["customer", "window"], how="left")
        .with_columns(before=pl.col("period") - 1)
        .with_columns(start=start)
        .with_columns(
            pl.col("orders").fill_null(0),
            pl.col("spend").fill_null(0.0),
            first_day=(pl.col("placed_at") - pl.col("start")).dt.total_microseconds() / _DAY,
            age_days=(pl.col("start") - pl.col("first_at")).dt.total_microseconds() / _DAY,
        )
        .drop("placed_at", "first_at")
    )


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
    idle = (pl.col("start") - pl.col("last_at")).dt.total_microseconds() / _DAY
    return joined.with_columns(idle_days=idle).drop("last_at", "before", "window", "start", strict=False)


def _with_orders_around(rows: pl.DataFrame, counts: pl.DataFrame, lags: int, windows: Windows) -> pl.DataFrame:
    rows = _around(rows, counts, "recent", lags, windows)
    between = counts.select("customer", period=pl.col("window") - 1, between="amount")
    return _joined(rows, between, "between", "recent.between", _after(1, windows))


def _counts(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.group_by("customer", "window", maintain_order=True).agg(amount=pl.len().cast(pl.Float64))


def _with_exposure(
    rows: pl.DataFrame, exposure: Exposure, numbered: pl.LazyFrame, *, lags: int, windows: Windows
) -> pl.DataFrame:
    events = _of_chosen(exposure.events, numbered)
    if exposure.kind == "state":
        begun = _counted(events, windows)
        ends = windows.place("ended_at").fill_null(windows.count)
        held = events.select("customer", window=pl.int_ranges(windows.place("at"), ends, dtype=pl.Int64))
        amounts = held.explode("window", empty_as_null=True).drop_nulls().unique().with_columns(amount=pl.lit(1.0))
        last = amounts.with_columns(period=pl.col("window") + 1).select("customer", "period", before="amount")
        rows = _joined(rows, last, "before", exposure.name, pl.lit(value=True))
        return _later(rows, begun, exposure.name, lags, windows)
    amounts = _waited(events, windows) if exposure.kind == "waiting" else _counted(events, windows)
    rows = _around(rows, amounts, exposure.name, lags, windows)
    if exposure.occasions is None:
        return rows
    occasions = _counted(_of_chosen(exposure.occasions, numbered), windows)
    return _around(rows, occasions, f"{exposure.name}.occasions", lags, windows)


def _of_chosen(events: pl.LazyFrame, numbered: pl.LazyFrame) -> pl.DataFrame:
    chosen = events.join(numbered, on="customer_id").select("customer", "at", "ended_at")
    return chosen.collect().sort("customer", "at", "ended_at")


def _counted(events: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    placed = events.with_columns(window=windows.place("at"))
    return placed.group_by("customer", "window", maintain_order=True).agg(amount=pl.len().cast(pl.Float64))


def _waited(events: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Add up the days of waiting that were known by the end of the period in which each wait began."""
    placed = events.with_columns(window=windows.place("at"))
    ended = pl.min_horizontal("ended_at", windows.end("window"))
    days = (ended - pl.col("at")).dt.total_microseconds() / _DAY
    return placed.group_by("customer", "window", maintain_order=True).agg(amount=days.sum())


def _around(rows: pl.DataFrame, amounts: pl.DataFrame, name: str, lags: int, windows: Windows) -> pl.DataFrame:
    """Join what was met in the periods before, and in those after the next one."""
    before = _shifted(amounts, list(range(1, lags + 1)), "before")
    rows = _joined(rows, before, "before", name, pl.lit(value=True))
    return _later(rows, amounts, name, lags, windows)


def _later(rows: pl.DataFrame, amounts: pl.DataFrame, name: str, lags: int, windows: Windows) -> pl.DataFrame:
    later = _shifted(amounts, [-(_GAP + shift) for shift in range(1, lags + 1)], "later")
    return _joined(rows, later, "later", f"{name}.later", _after(_GAP + lags, windows))


def _shifted(amounts: pl.DataFrame, shifts: list[int], name: str) -> pl.DataFrame:
    moved = [amounts.select("customer", "amount", period=pl.col("window") + shift) for shift in shifts]
    return (
        pl.concat(moved)
        .sort("customer", "period", "amount")
        .group_by("customer", "period", maintain_order=True)
        .agg(pl.col("amount").sum().alias(name))
    )


def _joined(rows: pl.DataFrame, amounts: pl.DataFrame, column: str, name: str, over: pl.Expr) -> pl.DataFrame:
    """Join a column of amounts under another name: 0 where nothing is there, null where the time is not over."""
    joined = rows.join(amounts, on=["customer", "period"], how="left")
    return joined.with_columns(pl.when(over).then(pl.col(column).fill_null(0.0)).alias(name)).drop(column)


def _after(periods: int, windows: Windows) -> pl.Expr:
    return pl.col("period") + periods < windows.count
