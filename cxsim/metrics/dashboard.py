"""A shop in; its dashboard and the series behind it, with what is out of the usual, out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from scipy import special

from cxsim.data.shop import Every, Period, Shop, complete_periods
from cxsim.errors import DataError
from cxsim.metrics.catalogue import CATALOGUE
from cxsim.metrics.contracts import DASHBOARD, SERIES
from cxsim.metrics.intervals import (
    CrossSums,
    Estimate,
    RatioSums,
    clustered_wilson,
    difference,
    garwood,
    net_promoter,
    ratio,
    ratio_correlation,
    usual_range,
    wilson,
)
from cxsim.metrics.survival import Survival
from cxsim.metrics.views import (
    WINDOWS,
    Kind,
    Metric,
    Unit,
    View,
    Views,
    acquisition_cost,
    efficiency,
    estimated_waits,
    kept_views,
    life_views,
    marketing_spend,
    member_views,
    money_of,
    order_views,
    payback,
    return_views,
    session_views,
    survey_views,
    ticket_views,
    waited,
    waits,
)
from cxsim.tables import Contract, check

# Fewer independent units than this, and no value is said.
FEWEST = 10
_SUPPRESSED: tuple[Kind, ...] = ("share", "ratio", "mean", "score", "median wait", "answered in time")
# Of one answer: 1 for a promoter, -1 for a detractor.
_POINTS = (-1.0, 1.0)
_Z = float(special.ndtri(0.975))
_NOBODY = RatioSums(units=0, x=0.0, n=0.0, xx=0.0, nn=0.0, xn=0.0)


def estimated(metric: Metric, sums: RatioSums | None) -> Estimate:
    """Return the value of a metric in one period."""
    found = sums or _NOBODY
    if metric.kind == "total":
        return scaled(_total(found, metric.unit), metric.factor)
    if found.n == 0.0:
        return Estimate(value=None, low=None, high=None, units=found.units, method="", caution="nobody")
    return scaled(_over_customers(metric.kind, found), metric.factor)


def _over_customers(kind: Kind, sums: RatioSums) -> Estimate:
    # Whoever counts at most once has equal squares: 0 and 1.
    once = sums.nn == sums.n
    if kind == "share" and once:
        return wilson(round(sums.x), round(sums.n))
    if kind == "score" and once:
        promoters, detractors = round((sums.xx + sums.x) / 2), round((sums.xx - sums.x) / 2)
        found = net_promoter(promoters, round(sums.n) - promoters - detractors, detractors)
        return scaled(found, 0.01)
    # More can be refunded than was charged; then it is no share, and its interval not one of shares.
    if kind == "share" and 0 <= sums.x <= sums.n:
        return clustered_wilson(sums)
    return ratio(sums, scale=_POINTS if kind == "score" else None)


def _total(sums: RatioSums, unit: Unit) -> Estimate:
    """Return a total; customers come as a Poisson process, so its variance is the sum of squares over them."""
    if unit == "count" and sums.xx == sums.x == sums.n:
        # Nobody counts twice, so it is a count, of which small ones have limits of their own.
        return dataclasses.replace(garwood(round(sums.x), 1.0), units=sums.units)
    if sums.units == 0:
        return Estimate(value=0.0, low=None, high=None, units=0, method="", caution="nobody")
    error = math.sqrt(sums.xx)
    low = max(sums.x - _Z * error, 0.0) if sums.x >= 0.0 else sums.x - _Z * error
    return Estimate(value=sums.x, low=low, high=sums.x + _Z * error, units=sums.units, method="compound Poisson")


def scaled(found: Estimate, factor: float) -> Estimate:
    """Return an estimate in another unit."""
    value, low, high = (None if end is None else factor * end for end in (found.value, found.low, found.high))
    return dataclasses.replace(found, value=value, low=low, high=high)


def suppressed(metric: Metric, found: Estimate) -> Estimate:
    """Return the estimate, or one without a value where fewer than ten independent units stand behind it."""
    if metric.kind not in _SUPPRESSED or found.units >= FEWEST:
        return found
    caution = f"too few to say: {found.units} of {FEWEST}"
    return dataclasses.replace(found, value=None, low=None, high=None, caution=caution)


def changed(
    metric: Metric, now: Estimate, before: Estimate, *, sums: tuple[RatioSums, RatioSums], cross: CrossSums
) -> Estimate:
    """Return the change from one period to the next, allowing for the customers who are in both."""
    one, other = sums
    if metric.kind == "total":
        together = math.sqrt(one.xx * other.xx)
        shared = cross.xx / together if together > 0.0 else 0.0
    else:
        shared = ratio_correlation(one, other, cross)
    return difference(now, before, correlation=shared)


# What is summed per pair of columns x over n; squares of cents of millions of customers need more than 64 bits.
_WIDE = pl.Int128
Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodSums:
    """The sums of one metric.

    Attributes
    ----------
    by_period
        For each period in which there was anything, by its place.
    cross
        Products of the last two periods, over the customers of both.
    """

    by_period: Mapping[int, RatioSums]
    cross: CrossSums


def summed(view: View, pairs: Mapping[str, Pair], *, periods: int) -> dict[str, PeriodSums]:
    """Return the sums of several metrics over one view, in one pass over its rows."""
    columns = sorted({column for pair in pairs.values() for column in pair})
    wide = view.rows
    if view.grain == "row":
        grouped = wide.group_by("period", "customer").agg(pl.col(columns).sum())
        wide = grouped.collect(engine="streaming").lazy()
    by_period = wide.group_by("period").agg([sum_ for name, pair in pairs.items() for sum_ in _squares(name, pair)])
    now, before = (wide.filter(pl.col("period") == place) for place in (periods - 1, periods - 2))
    crossed = now.join(before, on="customer", suffix="_before").select(
        [sum_ for name, pair in pairs.items() for sum_ in _products(name, pair)]
    )
    sentence, products = pl.collect_all([by_period, crossed], engine="streaming")
    rows = {row["period"]: row for row in sentence.iter_rows(named=True)}
    cross = products.row(0, named=True)
    return {
        name: PeriodSums(
            by_period={
                place: RatioSums(**_of(row, name, ("units", "x", "n", "xx", "nn", "xn"))) for place, row in rows.items()
            },
            cross=CrossSums(**_of(cross, name, ("xx", "xn", "nx", "nn"))),
        )
        for name in pairs
    }


def _of(row: Mapping[str, int | None], name: str, parts: tuple[str, ...]) -> dict[str, int]:
    return {part: row[_named(name, part)] or 0 for part in parts}


def _squares(name: str, pair: Pair) -> list[pl.Expr]:
    x, n = (pl.col(column).cast(_WIDE) for column in pair)
    parts = {"units": ((x != 0) | (n != 0)).cast(_WIDE), "x": x, "n": n, "xx": x * x, "nn": n * n, "xn": x * n}
    return [part.sum().alias(_named(name, key)) for key, part in parts.items()]


def _products(name: str, pair: Pair) -> list[pl.Expr]:
    x, n = (pl.col(column).cast(_WIDE) for column in pair)
    x_before, n_before = (pl.col(f"{column}_before").cast(_WIDE) for column in pair)
    parts = {"xx": x * x_before, "xn": x * n_before, "nx": n * x_before, "nn": n * n_before}
    return [part.sum().alias(_named(name, key)) for key, part in parts.items()]


def _named(name: str, part: str) -> str:
    return f"{name}|{part}"


MOST_PERIODS = 60
_VIEWS: dict[str, Views] = {
    "orders": order_views,
    "members": member_views,
    "first days": life_views,
    "keeping": kept_views,
    "returns": return_views,
    "tickets": ticket_views,
    "surveys": survey_views,
    "visits": session_views,
}
_MEASURE_NOBODY = RatioSums(units=0, x=0.0, n=0.0, xx=0.0, nn=0.0, xn=0.0)
_MARGINS = {days: f"margin_{days}" for days in WINDOWS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One metric of a shop.

    Attributes
    ----------
    metric
        What was measured.
    estimates
        Its value in each period, by time; none where it could not be measured.
    change
        The last one less the one before; None where there is none before.
    missing
        Why it could not be measured; None if it was.
    """

    metric: Metric
    estimates: tuple[Estimate, ...] = ()
    change: Estimate | None = None
    missing: str | None = None


