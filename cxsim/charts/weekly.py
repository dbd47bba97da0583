"""A few metrics over time: a table under SERIES in; small multiples, each with its usual range, out."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, day_in_words, framed, rounded
from cxsim.charts.palette import GRID, INK, STRATEGIES
from cxsim.errors import TableError, choices
from cxsim.measured import SERIES
from cxsim.tables import check
from cxsim.wording import NBSP, counted, joined, measured

_ACROSS = 2
_GAP = 44
_HEIGHT = 110
_LABEL_WIDTH = 38
_NUMBERS = ("value", "low", "high", "usual_low", "usual_high")
_INTERVAL = f"95{NBSP}% interval"
# How the axis of a panel is read; money takes the currency.
_UNITS = {"share": "%", "money": "{}", "hours": "hours", "days": "days", "months": "months"}
_LABELS = "abs(datum.value) >= 10000 ? replace(format(datum.value, '~s'), 'G', 'bn') : format(datum.value, ',~r')"


def weekly(series: pl.DataFrame, *, metrics: Sequence[str], currency: str) -> Figure:
    """Draw a few metrics over complete periods, each beside the range in which it usually lies."""
    table = _chosen(check(series, SERIES), metrics)
    shown = (
        "One value per complete period. Band: the usual range, by the periods before it, which holds chance too. Ring: "
        f"the value lies outside it. The {_INTERVAL} of a value is in its tooltip."
    )
    rows = rounded(_rows(table, currency))
    drawn = (
        alt.layer(*_marks(), data=rows)
        .properties(width=(WIDTH - _GAP) // _ACROSS, height=_HEIGHT)
        .facet(
            facet=alt.Facet(
                "panel:N",
                sort=rows["panel"].unique(maintain_order=True).to_list(),
                title=None,
                header=alt.Header(labelAnchor="start", labelPadding=4),
            ),
            columns=_ACROSS,
            spacing={"row": 16, "column": _GAP},
        )
        .resolve_scale(y="independent")
    )
    return framed(drawn, finding=_finding(table), shown=shown, told=_told(table, currency))


def _chosen(table: pl.DataFrame, metrics: Sequence[str]) -> pl.DataFrame:
    known = table["metric"].unique(maintain_order=True).to_list()
    for name in metrics:
        if name not in known:
            raise TableError(f"SERIES: no metric '{name}'; {choices(name, known)}")
    parts = [table.filter(pl.col("metric") == name).sort("period_start") for name in metrics]
    parts = [part for part in parts if part["value"].count()]
    if not parts:
        raise TableError(f"SERIES: nothing to draw; {', '.join(metrics) or 'no metric'}: no value in any period.")
    return pl.concat(parts)


def _rows(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    scale = pl.when(pl.col("unit") == "share").then(100.0).otherwise(1.0)
    heads = {unit: f", {words}".format(currency) for unit, words in _UNITS.items()}
    unit = pl.col("unit").replace_strict(heads, default="", return_dtype=pl.String)
    # "Hours to the first answer" say their unit themselves.
    said = pl.col("title").str.to_lowercase().str.contains(pl.col("unit"), literal=True)
    last = pl.col("period_end").dt.offset_by("-1us").dt.date()
    return table.select(
        *(pl.col(name) * scale for name in _NUMBERS),
        panel=pl.when(said).then("title").otherwise(pl.col("title") + unit),
        start=pl.col("period_start").dt.date(),
        last=last,
        alert=pl.format("{} its usual range", "alert"),
    )


def _marks() -> list[alt.Chart]:
    when = alt.X("start:T", title=None, axis=alt.Axis(format="%b %y", tickCount=5, labelFlush=False))
    # Room for the widest labels keeps the panels below each other.
    axis = alt.Axis(tickCount=4, labelExpr=_LABELS, minExtent=_LABEL_WIDTH)
    scale = alt.Scale(zero=False, nice=True)
    tooltip = [
        alt.Tooltip("panel:N", title="Metric"),
        alt.Tooltip("start:T", title="From", format="%-d %B %Y"),
        alt.Tooltip("last:T", title="To", format="%-d %B %Y"),
        alt.Tooltip("value:Q", title="Value", format=",.4~r"),
        alt.Tooltip("low:Q", title=f"{_INTERVAL}, low", format=",.4~r"),
        alt.Tooltip("high:Q", title=f"{_INTERVAL}, high", format=",.4~r"),
        alt.Tooltip("usual_low:Q", title="Usual range, low", format=",.4~r"),
        alt.Tooltip("usual_high:Q", title="Usual range, high", format=",.4~r"),
    ]
    value = alt.Y("value:Q", title=None, axis=axis, scale=scale)
    drawn = alt.Chart().encode(x=when, y=value)
    band = alt.Chart().mark_area(color=GRID, opacity=0.9)
    return [
        band.encode(x=when, y=alt.Y("usual_low:Q", title=None, axis=axis, scale=scale), y2="usual_high:Q"),
        drawn.mark_line(color=INK, strokeWidth=1.8),
        drawn.mark_point(filled=True, color=INK, size=22, opacity=1).encode(tooltip=tooltip),
        drawn.transform_filter("isValid(datum.alert)").mark_point(
            filled=False, color=STRATEGIES[1], size=140, strokeWidth=2.5, opacity=1
        ),
    ]


def _latest(table: pl.DataFrame) -> pl.DataFrame:
    """Return the row of each metric for the last period of the table, if it has a value there."""
    return table.filter(pl.col("period_start") == pl.col("period_start").max(), pl.col("value").is_not_null())


def _finding(table: pl.DataFrame) -> str:
    latest = _latest(table)
    if latest.is_empty():
        return "In the last period, none of these metrics has a value"
    alerted = latest.filter(pl.col("alert").is_not_null())["title"].to_list()
    period = f"In the period from {day_in_words(latest['period_start'].dt.date().item(0))}"
    if not alerted:
        return f"{period}, none of these metrics lies outside its usual range"
    if len(alerted) <= _NAMED:
        lies = "lies outside its" if len(alerted) == 1 else "lie outside their"
        return f"{period}, {joined(alerted)} {lies} usual range"
    return f"{period}, {counted(len(alerted))} of {counted(latest.height)} metrics lie outside their usual range"


def _told(table: pl.DataFrame, currency: str) -> str:
    values = [
        f"{title}: {measured(value, unit, currency)}"
        for title, value, unit in _latest(table).select("title", "value", "unit").iter_rows()
    ]
    return f"{'; '.join(values)}." if values else ""


# So many titles fit beside each other in a headline.
_NAMED = 2
