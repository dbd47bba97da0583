"""A shop's customers through time in; which experiences go with later orders, and how many of which dose, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

import polars as pl
from scipy.stats import false_discovery_control

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError, choices
from cxsim.metrics.intervals import Estimate, RatioSums, ratio
from cxsim.metrics.person_periods import Exposure, PersonPeriods
from cxsim.metrics.regression import MODELS, Design, FittedRatio, design_of, fitted_ratio
from cxsim.tables import COUNT, FLAG, REAL, TEXT, Contract, check, empty
from cxsim.wording import counted, figure

# How an experience goes with what customers do later: `ratio` of the outcome for one unit more of the exposure.
# before: the same ratio for what they did before it, which nothing that came later can have caused. clear: whether it
# remains when all comparisons of the table are taken into account. label: association or effect.
ASSOCIATIONS = Contract(
    "ASSOCIATIONS",
    TEXT("exposure", "outcome", "title", "model"),
    REAL("ratio", "low", "high", "before", "before_low", "before_high"),
    COUNT("customers"),
    FLAG("clear"),
    TEXT("label", "finding"),
    nullable=("before", "before_low", "before_high"),
)
# What customers do later by how much of something they met: dose_low <= dose < dose_high.
DOSES = Contract(
    "DOSES",
    TEXT("exposure", "unit"),
    REAL("dose_low", "dose_high", "dose"),
    TEXT("outcome"),
    REAL("value", "low", "high"),
    COUNT("customers"),
    nullable=("value", "low", "high"),
)
# Of the comparisons called clear, on average at most so many are chance.
_FALSE_DISCOVERIES = 0.05
_FEWEST = 30
_MICROSECONDS_OF_A_DAY = 86_400_000_000
_DONE = {
    "next order": ("a next order comes {} times as fast", "it came {} times as fast"),
    "orders": ("customers order {} times as often", "the same customers ordered {} times as often"),
    "spend": ("customers spend {} times as much", "the same customers spent {} times as much"),
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Associations:
    """What goes with what.

    Attributes
    ----------
    table
        Under ASSOCIATIONS; `customers` are those who met the exposure, and `clear` is by Benjamini and Hochberg (1995).
    left_out
        Why an exposure, or an outcome of one, is not in the table, by title.
    """

    table: pl.DataFrame
    left_out: Mapping[str, str]


class _Comparison(NamedTuple):
    exposure: Exposure
    outcome: str
    now: FittedRatio
    before: FittedRatio | None


def associations(periods: PersonPeriods) -> Associations:
    """Return how what customers met goes with what they ordered in the period after.

    Three outcomes: whether an order follows (complementary log-log model, so that the ratio is one of rates), how many
    (Poisson), and how much is spent (quasi-Poisson). Every model holds equal the calendar period, orders so far, time
    since the last and the first, spend per order, the orders of the periods in which the exposure was met, and what
    gives occasion to it. Other experiences are not held equal: a ticket after a late parcel is part of what goes with
    the late parcel. Intervals are over customers.

    `before` is the coefficient of what was met a period after the next, beside what was met before: it has not happened
    yet, so that it cannot be a cause, and a ratio far from 1 shows that other customers meet it.
    """
    left_out = dict(periods.unseen)
    compared = [one for exposure in periods.exposures for one in _compared(periods, exposure, left_out)]
    # Benjamini and Hochberg (1995), "Controlling the False Discovery Rate", JRSS B 57, 289-300, eq. 1.
    adjusted = false_discovery_control([one.now.p_value for one in compared]) if compared else []
    cells = []
    for one, p_value in zip(compared, adjusted, strict=True):
        before = (None, None, None) if one.before is None else (one.before.ratio, *one.before.interval)
        clear = bool(p_value <= _FALSE_DISCOVERIES)
        words = finding(one.exposure, one.outcome, one.now, one.before, days=periods.every_days)
        doubt = "" if clear else " Among so many comparisons, chance alone could bring this."
        text = f"{words}.{doubt}{_selection(one.now, one.before)} An association, not an effect."
        numbers = (one.now.ratio, *one.now.interval, *before, one.now.exposed, clear)
        model = MODELS[one.outcome][0]
        cells.append((one.exposure.name, one.outcome, one.exposure.title, model, *numbers, "association", text))
    table = pl.DataFrame(cells, schema=empty(ASSOCIATIONS).schema, orient="row")
    return Associations(table=check(table, ASSOCIATIONS), left_out=left_out)


def finding(exposure: Exposure, outcome: str, now: FittedRatio, before: FittedRatio | None, *, days: int) -> str:
    """Return what an association says, as the beginning of a sentence."""
    after, earlier = _DONE[outcome]
    words = f"{exposure.opening}, {after.format(figure(now.ratio, ',.2f'))} in the next {_span(days)} {_ends(now)}"
    if before is not None:
        words += f"; {earlier.format(figure(before.ratio, ',.2f'))} before it {_ends(before)}"
    return words


def _selection(now: FittedRatio, before: FittedRatio | None) -> str:
    if before is None or before.interval[0] <= 1.0 <= before.interval[1]:
        return ""
    if (before.log_ratio < 0.0) == (now.log_ratio < 0.0):
        return " Those who meet it were different before it happened, so at least part of this is selection."
    return " Those who meet it were different before it happened, the other way round, so this may be too small."


def _span(days: int) -> str:
    number, unit = (days, "day") if days % 7 else (days // 7, "week")
    return f"{counted(number)} {unit}s" if number > 1 else unit


def _ends(fit: FittedRatio) -> str:
    low, high = fit.interval
    return f"({figure(low, ',.2f')} to {figure(high, ',.2f')})"


def _compared(periods: PersonPeriods, exposure: Exposure, left_out: dict[str, str]) -> Iterator[_Comparison]:
    try:
        now = design_of(periods.table, exposure, timing="before")
    except EstimationError as reason:
        left_out[exposure.title] = str(reason)
        return
    try:
        later = design_of(periods.table, exposure, timing="later")
    except EstimationError:
        later = None
    for outcome in MODELS:
        try:
            found = fitted_ratio(now, outcome)
        except EstimationError as reason:
            left_out[f"{exposure.title}: {outcome}"] = str(reason)
            continue
        yield _Comparison(exposure, outcome, found, _fitted_or_none(later, outcome))


def _fitted_or_none(design: Design | None, outcome: str) -> FittedRatio | None:
    try:
        return None if design is None else fitted_ratio(design, outcome)
    except EstimationError:
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dose:
    """Something of which there can be more or less.

    Attributes
    ----------
    unit
        days, hours or count.
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
    met = _met(shop, exposure).filter((pl.col("dose") >= bounds[0]) & pl.col("customer_id").is_not_null())
    placed = pl.lit(bounds[0])
    for edge in bounds[1:]:
        placed = pl.when(pl.col("dose") >= edge).then(pl.lit(edge)).otherwise(placed)
    sums = _sums_by_dose(_followed(shop, met.with_columns(bin=placed), window_days))
    outcome, cells = f"ordered again within {window_days} days", []
    for low, high in pairwise((*bounds, math.inf)):
        if low in sums:
            dose_mean, of = sums[low]
            share = ratio(of, scale=(0.0, 1.0)) if of.units >= _FEWEST else Estimate()
            row = (exposure, dose.unit, low, high, dose_mean, outcome, share.value, share.low, share.high, of.units)
            cells.append(row)
    return check(pl.DataFrame(cells, schema=empty(DOSES).schema, orient="row"), DOSES)


