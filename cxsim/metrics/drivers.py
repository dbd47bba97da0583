"""A shop's customers through time in; which experiences go with later orders, and how many of which dose, out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

import polars as pl
import scipy

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError, choices
from cxsim.metrics.intervals import Estimate, RatioSums, ratio, summed
from cxsim.metrics.person_periods import Exposure, PersonPeriods
from cxsim.metrics.regression import MODELS, FittedRatio, design_of, fitted_ratio
from cxsim.tables import COUNT, FLAG, REAL, TEXT, Contract, table_of
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
FEWEST_FOR_A_SHARE = 30
# Days within which customers may order again after a dose.
_WINDOW = 90
_MICROSECONDS_OF_A_DAY = 86_400_000_000
_DONE = {
    "next order": ("the next order comes {} times as fast", "it came {} times as fast"),
    "orders": ("customers order {} times as often", "the same customers ordered {} times as often"),
    "spend": ("customers spend {} times as much", "the same customers spent {} times as much"),
}


class Associations(NamedTuple):
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


# An exposure, an outcome, its ratio, and the ratio for what was done before; None where that cannot be estimated.
_Comparison = tuple[Exposure, str, FittedRatio, FittedRatio | None]


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
    adjusted = scipy.stats.false_discovery_control([now.p_value for _, _, now, _ in compared]) if compared else []
    rows = []
    for (exposure, outcome, now, before), p_value in zip(compared, adjusted, strict=True):
        clear = bool(p_value <= _FALSE_DISCOVERIES)
        doubt = "" if clear else " With this many comparisons, chance alone could explain it."
        words = finding(exposure, outcome, now, before, days=periods.every_days)
        text = f"{words}.{doubt}{_selection(now, before)} An association, not an effect."
        earlier = (None, None, None) if before is None else (before.ratio, *before.interval)
        numbers = (now.ratio, *now.interval, *earlier, now.exposed, clear)
        rows.append((exposure.name, outcome, exposure.title, MODELS[outcome][0], *numbers, "association", text))
    return Associations(table=table_of(rows, ASSOCIATIONS), left_out=left_out)


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
        return " The customers affected already differed before the event, so at least part of this is selection."
    return " The customers affected already differed in the opposite direction, so this may be an underestimate."


def _span(days: int) -> str:
    number, unit = (days, "day") if days % 7 else (days // 7, "week")
    return f"{counted(number)} {unit}s" if number > 1 else unit


def _ends(fit: FittedRatio) -> str:
    low, high = fit.interval
    return f"({figure(low, ',.2f')} to {figure(high, ',.2f')})"


def _compared(periods: PersonPeriods, exposure: Exposure, left_out: dict[str, str]) -> Iterator[_Comparison]:
    later = None
    try:
        design = design_of(periods.table, exposure, timing="before")
        with contextlib.suppress(EstimationError):
            later = design_of(periods.table, exposure, timing="later")
    except EstimationError as reason:
        left_out[exposure.title] = str(reason)
        return
    for outcome in MODELS:
        before = None
        try:
            now = fitted_ratio(design, outcome)
            with contextlib.suppress(EstimationError):
                before = None if later is None else fitted_ratio(later, outcome)
            yield exposure, outcome, now, before
        except EstimationError as reason:
            left_out[f"{exposure.title}: {outcome}"] = str(reason)


class Dose(NamedTuple):
    """Something of which there can be more or less.

    unit: days, hours or count. edges: from where to where doses are looked at together; the last class is open. needs:
    the columns without which it cannot be seen; a time runs from the first to the second.
    """

    unit: str
    edges: tuple[float, ...]
    needs: tuple[str, str]


DOSES_OF = {
    "delivery days": Dose("days", (0, 1, 2, 3, 4, 5, 7, 10, 14), ("orders.ordered_at", "orders.delivered_at")),
    "days to shipping": Dose("days", (0, 0.5, 1, 2, 3, 5, 7), ("orders.ordered_at", "orders.shipped_at")),
    "hours to the first answer": Dose(
        "hours", (0, 1, 2, 4, 8, 24, 48), ("tickets.created_at", "tickets.first_response_at")
    ),
    "returns so far": Dose("count", (0, 1, 2, 3), ("returns.order_id", "returns.returned_at")),
}


def dose_curve(shop: Shop, exposure: str) -> pl.DataFrame:
    """Return the share of orders, or tickets, after which the customer ordered again within 90 days, by dose.

    The days are counted from when the dose is known: the delivery, the shipping, the first answer; for returns, the
    order. Only what happened so long before the end of observation that the days are over takes part. What has no dose,
    as an order that was not delivered, does not.
    """
    dose = DOSES_OF.get(exposure)
    if dose is None:
        raise DataError(f"no dose '{exposure}'; {choices(exposure, DOSES_OF)}")
    for need in ("orders.customer_id", *dose.needs):
        reason = shop.missing(need)
        if reason is not None:
            raise DataError(f"{shop.name}: {exposure} is not recorded: {reason}")
    met = _returns_so_far(shop) if dose.unit == "count" else _elapsed(shop, dose)
    ends = [*map(float, dose.edges), math.inf]
    place = pl.lit(pl.Series(ends)).search_sorted(pl.col("dose"), side="right")
    met = met.filter(pl.col("dose") >= ends[0]).drop_nulls("customer_id").with_columns(place=place)
    outcome, rows = f"ordered again within {_WINDOW} days", []
    for number, mean, sums in _sums_by_dose(_followed(shop, met)):
        share = ratio(sums, scale=(0.0, 1.0)) if sums.units >= FEWEST_FOR_A_SHARE else Estimate()
        row = (exposure, dose.unit, ends[number - 1], ends[number], mean, outcome, *share[:3], sums.units)
        rows.append(row)
    return table_of(rows, DOSES)


def _elapsed(shop: Shop, dose: Dose) -> pl.LazyFrame:
    """Return customer, dose, and the moment from which days are counted."""
    (table, start), (_, known) = (need.split(".") for need in dose.needs)
    elapsed = pl.col(known).cast(pl.Datetime("us")) - pl.col(start).cast(pl.Datetime("us"))
    per_day = 24.0 if dose.unit == "hours" else 1.0
    days = elapsed.dt.total_microseconds() / _MICROSECONDS_OF_A_DAY
    return shop.table(table).select("customer_id", known_at=known, dose=per_day * days)


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


def _followed(shop: Shop, met: pl.LazyFrame) -> pl.LazyFrame:
    window = timedelta(days=_WINDOW)
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


def _sums_by_dose(followed: pl.LazyFrame) -> list[tuple[int, float, RatioSums]]:
    """Return place, mean dose and the sums over customers of each class."""
    table = (
        followed.group_by("place", "customer_id")
        .agg(x=pl.col("again").sum().cast(pl.Int64), n=pl.len().cast(pl.Int64), dose=pl.col("dose").sum())
        .sort("place", "customer_id")
        .group_by("place", maintain_order=True)
        .agg(dose=pl.col("dose").sum() / pl.col("n").sum(), sums=summed(pl.col("x"), pl.col("n"), pl.len()))
        .collect()
    )
    return [(place, dose, RatioSums(**row)) for place, dose, row in table.rows()]
