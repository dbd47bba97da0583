"""Cohorts by age since the first order: a table under COHORTS in; a map of its cells, or curves of value, out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.data.shop import Every
from cxsim.errors import TableError, choices
from cxsim.metrics.cohorts import COHORTS
from cxsim.reporting.theme import INK, QUIET, Figure, distinct, framed, rounded, tooltip
from cxsim.tables import check
from cxsim.wording import INTERVAL_95, NBSP, figure, money, number, style

# What is followed in cohorts, by the names of measures in COHORTS.
_MEASURES = {
    "retention": "Customers who order again",
    "orders": "Orders per customer",
    "revenue": "Revenue per customer",
    "margin": "Margin per customer",
    "cumulative_revenue": "Revenue per customer so far",
    "cumulative_margin": "Margin per customer so far",
}
_STEP_DAYS = {"month": 30, "week": 7}
_ROW = 26
_LEAST, _MOST = "#E3EEF6", "#0B4F7D"
# What is left off a cell, where it stands once: a currency, wherever it stands, and the sign of a percentage.
_BARE = {"before": "/^[A-Z]+\\u00a0| ?\\u00a0%$/g", "after": "/ ?\\u00a0([A-Z]+|%)$/g"}


def cohort_heatmap(table: pl.DataFrame, measure: str, currency: str, *, every: Every = "month") -> Figure:
    """Draw one measure of every cohort at every age."""
    cells = _valued(table, measure, currency)
    shown = (
        f"{_measured(measure, currency)}. Dashed frame: only a part of the cohort has been observed so long. "
        f"Blank: too few have been. The {INTERVAL_95} of a cell is in its tooltip."
    )
    order = distinct(table, "cohort")
    ages = sorted(cells["age"].unique().to_list())
    drawn = alt.layer(*_map_marks(cells, order, ages, every=every))
    return framed(
        drawn,
        finding=_map_finding(cells, measure, currency, every),
        shown=shown,
        alt_text=_alt_text(cells),
        height=_ROW * len(order),
    )


def _valued(table: pl.DataFrame, measure: str, currency: str) -> pl.DataFrame:
    known = check(table, COHORTS)["measure"].unique(maintain_order=True).to_list()
    if measure not in known:
        raise TableError(f"COHORTS: no measure '{measure}'; {choices(measure, known)}")
    cells = table.filter(pl.col("measure") == measure).drop_nulls("value")
    written = [
        pl.Series(f"{name}_written", [_written(value, measure, currency) for value in cells[name]], pl.String)
        for name in ("value", "low", "high")
    ]
    return rounded(cells.with_columns(written))


def _written(value: float | None, measure: str, currency: str) -> str:
    if value is None:
        return "not known"
    if measure == "retention":
        return f"{figure(100 * value, '.1f')}{NBSP}%"
    return number(value) if measure == "orders" else money(value, currency)


def _measured(measure: str, currency: str) -> str:
    if measure == "retention":
        return "Share of customers who order again, %"
    words = _MEASURES.get(measure, measure.replace("_", " "))
    return words if measure == "orders" else f"{words}, {currency}"


def _map_marks(cells: pl.DataFrame, order: list[str], ages: list[int], *, every: Every) -> list[alt.Chart]:
    low, high = _span(cells)
    drawn = alt.Chart(cells).encode(
        x=alt.X(
            "age:O",
            title=f"Age: steps of {_STEP_DAYS[every]} days after each customer's own first order",
            scale=alt.Scale(domain=ages, paddingInner=0.06),
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y("cohort:N", sort=order, title="Cohort", scale=alt.Scale(domain=order, paddingInner=0.1)),
        tooltip=tooltip(
            [
                ("cohort:N", "Cohort"),
                ("age:Q", "Age"),
                ("value_written:N", "Value"),
                ("low_written:N", f"{INTERVAL_95}, low"),
                ("high_written:N", f"{INTERVAL_95}, high"),
                ("at_risk:Q", "Customers observed so long", ",d"),
                ("customers:Q", "Customers of the cohort", ",d"),
                ("caution:N", "Caution"),
            ]
        ),
    )
    colour = alt.Color("value:Q", scale=alt.Scale(domain=[low, high], range=[_LEAST, _MOST]), legend=None)
    dark = f"datum.value > {low + 0.5 * (high - low)}"
    partial = drawn.transform_filter("!datum.complete")
    return [
        drawn.mark_rect().encode(color=colour),
        partial.mark_rect(fillOpacity=0, stroke="#FFFFFF", strokeWidth=3),
        partial.mark_rect(fillOpacity=0, stroke=QUIET, strokeWidth=1.2, strokeDash=[3, 2]),
        drawn.mark_text(fontSize=11).encode(
            text=alt.Text("cell:N"),
            color=alt.condition(dark, alt.value("#FFFFFF"), alt.value(INK)),
        ).transform_calculate(cell=f"replace(datum.value_written, {_BARE[style().currency]}, '')"),
    ]  # fmt: skip


def _span(cells: pl.DataFrame) -> tuple[float, float]:
    if cells.is_empty():
        return 0.0, 1.0
    low, high = (float(end) for end in (cells["value"].to_numpy().min(), cells["value"].to_numpy().max()))
    return (low, high) if high > low else (low, low + 1.0)


def _map_finding(cells: pl.DataFrame, measure: str, currency: str, every: Every) -> str:
    if cells.is_empty():
        return "Too few customers have been observed for long enough"
    at = _latest(cells.filter("complete") if cells["complete"].any() else cells)
    first, last = (place * _STEP_DAYS[every] for place in (int(at["age"][0]), int(at["age"][0]) + 1))
    least, most = (_written(at["value"].sort()[place], measure, currency) for place in (0, -1))
    span = least if least == most else f"{least} to {most}"
    if measure.startswith("cumulative"):
        return f"After {last} days, a customer has brought {span}, by cohort"
    if measure == "retention":
        return f"{span} of customers order again in days {first} to {last}, by cohort"
    what = measure if measure == "orders" else f"of {measure}"
    return f"{span} {what} per customer in days {first} to {last}, by cohort"


def _latest(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the cells of the last age that as many cohorts as two have, if there are two."""
    sizes = cells.group_by("age").len("cohorts").sort("age")
    wanted = min(2, int(sizes["cohorts"].to_numpy().max()))
    age = int(sizes.filter(pl.col("cohorts") >= wanted)["age"][-1])
    return cells.filter(pl.col("age") == age)


def _alt_text(cells: pl.DataFrame) -> str:
    """Return the last value of each cohort in words; all of them would be too many to listen to."""
    last = cells.group_by("cohort", maintain_order=True).agg(pl.all().sort_by("age").last())
    parts = [
        f"{row['cohort']} at age {row['age']}: {row['value_written']}, {row['at_risk']} of {row['customers']} customers"
        for row in last.iter_rows(named=True)
    ]
    return f"{'; '.join(parts)}." if parts else ""
