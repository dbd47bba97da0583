"""What goes with later orders: associations, and shares by dose, in; a forest and a curve out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.metrics.contracts import ASSOCIATIONS, DOSES
from cxsim.reporting.tables import Table, laid_out
from cxsim.reporting.theme import BASELINE, INK, QUIET, STRATEGIES, WIDTH, Figure, framed, rounded
from cxsim.tables import check
from cxsim.wording import MISSING, NBSP, counted, joined, localise, measured, measured_span, percent

_INTERVAL = f"95{NBSP}% interval"
_ROW = 30
_LABEL = 330
_AFTER, _BEFORE = "After it happened", "Before it happened"
_TICKS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.7, 2, 3, 5, 10, 20)
# So many of them fit below the figure.
_MOST_TICKS = 9
_HEADS = {"next order": "How soon the next order comes", "orders": "How often they order", "spend": "What they spend"}
# So many experiences are told one by one in a title; of more, their number is.
_ALT_TEXT = 3
_UNITS = {"days": "days", "hours": "hours", "count": "number"}


def associations(table: pl.DataFrame) -> Figure:
    """Draw how experiences go with what customers order afterwards, beside what they ordered before."""
    rows = check(table, ASSOCIATIONS).unique(["exposure", "outcome"], keep="first", maintain_order=True)
    if rows.is_empty():
        raise TableError("ASSOCIATIONS: there is no row, so there is nothing to draw.")
    shown = (
        f"Ratio for one unit more; line: {_INTERVAL}. Full: after it happened. Hollow: before it did, which it cannot "
        "have caused; far from 1, other customers meet it. Associations are no effects."
    )
    titles = rows["title"].unique(maintain_order=True).to_list()
    points = rounded(_points(rows))
    ends = [float(points["low"].to_numpy().min()), float(points["high"].to_numpy().max())]
    ordered = [_HEADS.get(outcome, outcome) for outcome in rows["outcome"].unique(maintain_order=True)]
    drawn = (
        alt.layer(*_marks(titles, ends), data=points)
        .properties(width=WIDTH - _LABEL // 2, height=_ROW * len(titles))
        .facet(
            row=alt.Row("panel:N", sort=ordered, title=None, header=alt.Header(orient="top", labelAnchor="start")),
            spacing=18,
        )
    )
    return framed(drawn, finding=_finding(rows), shown=shown, alt_text=" ".join(rows["finding"]))


def dose_curve(table: pl.DataFrame) -> Figure:
    """Draw the share of orders that are followed by another, by how much of something was met."""
    rows = check(table, DOSES)
    exposures = rows["exposure"].unique(maintain_order=True).to_list()
    if len(exposures) > 1:
        raise TableError(f"DOSES: one curve is of one exposure; found {joined(exposures)}.")
    rows = rows.drop_nulls("value")
    if rows.is_empty():
        raise TableError("DOSES: no class has a value, so there is nothing to draw.")
    outcome = rows["outcome"][0]
    shown = (
        f"Share that {outcome}, by {exposures[0]}. Line: {_INTERVAL}, over customers. An association: who meets "
        "more of it may be another kind of customer."
    )
    labels = [_class(low, high) for low, high in rows.select("dose_low", "dose_high").iter_rows()]
    named = rounded(rows.with_columns(label=pl.Series(labels)).drop("dose_high"))
    alt_text = "; ".join(f"{label}: {percent(value)}" for label, value in zip(labels, rows["value"], strict=True))
    title = f"{exposures[0].capitalize()}, {_UNITS.get(rows['unit'][0], rows['unit'][0])}"
    return framed(
        _curve(named, labels, title, outcome), finding=_curve_finding(rows), shown=shown, alt_text=f"{alt_text}."
    )


def _points(rows: pl.DataFrame) -> pl.DataFrame:
    panel = pl.col("outcome").replace(_HEADS)
    shared = ["title", "customers"]
    after = rows.select(*shared, "ratio", "low", "high", panel=panel, kind=pl.lit(_AFTER))
    before = rows.select(
        *shared, ratio="before", low="before_low", high="before_high", panel=panel, kind=pl.lit(_BEFORE)
    )
    return pl.concat([after, before.drop_nulls("ratio")])


def _marks(titles: list[str], ends: list[float]) -> list[alt.Chart]:
    kinds = [_AFTER, _BEFORE]
    span = [min(0.9, 0.95 * ends[0]), max(1.1, 1.05 * ends[1])]
    axis = alt.Axis(title="Ratio", values=_ticks(*span), format="~g", grid=False)
    x = alt.X("ratio:Q", scale=alt.Scale(type="log", domain=span, nice=False), axis=axis)
    legend = alt.Legend(title=None, orient="top", symbolSize=110, symbolOpacity=1)
    drawn = alt.Chart().encode(
        y=alt.Y("title:N", sort=titles, title=None, axis=alt.Axis(labelLimit=_LABEL, labelColor=INK)),
        yOffset=alt.YOffset("kind:N", sort=kinds, scale=alt.Scale(paddingOuter=0.6)),
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=kinds, range=[STRATEGIES[0], BASELINE]),
            legend=legend,
        ),
        tooltip=[
            alt.Tooltip("title:N", title="Experience"),
            alt.Tooltip("kind:N", title="When"),
            alt.Tooltip("ratio:Q", title="Ratio", format=".2f"),
            alt.Tooltip("low:Q", title=f"{_INTERVAL}, low", format=".2f"),
            alt.Tooltip("high:Q", title=f"{_INTERVAL}, high", format=".2f"),
            alt.Tooltip("customers:Q", title="Customers who met it", format=",d"),
        ],
    )
    fill = alt.Fill("kind:N", scale=alt.Scale(domain=kinds, range=[STRATEGIES[0], "#FFFFFF"]), legend=legend)
    return [
        alt.Chart().mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x=alt.XDatum(1.0)),
        drawn.mark_rule(strokeWidth=3, opacity=0.5).encode(x=alt.X("low:Q", title="Ratio"), x2="high:Q"),
        drawn.mark_point(size=70, opacity=1, strokeWidth=2).encode(x=x, fill=fill),
    ]


def _ticks(low: float, high: float) -> list[float]:
    """Return round ratios of the axis, 1 among them, as many as fit."""
    inside = [tick for tick in _TICKS if low <= tick <= high]
    while len(inside) > _MOST_TICKS:
        place = inside.index(1)
        inside = inside[place % 2 :: 2]
    return inside


def _finding(drawn: pl.DataFrame) -> str:
    clear = drawn.filter("clear")
    names = clear["title"].unique(maintain_order=True).to_list()
    number = drawn["title"].n_unique()
    if not names:
        return "No experience clearly goes with what customers order later"
    odd = clear.filter((pl.col("before_low") > 1.0) | (pl.col("before_high") < 1.0))["title"].n_unique()
    alt_text = joined(names) if len(names) <= _ALT_TEXT else f"{counted(len(names))} of {counted(number)} experiences"
    verb = "goes" if len(names) == 1 else "go"
    first = f"{alt_text[:1].upper()}{alt_text[1:]} {verb} with what customers order later"
    if odd == 0:
        return first
    if odd == len(names):
        return f"{first}, but did so before it happened"
    return f"{first}, {counted(odd)} of them already before it happened"


def _curve(rows: pl.DataFrame, labels: list[str], title: str, outcome: str) -> Figure:
    axis = alt.Axis(labelExpr="format(100 * datum.value, '~g') + ' %'", tickCount=6)
    drawn = alt.Chart(rows).encode(
        x=alt.X("label:O", sort=labels, title=title, axis=alt.Axis(labelAngle=0)),
        tooltip=[
            alt.Tooltip("label:O", title=title),
            alt.Tooltip("value:Q", title=outcome.capitalize(), format=".1%"),
            alt.Tooltip("low:Q", title=f"{_INTERVAL}, low", format=".1%"),
            alt.Tooltip("high:Q", title=f"{_INTERVAL}, high", format=".1%"),
            alt.Tooltip("customers:Q", title="Customers", format=",d"),
        ],
    )
    share = alt.Y("value:Q", title=f"Share that {outcome}", axis=axis, scale=alt.Scale(zero=False, nice=True))
    line = drawn.mark_rule(color=STRATEGIES[0], strokeWidth=3, opacity=0.5).encode(
        y=alt.Y("low:Q", title=f"Share that {outcome}", axis=axis), y2="high:Q"
    )
    path = drawn.mark_line(color=STRATEGIES[0], strokeWidth=1.5, opacity=0.5).encode(y=share)
    point = drawn.mark_point(color=STRATEGIES[0], filled=True, size=80, opacity=1).encode(y=share)
    return alt.layer(path, line, point)


def _class(low: float, high: float) -> str:
    """Return a class of doses as it is read.

    >>> _class(3.0, 5.0), _class(14.0, float("inf"))
    ('3 to 5', '14 or more')
    """
    return localise(f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}")


def _curve_finding(rows: pl.DataFrame) -> str:
    first, last = rows.row(0, named=True), rows.row(-1, named=True)
    outcome = str(first["outcome"])
    if rows.height == 1:
        return f"{percent(first['value'])} {outcome}"
    low, high = (_class(row["dose_low"], row["dose_high"]) for row in (first, last))
    unit = "" if first["unit"] == "count" else f" {first['unit']}"
    alt_text = (
        f"{str(first['exposure']).capitalize()}: {percent(first['value'])} {outcome} at {low}{unit}, "
        f"{percent(last['value'])} at {high}{unit}"
    )
    halves = [(row["high"] - row["low"]) / 2.0 for row in (first, last) if row["low"] is not None]
    clear = len(halves) == 2 and abs(last["value"] - first["value"]) > math.hypot(*halves)
    return alt_text if clear else f"{alt_text}: no clear difference"


_DRIVERS_INTERVAL = f"95{NBSP}% interval"
_FEW = "too few"


def associations_table(table: pl.DataFrame) -> Table:
    """Lay out how experiences go with what customers order afterwards."""
    rows = check(table, ASSOCIATIONS)
    number = rows["exposure"].n_unique()
    noun = "experience goes" if number == 1 else "experiences go"
    title = f"How {counted(number)} {noun} with later orders"
    heads = {
        "model": "Model",
        "ratio": "Ratio after it",
        "interval": _DRIVERS_INTERVAL,
        "before": "Ratio before it",
        "before_interval": f"Its {_DRIVERS_INTERVAL}",
        "customers": "Customers who met it",
        "clear": "Clear",
        "label": "Read as",
        "finding": "In words",
    }
    cells = pl.DataFrame(
        [_association(row) for row in rows.iter_rows(named=True)],
        schema=dict.fromkeys(("group", "line", *heads), pl.String),
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"Ratio of the outcome for one unit more of what was met, with its {_DRIVERS_INTERVAL} over customers",
        heads=heads,
        text=("model", "clear", "label", "finding"),
        notes=(
            (
                "Before it: the same ratio for what had not happened yet. Nothing that comes later can have caused it, "
                "so far from 1 it says that other customers meet such things."
            ),
            "Clear: it remains when all comparisons of this table are taken into account.",
            "An association is an effect only where chance decided who met it.",
        ),
    )
    return Table(id="associations", title=title, layout=layout, twin=rows)


def doses_table(table: pl.DataFrame) -> Table:
    """Lay out what share of orders is followed by another, by how much of something was met."""
    rows = check(table, DOSES)
    title = "Whether customers order again, by how much they met"
    heads = {"value": "Share", "interval": _DRIVERS_INTERVAL, "dose": "Mean in the class", "customers": "Customers"}
    cells = pl.DataFrame(
        [_dose(row) for row in rows.iter_rows(named=True)], schema=dict.fromkeys(("group", "line", *heads), pl.String)
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"Share with another order in the days after, with its {_DRIVERS_INTERVAL} over customers",
        heads=heads,
        notes=(
            "Only what happened so long ago that the days are over. Fewer than 30 customers: no share.",
            "An association: who meets more of it may be another kind of customer.",
        ),
    )
    return Table(id="doses", title=title, layout=layout, twin=rows)


def _association(row: Mapping[str, float | str | None]) -> dict[str, str]:
    return {
        "group": str(row["title"]),
        "line": str(row["outcome"]).capitalize(),
        "model": str(row["model"]),
        "ratio": _ratio(row["ratio"]),
        "interval": _span(row["low"], row["high"]),
        "before": _ratio(row["before"]),
        "before_interval": _span(row["before_low"], row["before_high"]),
        "customers": localise(f"{row['customers']:,}"),
        "clear": "yes" if row["clear"] else "no",
        "label": str(row["label"]),
        "finding": str(row["finding"]),
    }


def _ratio(value: float | str | None) -> str:
    return MISSING if value is None else measured(float(value), "ratio", "")


def _span(low: float | str | None, high: float | str | None) -> str:
    return MISSING if low is None or high is None else measured_span(float(low), float(high), "ratio")


def _dose(row: Mapping[str, float | str | None]) -> dict[str, str]:
    low, high, unit = float(row["dose_low"] or 0.0), float(row["dose_high"] or 0.0), str(row["unit"])
    value, ends = row["value"], (row["low"], row["high"])
    word = "" if unit == "count" else f"{NBSP}{unit}"
    known = value is not None and ends[0] is not None and ends[1] is not None
    return {
        "group": f"{str(row['exposure']).capitalize()}: {row['outcome']}",
        "line": localise(f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}") + word,
        "value": _FEW if value is None else measured(float(value), "share", ""),
        "interval": measured_span(float(ends[0] or 0.0), float(ends[1] or 0.0), "share") if known else MISSING,
        "dose": localise(f"{float(row['dose'] or 0.0):.1f}"),
        "customers": localise(f"{row['customers']:,}"),
    }
