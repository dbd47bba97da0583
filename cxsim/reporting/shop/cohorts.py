"""Cohorts by age since the first order: a table under COHORTS in; a map of its cells, or curves of value, out."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.metrics.cohorts import COHORTS
from cxsim.reporting.tables import Row, share_to
from cxsim.reporting.theme import (
    GROUND,
    ON_DARK,
    ON_PALE,
    QUIET,
    Figure,
    detailed,
    distinct,
    framed,
    listed,
    rounded,
    with_texts,
)
from cxsim.tables import check
from cxsim.wording import INTERVAL_95, money, number, style

# What is followed in cohorts, by the names of measures in COHORTS.
_MEASURES = {
    "retention": "Customers who order again",
    "orders": "Orders per customer",
    "revenue": "Revenue per customer",
    "cumulative_revenue": "Cumulative revenue per customer",
}
_STEP_DAYS = 30
_ROW = 26
_LEAST, _MOST = "#E3EEF6", "#0B4F7D"
# What is left off a cell, where it stands once: a currency, wherever it stands, and the sign of a percentage.
_BARE = {"before": "/^[A-Z]+\\u00a0| ?\\u00a0%$/g", "after": "/ ?\\u00a0([A-Z]+|%)$/g"}


def cohort_heatmap(table: pl.DataFrame, measure: str, currency: str) -> Figure:
    """Draw one measure of every cohort at every age."""
    measures = distinct(check(table, COHORTS), "measure")
    if measure not in measures:
        raise TableError(f"COHORTS: no measure '{measure}'; {choices(measure, measures)}")
    measured, write = _read_as(measure, currency)
    texts = {f"{name}_written": _written(name, write) for name in ("value", "low", "high")}
    cells = rounded(with_texts(table.filter(measure=measure).drop_nulls("value"), texts))
    order = distinct(table, "cohort")
    return framed(
        alt.layer(*_marks(cells, order)),
        finding=_finding(cells, measure, write),
        shown=(
            f"{measured}. Dashed frame: only part of the cohort has been observed that long. "
            f"Blank: too few customers. The tooltip shows the {INTERVAL_95}."
        ),
        # The last value of each cohort; all of them would be too many to listen to.
        alt_text=listed(
            cells.group_by("cohort", maintain_order=True)
            .agg(pl.all().sort_by("age").last())
            .select("cohort", "age", "value_written", "at_risk", "customers"),
            "{} at age {}: {}, {} of {} customers".format,
        ),
        height=_ROW * len(order),
    )


def _read_as(measure: str, currency: str) -> tuple[str, Callable[[float], str]]:
    """Return what is measured, in words with its unit, and how a value is written."""
    if measure == "retention":
        return "Share of customers who order again, %", share_to(1)
    words = _MEASURES.get(measure, measure.replace("_", " "))
    if measure == "orders":
        return words, number
    return f"{words}, {currency}", lambda value: money(value, currency)


def _written(name: str, write: Callable[[float], str]) -> Callable[[Row], str]:
    return lambda row: "not known" if row[name] is None else write(row[name])


def _marks(cells: pl.DataFrame, order: list[str]) -> list[alt.Chart]:
    low, high = _span(cells["value"])
    drawn = detailed(
        {
            "cohort:N": "Cohort",
            "age:Q": "Age",
            "value_written:N": "Value",
            "low_written:N": f"{INTERVAL_95}, low",
            "high_written:N": f"{INTERVAL_95}, high",
            "at_risk:Q ,d": "Customers observed that long",
            "customers:Q ,d": "Customers of the cohort",
            "caution:N": "Caution",
        },
        cells,
        [
            alt.X(
                "age:O",
                title=f"Age in {_STEP_DAYS}-day steps since each customer's first order",
                scale={"domain": cells["age"].unique().sort().to_list(), "paddingInner": 0.06},
                axis={"labelAngle": 0},
            ),
            alt.Y("cohort:N", sort=order, title="Cohort", scale={"domain": order, "paddingInner": 0.1}),
        ],
    )
    dark = f"datum.value > {low + 0.5 * (high - low)}"
    partial = drawn.transform_filter("!datum.complete")
    bare = f"replace(datum.value_written, {_BARE[style().currency]}, '')"
    return [
        drawn.mark_rect().encode(
            color=alt.Color("value:Q", scale={"domain": [low, high], "range": [_LEAST, _MOST]}, legend=None)
        ),
        partial.mark_rect(fillOpacity=0, stroke=GROUND, strokeWidth=3),
        partial.mark_rect(fillOpacity=0, stroke=QUIET, strokeWidth=1.2, strokeDash=[3, 2]),
        drawn.transform_calculate(cell=bare)
        .mark_text(fontSize=11)
        .encode(text="cell:N", color=alt.condition(dark, alt.value(ON_DARK), alt.value(ON_PALE))),
    ]


def _span(values: pl.Series) -> tuple[float, float]:
    if values.is_empty():
        return 0.0, 1.0
    low, high = values.sort().gather([0, -1])
    return low, high if high > low else low + 1.0


def _finding(cells: pl.DataFrame, measure: str, write: Callable[[float], str]) -> str:
    if cells.is_empty():
        return "Too few customers have been observed for long enough"
    complete = cells.filter("complete") if cells["complete"].any() else cells
    # The last age that as many cohorts as two have, if there are two.
    sizes = complete.group_by("age").len("cohorts")
    age = sizes.filter(pl.col("cohorts") >= pl.col("cohorts").max().clip(upper_bound=2))["age"].sort()[-1]
    least, most = map(write, complete.filter(age=age)["value"].sort().gather([0, -1]))
    span = least if least == most else f"{least} to {most}"
    last = _STEP_DAYS * (age + 1)
    if measure.startswith("cumulative"):
        return f"After {last} days, cumulative revenue per customer is {span}, by cohort"
    what = f"{'' if measure == 'orders' else 'of '}{measure} per customer"
    what = "of customers order again" if measure == "retention" else what
    return f"{span} {what} in days {last - _STEP_DAYS} to {last}, by cohort"