def periods_of(shop: Shop, every: Every, most: int) -> tuple[Period, ...]:
    """Return the last complete periods of a shop, at most so many."""
    if not 1 <= most <= MOST_PERIODS:
        raise DataError(f"periods must be 1 to {MOST_PERIODS}; found {most}.")
    found = complete_periods(shop.since, shop.until, every)
    if not found:
        raise DataError(
            f"{shop.name}: no complete {every} between {shop.since:%Y-%m-%d} and {shop.until:%Y-%m-%d}; a {every} is "
            "shown only when it is over."
        )
    return found[-most:]


def measured(
    shop: Shop, periods: Sequence[Period], *, progress: Callable[[str], None] | None = None
) -> tuple[Measured, ...]:
    """Return every metric of the catalogue in every period."""
    say = progress or _silent
    sums = dict(_all_sums(shop, periods, say))
    say("waiting times")
    waiting = {name: waited(rows) for name, rows in waits(shop, periods).items()}
    spent = marketing_spend(shop, periods)
    found: dict[str, Measured] = {}
    for metric in CATALOGUE:
        reason = _missing(shop, metric)
        if reason is not None:
            found[metric.name] = Measured(metric=metric, missing=reason)
        elif metric.kind in {"median wait", "answered in time"}:
            found[metric.name] = _of_waits(metric, waiting[metric.view], len(periods))
        elif metric.kind in {"cost", "efficiency", "payback"}:
            found[metric.name] = _of_spending(metric, spent, sums, found)
        else:
            found[metric.name] = _of_sums(metric, sums.get(metric.name), len(periods))
    return tuple(found[metric.name] for metric in CATALOGUE)


