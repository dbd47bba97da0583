"""A shop in; one row per customer and period after the first order out: what was met before, what was ordered then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.drivers.exposures import Exposure, exposures_of
from cxsim.drivers.sampling import drawn
from cxsim.drivers.windows import Windows
from cxsim.errors import DataError
from cxsim.shop import Shop

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
