"""Figures of one panel per strategy: layers and a table go in, panels below each other with their headings come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure
from cxsim.charts.palette import QUIET

# Room for a heading between two panels.
_SPACING = 36
_RISE = -16


def panels(
    layers: Sequence[alt.Chart],
    table: pl.DataFrame,
    *,
    width: int,
    height: int | alt.Step,
    x: Literal["shared", "independent"] = "independent",
) -> Figure:
    """Return one panel per strategy, in the order of the table; each panel has a vertical scale of its own."""
    names = table["name"].unique(maintain_order=True).to_list()
    row = alt.Row("name:N", sort=names, title=None, header=alt.Header(labels=False, labelPadding=0))
    drawn = alt.layer(*layers, data=table).properties(width=width, height=height)
    facets: Figure = drawn.facet(row=row, spacing=_SPACING).resolve_scale(x=x, y="independent")
    return facets


def headings(first: str, colour: alt.Color, *, indent: int, rise: int = _RISE) -> tuple[alt.Chart, ...]:
    """Return the heading of each panel: a square in the colour of the strategy, its name, and a remark at the right."""
    drawn = alt.Chart().transform_filter(first)
    square = drawn.mark_point(shape="square", filled=True, size=110, opacity=1, aria=False).encode(
        x=alt.value(6 - indent), y=alt.value(rise), color=colour
    )
    name = drawn.mark_text(align="left", baseline="middle", fontSize=13, fontWeight="bold", aria=False).encode(
        x=alt.value(18 - indent), y=alt.value(rise + 1), text="name:N"
    )
    note = drawn.mark_text(align="right", baseline="middle", color=QUIET, aria=False).encode(
        x=alt.value(WIDTH - indent), y=alt.value(rise + 1), text="_note:N"
    )
    return square, name, note


def lines_beside(drawn: alt.Chart, *, indent: int) -> alt.Chart:
    """Return the words at the left of each row, from its `_label`, whose lines are parted by line feeds."""
    # Lines hang from the first one; half of them must rise above the middle of the row.
    middle = alt.expr("-7 * (length(split(datum._label, '\\n')) - 1)")
    text = drawn.mark_text(align="left", lineBreak="\n", lineHeight=14, fontSize=12, dy=middle, aria=False)
    encoded: alt.Chart = text.encode(x=alt.value(-indent), text="_label:N")
    return encoded


def rimmed(drawn: alt.Chart, *, align: Literal["left", "right"], gap: int) -> tuple[alt.Chart, alt.Chart]:
    """Return words at one side of their place, kept by a white rim from lines that cross them."""
    across = gap if align == "left" else -gap
    rim = drawn.mark_text(align=align, dx=across, fontSize=12, stroke="#FFFFFF", strokeWidth=5, aria=False)
    return rim, drawn.mark_text(align=align, dx=across, fontSize=12, color=QUIET, aria=False)