def _all_sums(shop: Shop, periods: Sequence[Period], say: Callable[[str], None]) -> Iterator[tuple[str, PeriodSums]]:
    for step, views in _VIEWS.items():
        say(step)
        for name, view in views(shop, periods).items():
            schema = view.rows.collect_schema()
            pairs = {
                metric.name: (metric.over, metric.per)
                for metric in CATALOGUE
                if metric.view == name and metric.over in schema and metric.per in schema
            }
            if pairs:
                yield from summed(view, pairs, periods=len(periods)).items()


def _missing(shop: Shop, metric: Metric) -> str | None:
    reasons = (shop.missing(need) for need in metric.needs)
    return next((reason for reason in reasons if reason is not None), None)


def _of_sums(metric: Metric, sums: PeriodSums | None, periods: int) -> Measured:
    if sums is None:
        return Measured(metric=metric, missing="it looks further back than the shop was observed.")
    sentence = [sums.by_period.get(place) for place in range(periods)]
    estimates = tuple(suppressed(metric, estimated(metric, one)) for one in sentence)
    change = None
    if periods > 1:
        pair = (sentence[-1] or _MEASURE_NOBODY, sentence[-2] or _MEASURE_NOBODY)
        change = changed(metric, estimates[-1], estimates[-2], sums=pair, cross=sums.cross)
    return Measured(metric=metric, estimates=estimates, change=change)


def _of_waits(metric: Metric, waiting: Mapping[int, Survival], periods: int) -> Measured:
    estimates = tuple(suppressed(metric, estimated_waits(metric, waiting, place)) for place in range(periods))
    return Measured(metric=metric, estimates=estimates, change=_apart(estimates))


def _of_spending(
    metric: Metric, spent: Mapping[int, float], sums: Mapping[str, PeriodSums], found: Mapping[str, Measured]
) -> Measured:
    periods = len(found["revenue"].estimates)
    estimates = []
    for place in range(periods):
        money = money_of(spent, place)
        new = (
            sums["new_customers"].by_period.get(place, _MEASURE_NOBODY) if "new_customers" in sums else _MEASURE_NOBODY
        )
        cost = acquisition_cost(money, round(new.n))
        if metric.kind == "cost":
            estimates.append(cost)
        elif metric.kind == "efficiency":
            estimates.append(efficiency(found["revenue"].estimates[place], money))
        else:
            known = {days: found[name] for days, name in _MARGINS.items() if found[name].estimates}
            estimates.append(payback(cost, {days: margin.estimates[place] for days, margin in known.items()}))
    return Measured(metric=metric, estimates=tuple(estimates), change=_apart(tuple(estimates)))


