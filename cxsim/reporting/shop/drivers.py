"""What goes with later orders: associations, and shares by dose, in; a forest, a curve and their tables out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.metrics.drivers import ASSOCIATIONS, DOSES, FEWEST_FOR_A_SHARE
from cxsim.reporting.shop.clv_validation import SHARE_LABELS
from cxsim.reporting.tables import Column, Row, Table, TableSpec
from cxsim.reporting.theme import (
    BASELINE,
    GROUND,
    INK,
    QUIET,
    STRATEGIES,
    WIDTH,
    Figure,
    classes_across,
    coloured,
    detailed,
    distinct,
    ends,
    error_bar,
    framed,
    listed,
    point_and_interval,
    rounded,
    with_texts,
)
from cxsim.tables import check
from cxsim.wording import INTERVAL_95, NBSP, counted, figure, joined, measured, measured_span, percent

_ROW = 30
_LABEL = 330
_AFTER, _BEFORE = "After the event", "Before the event"
_TICKS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.7, 2, 3, 5, 10, 20)
# So many of them fit below the figure.
_MOST_TICKS = 9
_OUTCOMES = {
    "next order": "Speed of the next order",
    "orders": "Order frequency",
    "spend": "Spend",
}
# So many experiences are named one by one in a title; more of them are counted.
_NAMED = 3
_UNITS = {"days": "days", "hours": "hours", "count": "number"}


def associations(table: pl.DataFrame) -> Figure:
    """Draw how experiences go with what customers order afterwards, beside what they ordered before."""
    rows = check(table, ASSOCIATIONS).unique(["exposure", "outcome"], keep="first", maintain_order=True)
    if rows.is_empty():
        raise TableError("ASSOCIATIONS: there is no row, so there is nothing to draw.")
    titles = distinct(rows, "title")
    drawn = rounded(_points(rows))
    return framed(
        alt.layer(*_marks(drawn, titles), data=drawn)
        .properties(width=WIDTH - _LABEL // 2, height=_ROW * len(titles))
        .facet(
            row=alt.Row(
                "panel:N", sort=distinct(drawn, "panel"), title=None, header={"labelAnchor": "start", "orient": "top"}
            ),
            spacing=18,
        ),
        finding=_finding(rows),
        shown=(
            f"Ratio per additional unit; line: {INTERVAL_95}. Filled: after the event. Hollow: before it, where a "
            "ratio far from 1 shows selection, because the event cannot be the cause. Associations are not effects."
        ),
        alt_text=" ".join(rows["finding"]),
    )


def dose_curve(table: pl.DataFrame) -> Figure:
    """Draw the share of orders that are followed by another, by how much of something was met."""
    rows = check(table, DOSES)
    exposures = distinct(rows, "exposure")
    if len(exposures) > 1:
        raise TableError(f"DOSES: one curve is of one exposure; found {joined(exposures)}.")
    rows = rows.drop_nulls("value")
    if rows.is_empty():
        raise TableError("DOSES: no class has a value, so there is nothing to draw.")
    exposure, unit, outcome = rows.select("exposure", "unit", "outcome").row(0)
    rows = with_texts(rows, {"label": _class})
    return framed(
        _curve(rounded(rows.drop("dose_high")), f"{exposure.capitalize()}, {_UNITS.get(unit, unit)}", outcome),
        finding=_curve_finding(rows.rows(named=True)),
        shown=(
            f"Share that {outcome}, by {exposure}. Line: {INTERVAL_95} over customers. This is an association: "
            "customers with more exposure may differ in other ways."
        ),
        alt_text=listed(rows.select("label", "value"), lambda label, value: f"{label}: {percent(value)}"),
    )


def associations_table(table: pl.DataFrame) -> Table:
    """Lay out how experiences go with what customers order afterwards."""
    return _ASSOCIATIONS.render(table)


def doses_table(table: pl.DataFrame) -> Table:
    """Lay out what share of orders is followed by another, by how much of something was met."""
    return _DOSES.render(table)


def _met(table: pl.DataFrame) -> str:
    experiences = table["exposure"].n_unique()
    return f"How {counted(experiences)} experience{' relates' if experiences == 1 else 's relate'} to later orders"


def _ratio(value: float) -> str:
    return measured(value, "ratio", "")


def _span(low: str, high: str, unit: str) -> Callable[[Row], str | None]:
    return lambda row: None if None in (row[low], row[high]) else measured_span(row[low], row[high], unit)


_ASSOCIATIONS = TableSpec(
    id="associations",
    contract=ASSOCIATIONS,
    title=_met,
    subtitle=f"Ratio of the outcome per additional unit of exposure, with its {INTERVAL_95} over customers",
    group="title",
    line=lambda row: row["outcome"].capitalize(),
    columns={
        "model": Column("Model", align="text"),
        "ratio": Column("Ratio after the event", write=_ratio),
        "interval": Column(INTERVAL_95, _span("low", "high", "ratio")),
        "before": Column("Ratio before the event", write=_ratio),
        "before_interval": Column(INTERVAL_95, _span("before_low", "before_high", "ratio")),
        "customers": Column("Customers affected"),
        "clear": Column("Clear", write=lambda clear: "yes" if clear else "no", align="text"),
        "label": Column("Evidence", align="text"),
        "finding": Column("Interpretation", align="text"),
    },
    notes=(
        (
            "Ratio before the event: the same ratio for the period before. The event cannot be its cause, so a value "
            "far from 1 shows that different customers are affected (selection)."
        ),
        "Clear: it holds after adjustment for the number of comparisons in this table.",
        "An association is an effect only if exposure was randomised.",
    ),
)
_DOSES = TableSpec(
    id="doses",
    contract=DOSES,
    title="Repeat orders by level of exposure",
    subtitle=f"Share with another order in the following days, with its {INTERVAL_95} over customers",
    group=lambda row: f"{row['exposure'].capitalize()}: {row['outcome']}",
    line=lambda row: _class(row) + ("" if row["unit"] == "count" else f"{NBSP}{row['unit']}"),
    columns={
        "value": Column(
            "Share", lambda row: "too few" if row["value"] is None else measured(row["value"], "share", "")
        ),
        "interval": Column(INTERVAL_95, _span("low", "high", "share")),
        "dose": Column("Class mean", lambda row: figure(row["dose"] or 0.0, ".1f")),
        "customers": Column("Customers"),
    },
    notes=(
        f"Only events with a complete follow-up period. No share for fewer than {FEWEST_FOR_A_SHARE} customers.",
        "This is an association: customers with more exposure may differ in other ways.",
    ),
)


def _points(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(
        rows.select(
            *("title", "customers"),
            ratio=ratio,
            low=low,
            high=high,
            panel=pl.col("outcome").replace(_OUTCOMES),
            kind=pl.lit(kind),
        ).drop_nulls("ratio")
        for kind, ratio, low, high in (
            (_AFTER, "ratio", "low", "high"),
            (_BEFORE, "before", "before_low", "before_high"),
        )
    )


def _marks(drawn: pl.DataFrame, names: list[str]) -> list[alt.Chart]:
    kinds = [_AFTER, _BEFORE]
    low, high = drawn.select(pl.col("low").min() * 0.95, pl.col("high").max() * 1.05).row(0)
    span = [min(0.9, low), max(1.1, high)]
    colour = coloured(
        "kind:N", kinds, (STRATEGIES[0], BASELINE), {"orient": "top", "symbolSize": 110, "symbolOpacity": 1}
    )
    shared = detailed(
        {
            "title:N": "Experience",
            "kind:N": "When",
            "ratio:Q .2f": "Ratio",
            **ends(INTERVAL_95, ".2f"),
            "customers:Q ,d": "Customers affected",
        },
        channels=[
            alt.Y("title:N", sort=names, title=None, axis={"labelColor": INK, "labelLimit": _LABEL}),
            alt.YOffset("kind:N", sort=kinds, scale={"paddingOuter": 0.6}),
            colour,
        ],
    )
    return [
        alt.Chart().mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x=alt.XDatum(1.0)),
        error_bar(shared).encode(x=alt.X("low:Q", title="Ratio"), x2="high:Q"),
        shared.mark_point(size=70, opacity=1, strokeWidth=2).encode(
            x=alt.X(
                "ratio:Q",
                scale={"domain": span, "nice": False, "type": "log"},
                axis={"format": "~g", "grid": False, "title": "Ratio", "values": _ticks(*span)},
            ),
            fill=alt.Fill("kind:N", scale={"domain": kinds, "range": [STRATEGIES[0], GROUND]}, legend=colour["legend"]),
        ),
    ]


def _ticks(low: float, high: float) -> list[float]:
    """Return round ratios of the axis, 1 among them, as many as fit."""
    inside = [tick for tick in _TICKS if low <= tick <= high]
    while len(inside) > _MOST_TICKS:
        inside = inside[inside.index(1) % 2 :: 2]
    return inside


def _finding(rows: pl.DataFrame) -> str:
    clear = rows.filter("clear")
    names = distinct(clear, "title")
    if not names:
        return "No experience is clearly associated with later orders"
    odd = clear.filter(~pl.lit(1.0).is_between("before_low", "before_high"))["title"].n_unique()
    who = f"{counted(len(names))} of {counted(rows['title'].n_unique())} experiences"
    who = joined(names) if len(names) <= _NAMED else who
    first = f"{who[:1].upper()}{who[1:]} {'is' if len(names) == 1 else 'are'} clearly associated with later orders"
    if odd == 0:
        return first
    already = "" if odd == len(names) else f"for {counted(odd)} of them "
    return f"{first}, but {already}customers already differed before the event"


def _curve(rows: pl.DataFrame, title: str, outcome: str) -> Figure:
    drawn = detailed(
        {
            "label:O": title,
            "value:Q .1%": outcome.capitalize(),
            **ends(INTERVAL_95, ".1%"),
            "customers:Q ,d": "Customers",
        },
        rows,
        [classes_across("label:O", rows["label"].to_list(), title)],
    )
    words, axis = f"Share that {outcome}", {"labelExpr": SHARE_LABELS, "tickCount": 6}
    share = alt.Y("value:Q", title=words, axis=axis, scale={"nice": True, "zero": False})
    return alt.layer(
        drawn.mark_line(color=STRATEGIES[0], strokeWidth=1.5, opacity=0.5).encode(y=share),
        *point_and_interval(drawn, alt.Y("low:Q", title=words, axis=axis), share, STRATEGIES[0]),
    )


def _class(row: Row) -> str:
    """Return a class of doses as it is read.

    >>> _class({"dose_low": 3.0, "dose_high": 5.0}), _class({"dose_low": 14.0, "dose_high": float("inf")})
    ('3 to 5', '14 or more')
    """
    low, high = row["dose_low"], row["dose_high"]
    return f"{figure(low, 'g')} or more" if math.isinf(high) else f"{figure(low, 'g')} to {figure(high, 'g')}"


def _curve_finding(rows: Sequence[Row]) -> str:
    first, last = rows[0], rows[-1]
    start = f"{percent(first['value'])} {first['outcome']}"
    if len(rows) == 1:
        return start
    unit = "" if first["unit"] == "count" else f" {first['unit']}"
    words = (
        f"{first['exposure'].capitalize()}: {start} at {first['label']}{unit}, "
        f"{percent(last['value'])} at {last['label']}{unit}"
    )
    halves = [(row["high"] - row["low"]) / 2.0 for row in (first, last) if row["low"] is not None]
    clear = len(halves) == 2 and abs(last["value"] - first["value"]) > math.hypot(*halves)
    return words if clear else f"{words}: no clear difference"
