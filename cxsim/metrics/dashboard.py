"""A shop in; its dashboard and the series behind it, with what is out of the usual, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from cxsim.intervals import Estimate, usual_range
from cxsim.measured import DASHBOARD, SERIES
from cxsim.metrics.measure import Measured, measured, periods_of
from cxsim.shop import Every, Period, Shop
from cxsim.tables import Contract, check

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
