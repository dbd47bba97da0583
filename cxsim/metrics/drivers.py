"""A shop in; which experiences go with later orders, and whether they did before they happened, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Literal, NamedTuple

import polars as pl

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError, choices
from cxsim.metrics.contracts import ASSOCIATIONS, DOSES
from cxsim.metrics.intervals import RatioSums, discoveries, ratio
from cxsim.metrics.person_periods import Exposure, PersonPeriods
from cxsim.metrics.regression import MODEL as COX
from cxsim.metrics.regression import MODELS, Adjusting, Design, Fitted, cox, design_of, fitted
from cxsim.tables import check, empty
from cxsim.wording import counted, figure

Clear = Literal["clear", "unclear"]
Label = Literal["association", "effect"]

_DONE = {
    "next order": ("a next order comes {} times as fast", "it came {} times as fast"),
    "orders": ("customers order {} times as often", "the same customers ordered {} times as often"),
    "spend": ("customers spend {} times as much", "the same customers spent {} times as much"),
}


def finding(
    exposure: Exposure,
    outcome: str,
    *,
    now: Fitted,
    before: Fitted | None,
    every_days: int,
    clear: Clear,
    label: Label,
) -> str:
    """Return what an association says, in two or three sentences."""
    after, earlier = _DONE[outcome]
    sentence = f"{exposure.opening}, {after.format(_number(now.ratio))} in the next {_span(every_days)} {_ends(now)}"
    if before is not None:
        sentence += f"; {earlier.format(_number(before.ratio))} before it {_ends(before)}"
    doubts = "" if clear == "clear" else " Among so many comparisons, chance alone could bring this."
    return f"{sentence}.{doubts}{_selection(now, before, label)} {_KINDS[label]}"


def _selection(now: Fitted, before: Fitted | None, label: Label) -> str:
    if before is None or label == "effect":
        return ""
    low, high = before.interval
    if low <= 1.0 <= high:
        return ""
    same_way = (before.log_ratio < 0.0) == (now.log_ratio < 0.0)
    if same_way:
        return " Those who meet it were different before it happened, so at least part of this is selection."
    return " Those who meet it were different before it happened, the other way round, so this may be too small."


_KINDS = {
    "association": "An association, not an effect.",
    "effect": "Chance decided who met it, so this is an effect.",
}


def _span(days: int) -> str:
    weeks, rest = divmod(days, 7)
    if rest:
        return f"{counted(days)} days" if days > 1 else "day"
    return f"{counted(weeks)} weeks" if weeks > 1 else "week"


def _ends(fit: Fitted) -> str:
    low, high = fit.interval
    return f"({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return figure(value, ",.2f")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Associations:
    """What goes with what.

    Attributes
    ----------
    table
        Under ASSOCIATIONS; `customers` are those who met the exposure, and `clear` is by Benjamini and Hochberg (1995).
    left_out
        Why an exposure, or an outcome of one, is not in the table, by title.
    customers, of_customers
        How many customers were looked at, of how many who ordered and are known.
    comparisons
        How many comparisons were made; `clear` and `finding` take their number into account.
    """

    table: pl.DataFrame
    left_out: Mapping[str, str]
    customers: int
    of_customers: int
    comparisons: int


class _Row(NamedTuple):
    exposure: Exposure
    outcome: str
    model: str
    now: Fitted
    before: Fitted | None


def associations(
    periods: PersonPeriods,
    *,
    adjust: Adjusting = "history",
    cross_check: Literal["cox", "none"] = "cox",
    randomised: Sequence[str] = (),
    rate: float = 0.05,
) -> Associations:
    """Return how what customers met goes with what they ordered in the period after.

    Three outcomes: whether an order follows (complementary log-log model, so that the ratio is one of rates), how many
    (Poisson), and how much is spent (quasi-Poisson). Every model holds equal the calendar period, orders so far, time
    since the last and the first, spend per order, the orders of the periods in which the exposure was met, and what
    gives occasion to it. Other experiences are not held equal: a ticket after a late parcel is part of what goes with
    the late parcel. Intervals are over customers.

    `before` is the coefficient of what was met a period after the next, beside what was met before: it has not happened
    yet, so that it cannot be a cause, and a ratio far from 1 tells that other customers meet it.
    """
    known = [exposure.name for exposure in periods.exposures]
    for name in randomised:
        if name not in known:
            raise DataError(f"no exposure '{name}' to have been decided by chance; {choices(name, known)}")
    if not 0.0 < rate < 1.0:
        raise DataError(f"rate must be between 0 and 1; found {rate:g}.")
    left_out, rows = dict(periods.unseen), list[_Row]()
    for exposure in periods.exposures:
        rows += _of_exposure(periods, exposure, adjust, left_out)
        if cross_check == "cox" and adjust == "history":
            rows += _cross_checked(periods, exposure, left_out)
    return Associations(
        table=_sentence(rows, periods.every_days, frozenset(randomised), rate),
        left_out=left_out,
        customers=periods.customers,
        of_customers=periods.of_customers,
        comparisons=len(rows),
    )


def _of_exposure(
    periods: PersonPeriods, exposure: Exposure, adjust: Adjusting, left_out: dict[str, str]
) -> Iterator[_Row]:
    try:
        now = design_of(periods.table, exposure, timing="before", adjust=adjust)
    except EstimationError as reason:
        left_out[exposure.title] = str(reason)
        return
    later = _design_later(periods, exposure, adjust)
    for outcome, model in MODELS.items():
        try:
            found = fitted(now, outcome)
        except EstimationError as reason:
            left_out[f"{exposure.title}: {outcome}"] = str(reason)
            continue
        yield _Row(exposure, outcome, model, found, _fitted_later(later, outcome))


def _cross_checked(periods: PersonPeriods, exposure: Exposure, left_out: dict[str, str]) -> Iterator[_Row]:
    if exposure.title in left_out:
        return
    try:
        found = cox(periods.table, exposure, every_days=periods.every_days)
    except EstimationError as reason:
        left_out[f"{exposure.title}: next order, Cox"] = str(reason)
        return
    yield _Row(exposure, "next order", COX, found, None)


def _design_later(periods: PersonPeriods, exposure: Exposure, adjust: Adjusting) -> Design | None:
    """Return the model of what had not happened yet, or None where too few met it."""
    try:
        return design_of(periods.table, exposure, timing="later", adjust=adjust)
    except EstimationError:
        return None


def _fitted_later(design: Design | None, outcome: str) -> Fitted | None:
    if design is None:
        return None
    try:
        return fitted(design, outcome)
    except EstimationError:
        return None


def _sentence(rows: list[_Row], every_days: int, randomised: frozenset[str], rate: float) -> pl.DataFrame:
    if not rows:
        return empty(ASSOCIATIONS)
    clear = discoveries([row.now.p_value for row in rows], rate).tolist()
    cells = []
    for row, found in zip(rows, clear, strict=True):
        before = (None, None, None) if row.before is None else (row.before.ratio, *row.before.interval)
        label: Literal["association", "effect"] = "effect" if row.exposure.name in randomised else "association"
        sentence = finding(
            row.exposure,
            row.outcome,
            now=row.now,
            before=row.before,
            every_days=every_days,
            clear="clear" if found else "unclear",
            label=label,
        )
        numbers = (row.now.ratio, *row.now.interval, *before, row.now.exposed, found)
        cells.append((row.exposure.name, row.outcome, row.exposure.title, row.model, *numbers, label, sentence))
    schema = empty(ASSOCIATIONS).schema
    return check(pl.DataFrame(cells, schema=schema, orient="row"), ASSOCIATIONS)


_FEWEST = 30
_MICROSECONDS_OF_A_DAY = 86_400_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Dose:
    """Something of which there can be more or less.

    Attributes
    ----------
    unit
        As in `DOSES` of `cxsim.metrics.contracts`.
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
