"""A shop in; its dashboard and the series behind it, with what is out of the usual, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from cxsim.data.shop import Every, Period, Shop, complete_periods
from cxsim.errors import DataError
from cxsim.metrics.catalogue import SPENDING, WAITING, Metric, columns_of, load_metrics
from cxsim.metrics.estimators import (
    NO_SUMS,
    PeriodSums,
    acquisition_cost,
    correlation,
    efficiency,
    estimated,
    payback,
    sums_over_customers,
    suppressed,
    survival_by_period,
    waiting_estimate,
)
from cxsim.metrics.intervals import Estimate, difference, usual_range
from cxsim.metrics.views import WINDOWS, marketing_spend, views_of, waits
from cxsim.tables import COUNT, REAL, TEXT, TIME, Contract, table_of

_SHOWN = ("value", "low", "high")
_CHANGE = ("change", "change_low", "change_high")

# One row per metric of the catalogue, in its order. unit: share, money, score, hours, days, ratio, months. direction:
# higher, lower or neither is better. previous: the value of the period before; change: value less previous. units: the
# independent units behind the value. alert: above or below, where the value lies outside its usual range. missing: why
# it is not measured.
DASHBOARD = Contract(
    "DASHBOARD",
    TEXT("metric", "title", "family", "unit", "direction"),
    TIME("period_start", "period_end"),
    REAL("value", "low", "high", "previous", "change", "change_low", "change_high"),
    COUNT("units"),
    TEXT("method", "caution", "alert", "missing"),
    nullable=("value", "low", "high", "previous", "change", "change_low", "change_high", "units", "alert", "missing"),
)
# One row per metric and complete period, by time; usual_low to usual_high: where it lies by the periods before it.
SERIES = Contract(
    "SERIES",
    TEXT("metric", "title", "unit"),
    TIME("period_start", "period_end"),
    REAL("value", "low", "high", "usual_low", "usual_high"),
    TEXT("alert"),
    nullable=("value", "low", "high", "usual_low", "usual_high", "alert"),
)
MOST_PERIODS = 60
# Windows longer than a period move slowly from one to the next, which the chart would take for a usual calm.
_OVERLAPPING = frozenset({"active"})


class Dashboard(NamedTuple):
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
    measured = measured_metrics(shop, spans, progress=progress)
    return Dashboard(
        table=table_of((_last_row(one, spans) for one in measured), DASHBOARD),
        series=table_of((_row(one, spans, n) for one in measured for n in range(len(one.estimates))), SERIES),
    )


def periods_of(shop: Shop, every: Every, most: int) -> tuple[Period, ...]:
    """Return the last complete periods of a shop, at most so many."""
    if not 1 <= most <= MOST_PERIODS:
        raise DataError(f"periods must be 1 to {MOST_PERIODS}; found {most}.")
    periods = complete_periods(shop.since, shop.until, every)
    if not periods:
        raise DataError(
            f"{shop.name}: no complete {every} between {shop.since:%Y-%m-%d} and {shop.until:%Y-%m-%d}; only complete "
            "periods are shown."
        )
    return periods[-most:]


class MeasuredMetric(NamedTuple):
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


def measured_metrics(
    shop: Shop, periods: Sequence[Period], *, progress: Callable[[str], None] | None = None
) -> tuple[MeasuredMetric, ...]:
    """Return every metric of the catalogue in every period."""
    report = progress or (lambda _: None)
    metrics = load_metrics()
    sums = dict(_all_sums(shop, periods, list(metrics.values()), report))
    report("waiting times")
    waiting = {name: survival_by_period(rows) for name, rows in waits(shop, periods).items()}
    spent, places = marketing_spend(shop, periods), range(len(periods))
    measured: dict[str, MeasuredMetric] = {}
    # Those of spending are made of others.
    for name, metric in sorted(metrics.items(), key=lambda item: item[1].kind in SPENDING):
        reason = next((why for need in metric.needs if (why := shop.missing(need)) is not None), None)
        own, shared, found = sums.get(name), 0.0, list[Estimate]()
        if reason is not None:
            pass
        elif metric.kind in WAITING:
            found = [waiting_estimate(metric, waiting[metric.view].get(place)) for place in places]
        elif metric.kind in SPENDING:
            found = list(_of_spending(metric, spent, sums, measured, places))
        elif own is None:
            reason = "it needs a longer history than the shop's data cover."
        else:
            found = [estimated(metric, own.by_period.get(place, NO_SUMS)) for place in places]
            shared = correlation(metric, own, last=places[-1])
        estimates = tuple(suppressed(metric, one) for one in found)
        change = difference(estimates[-1], estimates[-2], correlation=shared) if len(estimates) > 1 else None
        measured[name] = MeasuredMetric(metric, estimates, change, reason)
    return tuple(measured[name] for name in metrics)


def _all_sums(
    shop: Shop, periods: Sequence[Period], metrics: list[Metric], report: Callable[[str], None]
) -> Iterator[tuple[str, PeriodSums]]:
    for name, view in views_of(shop, periods, report):
        present = set(view.collect_schema())
        here = [
            metric
            for metric in metrics
            if metric.view == name and present.issuperset(columns_of(metric.over) + columns_of(metric.per))
        ]
        if here:
            yield from sums_over_customers(view, here, periods=len(periods)).items()


def _of_spending(
    metric: Metric,
    spent: Mapping[int, float],
    sums: Mapping[str, PeriodSums],
    measured: Mapping[str, MeasuredMetric],
    places: range,
) -> Iterator[Estimate]:
    new = sums["new_customers"].by_period if "new_customers" in sums else {}
    for place in places:
        money = spent.get(place, 0.0)
        cost = acquisition_cost(money, round(new.get(place, NO_SUMS).n))
        if metric.kind == "cost":
            yield cost
        elif metric.kind == "efficiency":
            yield efficiency(measured["revenue"].estimates[place], money)
        else:
            margins = {days: measured[f"margin_{days}"].estimates for days in WINDOWS}
            yield payback(cost, {days: known[place] for days, known in margins.items() if known})


def _row(measured: MeasuredMetric, periods: Sequence[Period], place: int) -> dict[str, object]:
    """Return what a metric was in a period, and what is usual for it."""
    metric, period = measured.metric, periods[place]
    found = measured.estimates[place] if measured.estimates else Estimate()
    usual = _usual(measured, place)
    low, high = usual or (None, None)
    return {
        "metric": metric.name,
        "title": metric.title,
        "unit": metric.unit,
        "period_start": period.start,
        "period_end": period.end,
        **dict(zip(_SHOWN, found[:3], strict=True)),
        "usual_low": low,
        "usual_high": high,
        "alert": _alert(found.value, usual),
    }


def _last_row(measured: MeasuredMetric, periods: Sequence[Period]) -> dict[str, object]:
    """Return what a metric was in the last period, beside the one before."""
    estimates, change = measured.estimates, measured.change or Estimate()
    now = estimates[-1] if estimates else Estimate()
    return _row(measured, periods, len(periods) - 1) | {
        "family": measured.metric.family,
        "direction": measured.metric.direction,
        "previous": estimates[-2].value if len(estimates) > 1 else None,
        **dict(zip(_CHANGE, change[:3], strict=True)),
        "units": now.units if estimates else None,
        "method": now.method,
        "caution": now.caution,
        "missing": measured.missing,
    }


def _usual(measured: MeasuredMetric, place: int) -> tuple[float, float] | None:
    """Return where the value lies by the periods before a place."""
    if measured.metric.view in _OVERLAPPING:
        return None
    return usual_range([one.value for one in measured.estimates[: max(place, 0)] if one.value is not None])


def _alert(value: float | None, usual: tuple[float, float] | None) -> str | None:
    if value is None or usual is None or usual[0] <= value <= usual[1]:
        return None
    return "above" if value > usual[1] else "below"