def _met(shop: Shop, exposure: str) -> pl.LazyFrame:
    """Return customer, dose, and the moment from which days are counted."""
    if exposure == "returns so far":
        return _returns_so_far(shop)
    table, start, known, per_day = {
        "delivery days": ("orders", "ordered_at", "delivered_at", 1.0),
        "days to shipping": ("orders", "ordered_at", "shipped_at", 1.0),
        "hours to the first answer": ("tickets", "created_at", "first_response_at", 24.0),
    }[exposure]
    elapsed = pl.col(known).cast(pl.Datetime("us")) - pl.col(start).cast(pl.Datetime("us"))
    dose = per_day * (elapsed.dt.total_microseconds() / _MICROSECONDS_OF_A_DAY)
    return shop.table(table).select("customer_id", known_at=known, dose=dose)


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


def _sums_by_dose(followed: pl.LazyFrame) -> dict[float, tuple[float, RatioSums]]:
    """Return the mean dose and the sums over customers of each class, by its lower edge."""
    each = followed.group_by("bin", "customer_id").agg(
        x=pl.col("again").sum().cast(pl.Int64), n=pl.len().cast(pl.Int64), dose=pl.col("dose").sum()
    )
    x, n = pl.col("x"), pl.col("n")
    sums = each.sort("bin", "customer_id").group_by("bin", maintain_order=True)
    sizes = {"x": x.sum(), "n": n.sum(), "xx": (x * x).sum(), "nn": (n * n).sum(), "xn": (x * n).sum()}
    table = sums.agg(dose=pl.col("dose").sum() / n.sum(), units=pl.len(), **sizes).collect()
    return {
        low: (dose, RatioSums(**row))
        for low, dose, row in table.select("bin", "dose", row=pl.struct("units", *sizes)).rows()
    }
