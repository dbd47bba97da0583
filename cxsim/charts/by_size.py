"""What strategies bring at each size of an effect that nobody has measured: a curve in, one figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, balanced, framed, money_axis, rounded
from cxsim.charts.palette import INK, QUIET, colours
from cxsim.tables import BREAK_EVEN, CURVE, check
from cxsim.wording import INTERVAL, in_words, joined, searched, sized

_HEIGHT = 220
_TOLD = 3
# Columns of the words at the break-even, of which one is filled; from so far to the right on, they stand to its left.
_SIDES = ("_left", "_right")
_ROOM = 0.6
_HEAD_CHARACTERS = 92
# The head of a panel has a line for the strategy and one or two for its effect.
_BREAK = "\N{SYMBOL FOR UNIT SEPARATOR}"
_LINES = f"split(datum.label, '{_BREAK}')"


def npv_by_size(curve: pl.DataFrame, break_even: pl.DataFrame, currency: str) -> Figure:
    """Draw the net present value of each strategy over the size of its effect, and the size from which it pays.

    Parameters
    ----------
    curve
        Table under `CURVE`, with at least one strategy.
    break_even
        Table under `BREAK_EVEN`, of the same strategies.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One panel per strategy: the mean with its 90 % interval, a rule at zero, and one at the break-even, if any.

    Raises
    ------
    TableError
        For tables that are not under `CURVE` and `BREAK_EVEN`.
    """
    known = {str(row["strategy"]): row for row in check(break_even, BREAK_EVEN).rows(named=True)}
    points = rounded(_points(check(curve, CURVE), known, currency))
    told = " ".join(
        f"{name}, at {size}: {value}." for name, size, value in points.select("name", "at", "value").iter_rows()
    )
    shown = (
        f"Net present value over doing nothing, {currency}, if the effect had that size. Line: mean over draws of all "
        f"else that is uncertain; band: {INTERVAL}. Nobody has measured the effect."
    )
    finding = _finding(list(known.values()))
    return framed(_panels(points, currency), finding=finding, shown=shown, told=told)


def _points(curve: pl.DataFrame, known: Mapping[str, Mapping[str, Any]], currency: str) -> pl.DataFrame:
    """Return the curve with a head for each panel, values in words, and words at the break-even of each strategy."""
    told: list[dict[str, str]] = []
    for row in curve.rows(named=True):
        search = known[row["strategy"]]
        effect = f"{searched(row['description'])} ({row['unit']})"
        marks = dict.fromkeys(_SIDES, "")
        if row["size"] == search["break_even"]:
            marks[_side(search)] = f"Pays {_from(search)}"
        told.append(
            {
                **marks,
                "_head": _BREAK.join([row["title"], *balanced(effect, _HEAD_CHARACTERS)]),
                "value": in_words(row["npv"], row["low"], row["high"], currency=currency),
                "at": sized(row["size"], row["unit"], search["searched_high"] - search["searched_low"]),
            }
        )
    words = pl.DataFrame(told, schema=dict.fromkeys(("_head", "value", "at", *_SIDES), pl.String))
    shown = curve.select("strategy", "size", "npv", "low", "high", name="title")
    return pl.concat([shown, words], how="horizontal")


def _finding(rows: Sequence[Mapping[str, Any]]) -> str:
    pays = [row for row in rows if row["break_even"] is not None]
    if not pays:
        both = all(row["npv_low"] > 0.0 for row in rows)
        return "Pays at both ends of what was searched" if both else "No break-even within what was searched"
    if len(rows) <= _TOLD:
        return joined([f"{row['title']}: pays {_from(row)}" for row in pays])
    return f"{len(pays)} of {len(rows)} strategies pay from a size on that was searched"


def _from(search: Mapping[str, Any]) -> str:
    size = sized(search["break_even"], search["unit"], search["searched_high"] - search["searched_low"])
    return f"at {size} or {'more' if search['npv_high'] > search['npv_low'] else 'less'}"


def _panels(points: pl.DataFrame, currency: str) -> Figure:
    names = points["name"].unique(maintain_order=True).to_list()
    heads = points["_head"].unique(maintain_order=True).to_list()
    largest = float(points.select(pl.max_horizontal(pl.col("low").abs(), pl.col("high").abs()).max()).item())
    amounts = money_axis(f"Net present value, {currency}", largest=largest)
    sizes = alt.X(
        "size:Q", title="Size of the effect", axis=alt.Axis(tickCount=6), scale=alt.Scale(zero=False, nice=False)
    )
    colour = alt.Color("name:N", scale=colours(names), legend=None)
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("at:N", title="Size"),
        alt.Tooltip("value:N", title=f"Mean ({INTERVAL})"),
    ]
    drawn = alt.Chart().encode(x=sizes, color=colour)
    band = drawn.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", axis=amounts), y2="high:Q")
    line = drawn.mark_line(strokeWidth=2.5).encode(y=alt.Y("npv:Q", axis=amounts))
    point = drawn.mark_point(filled=True, size=70, opacity=1).encode(y=alt.Y("npv:Q", axis=amounts), tooltip=tooltip)
    zero = alt.Chart().mark_rule(color=INK).encode(y=alt.datum(0))
    marks = [part for side in _SIDES for part in _marked(side, sizes)]
    header = alt.Header(labelOrient="top", labelAnchor="start", labelPadding=4, labelLimit=WIDTH, labelExpr=_LINES)
    rows = alt.Row("_head:N", sort=heads, title=None, header=header)
    layers = alt.layer(band, zero, line, point, *marks, data=points).properties(width=WIDTH, height=_HEIGHT)
    panels: Figure = layers.facet(row=rows, spacing=24).resolve_scale(x="independent", y="independent")
    return panels


def _marked(side: str, sizes: alt.X) -> tuple[alt.Chart, alt.Chart]:
    """Return the stroke at the break-even, and the words on the side of it where there is room for them."""
    # No row is filtered out: a layer without rows would have no extent, of which browsers complain.
    stroke = alt.Chart().mark_rule(color=QUIET, strokeDash=[4, 3])
    seen = alt.condition(f"datum.{side} !== ''", alt.value(1.0), alt.value(0.0))
    align: Literal["left", "right"] = "left" if side == "_right" else "right"
    words = alt.Chart().mark_text(align=align, baseline="top", dx=6 if align == "left" else -6, dy=2, fontWeight="bold")
    return stroke.encode(x=sizes, opacity=seen), words.encode(x=sizes, y=alt.value(0), text=f"{side}:N")


def _side(search: Mapping[str, Any]) -> str:
    low, high, root = search["searched_low"], search["searched_high"], search["break_even"]
    return "_left" if root > low + _ROOM * (high - low) else "_right"