def _apart(estimates: tuple[Estimate, ...]) -> Estimate | None:
    """Return the last change between periods that share nobody."""
    return difference(estimates[-1], estimates[-2]) if len(estimates) > 1 else None


def _silent(line: str) -> None:
    """Say nothing."""


NOBODY = Estimate(value=None, low=None, high=None, units=0, method="")
# What is usual is said once so many periods have been seen before.
_LEARNT = 8
# Windows longer than a period move slowly from one to the next, which the chart would take for a usual calm.
_OVERLAPPING = frozenset({"active"})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Dashboard:
    """All metrics of a shop.

    Attributes
    ----------
    table
        The last complete period beside the one before, under DASHBOARD; one row per metric of the catalogue.
    series
        All periods, under SERIES; by metric and time.
    """

    table: pl.DataFrame
    series: pl.DataFrame


def dashboard(
    shop: Shop, *, every: Every = "week", periods: int = 26, progress: Callable[[str], None] | None = None
) -> Dashboard:
    """Measure everything that a shop's tables allow, for its last complete weeks or months.

    An alert is given where a value lies outside of 2.66 mean moving ranges around the mean of the periods before it
    (Shewhart's chart of individual values), once there are eight of them. Retention and churn, whose windows overlap
    from one period to the next, get none.
    """
    spans = periods_of(shop, every, periods)
    found = measured(shop, spans, progress=progress)
    series = _table(SERIES, [row for one in found for row in _series_rows(one, spans)])
    table = _table(DASHBOARD, [_row(one, spans[-1]) for one in found])
    return Dashboard(table=table, series=series)


def _row(found: Measured, period: Period) -> dict[str, object]:
    metric = found.metric
    now = found.estimates[-1] if found.estimates else NOBODY
    before = found.estimates[-2] if len(found.estimates) > 1 else NOBODY
    change = found.change or NOBODY
    return {
        "metric": metric.name,
        "title": metric.title,
        "family": metric.family,
        "unit": metric.unit,
        "direction": metric.direction,
        "period_start": period.start,
        "period_end": period.end,
        "value": now.value,
        "low": now.low,
        "high": now.high,
        "previous": before.value,
        "change": change.value,
        "change_low": change.low,
        "change_high": change.high,
        "units": now.units if found.estimates else None,
        "method": now.method,
        "caution": now.caution,
        "alert": _alert(now.value, _usual(found, len(found.estimates) - 1)),
        "missing": found.missing,
    }


def _series_rows(found: Measured, periods: Sequence[Period]) -> list[dict[str, object]]:
    rows = []
    for place, estimate in enumerate(found.estimates):
        usual = _usual(found, place)
        low, high = usual or (None, None)
        rows.append(
            {
                "metric": found.metric.name,
                "title": found.metric.title,
                "unit": found.metric.unit,
                "period_start": periods[place].start,
                "period_end": periods[place].end,
                "value": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "usual_low": low,
                "usual_high": high,
                "alert": _alert(estimate.value, usual),
            }
        )
    return rows


def _usual(found: Measured, place: int) -> tuple[float, float] | None:
    """Return where the value lies by the periods before a place."""
    values = [one.value for one in found.estimates[: max(place, 0)] if one.value is not None]
    if len(values) < _LEARNT or found.metric.view in _OVERLAPPING:
        return None
    return usual_range(values)


def _alert(value: float | None, usual: tuple[float, float] | None) -> str | None:
    if value is None or usual is None or usual[0] <= value <= usual[1]:
        return None
    return "above" if value > usual[1] else "below"


def _table(contract: Contract, rows: list[dict[str, object]]) -> pl.DataFrame:
    kinds = {name: kinds[0] for name, kinds in contract.columns.items()}
    schema = {name: pl.Datetime("us") if kind == pl.Datetime else kind for name, kind in kinds.items()}
    return check(pl.DataFrame(rows, schema=schema, orient="row"), contract)
